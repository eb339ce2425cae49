import type { Stack } from '../src/edges/stack/types.ts';
import { enterRoom, type Person } from '../test/helpers/person.ts';
import { type RunningSaxctl, runSaxctl, startSaxctl, startTestStack } from '../test/helpers/stack.ts';
import { percentile, printTable } from './lib/table.ts';

const ROUNDS = 150;
/** ejabberd's shaper lets one connection say this much at once. */
const PER_CONNECTION = 30;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll("'", '&apos;').replaceAll('"', '&quot;');

/** When something that matches arrives, counted from what was received so far. */
function arrival(person: Person, patterns: readonly RegExp[]): Promise<number[]> {
  const from = person.received().length;
  return new Promise((resolve, reject) => {
    const times: number[] = [];
    const late = setTimeout(() => reject(new Error(`only ${times.length} of ${patterns}`)), 30_000);
    const look = (): void => {
      const since = person.received().slice(from);
      for (let at = times.length; at < patterns.length; at = times.length) {
        if (patterns[at]?.test(since) !== true) return;
        times.push(performance.now());
      }
      clearTimeout(late);
      person.socket.off('data', look);
      resolve(times);
    };
    person.socket.on('data', look);
  });
}

type Look = { readonly seated: number[]; readonly decided: number[] };

/** Comes in under a nickname over and over: how long until he is inside, and from then until the guard has decided. */
async function measure(stack: Stack, name: string, nicks: readonly string[], decided: RegExp): Promise<Look> {
  const look: Look = { seated: [], decided: [] };
  let person: Person | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    if (person === undefined || round % PER_CONNECTION === 0) {
      person?.leave();
      person = await enterRoom(stack, name);
      const left = arrival(person, [/type='unavailable'[^>]*>[\s\S]*code='110'/]);
      person.send(`<presence to='${escaped(stack.room)}/${escaped(name)}' type='unavailable'/>`);
      await left;
    }
    const nick = nicks[round % nicks.length] ?? name;
    const to = `${escaped(stack.room)}/${escaped(nick)}`;
    const inside = arrival(person, [/<presence[\s\S]*?code='110'/, decided]);
    const began = performance.now();
    person.send(
      `<presence to='${to}'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>`,
    );
    const [seated = 0, done = 0] = await inside;
    look.seated.push(seated - began);
    look.decided.push(done - seated);
    if (decided.source.includes('307')) continue;
    const left = arrival(person, [/type='unavailable'[^>]*>[\s\S]*code='110'/]);
    person.send(`<presence to='${to}' type='unavailable'/>`);
    await left;
  }
  person?.leave();
  return look;
}

async function own(guard: RunningSaxctl): Promise<(string | number)[][]> {
  const address = /metrics on (http:\S+\/metrics)/.exec(guard.stderr())?.[1] ?? '';
  const page = await fetch(address).then((answer) => answer.text());
  const count = Number(/decision_seconds_count (\d+)/.exec(page)?.[1]);
  const sum = Number(/decision_seconds_sum ([\d.e-]+)/.exec(page)?.[1]);
  return [['mean of all', (sum * 1000) / count, count]];
}

/** How quickly the guard decides: seen by the one it decides about, against the time that coming in takes by itself. */
export async function run(): Promise<void> {
  const stack = await startTestStack({
    parts: ['mariadb', 'ejabberd'],
    moderated: true,
    members: [{ name: 'Mallory' }],
    config: { ejabberd: { via: 'http' }, metrics: { listen: '127.0.0.1:0' } },
  });
  try {
    await runSaxctl(stack, ['sync-nicks']);
    const guard = startSaxctl(stack, ['guard']);
    await guard.logged(/"event":"ready"/);
    const voice = await measure(stack, 'Tari', ['Tari'], /code='110'[\s\S]*<presence[\s\S]*role='participant'/);
    const kick = await measure(stack, 'Mallory', ['alicе', '@alice', 'Alice.'], /status code='307'/);
    const row = (name: string, values: readonly number[]): (string | number)[] => [
      name,
      percentile(values, 50),
      percentile(values, 99),
    ];
    printTable(`The guard’s decision, ${ROUNDS} times each, ms as the occupant sees it`, [
      ['', 'p50', 'p99'],
      row('coming in, without the guard (floor)', [...voice.seated, ...kick.seated]),
      row('from his presence to his voice', voice.decided),
      row('from his presence to his removal (asks the forum first)', kick.decided),
    ]);
    printTable('The guard’s own histogram, ms', [['', 'mean', 'decisions'], ...(await own(guard))]);
    await guard.stop();
  } finally {
    await stack.stop();
  }
}
