import { parseArgs } from 'node:util';
import type { Stack } from '../src/edges/stack/types.ts';
import { type AuthProgram, startAuth } from '../test/helpers/extauth.ts';
import { startTestStack } from '../test/helpers/stack.ts';
import { median, printTable } from './lib/table.ts';

const FAULTS = ['kill -9', 'restart', 'SIGSTOP'] as const;
type Fault = (typeof FAULTS)[number];

/** The pause between two logins of the load, milliseconds. */
const PAUSE = 2;
/** Logins after each recovery that must all be right. */
const AFTER = 100;

/**
 * How soon `saxctl auth` gives right answers again after its database was killed, restarted or stopped, while logins go on.
 * Counted from the moment that the database takes connections again (SIGSTOP: from SIGCONT). Argument: `--rounds N`.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...argv], options: { rounds: { type: 'string', default: '10' } } });
  const rounds = Number(values.rounds);
  const stack = await startTestStack({ parts: ['mariadb'] });
  try {
    const rows: (string | number)[][] = [];
    for (const fault of FAULTS) rows.push([fault, ...(await suffer(stack, fault, rounds))]);
    printTable(`saxctl auth after ${rounds} faults of each kind, under load`, [
      [
        '',
        'median ms',
        'slowest ms',
        'aim',
        'wrong yes',
        'wrong no after',
        'slowest answer ms',
        'logins',
        'same process',
      ],
      ...rows,
    ]);
  } finally {
    await stack.stop();
  }
}

async function suffer(stack: Stack, fault: Fault, rounds: number): Promise<(string | number)[]> {
  const program = startAuth({
    config: stack.config,
    env: { ...stack.env, SAXCTL_AUTH_TIMEOUT_MS: '1500' },
    pipes: true,
  });
  const { pid } = program.child;
  const load = startLoad(stack, program);
  try {
    await load.right();
    const recoveries: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await hit(stack, fault, load);
      const at = performance.now();
      await load.right();
      recoveries.push(performance.now() - at);
      await load.judge(AFTER);
    }
    const { wrongYes, wrongNo, slowest, logins } = await load.stop();
    const same = program.child.pid === pid && program.child.exitCode === null && program.stray() === 0;
    return [
      median(recoveries),
      Math.max(...recoveries),
      '<= 2,000',
      wrongYes,
      wrongNo,
      slowest,
      logins,
      same ? 'yes' : 'NO',
    ];
  } finally {
    await program.end();
  }
}

/** Until the database is back. */
async function hit(stack: Stack, fault: Fault, load: Load): Promise<void> {
  if (fault === 'restart') return stack.mariadb.restart();
  if (fault === 'kill -9') {
    await stack.mariadb.kill();
    await load.refused();
    return stack.mariadb.start();
  }
  stack.mariadb.freeze();
  await load.refused();
  stack.mariadb.thaw();
}

type Load = ReturnType<typeof startLoad>;

/** Logins that are right and logins with another one's session, one after the other, for ever. */
function startLoad(stack: Stack, program: AuthProgram) {
  const sid = stack.member('Tari').session.sid;
  const figures = { wrongYes: 0, wrongNo: 0, slowest: 0, logins: 0 };
  let judged = 0;
  let ending = false;
  let heard: ((right: boolean) => void)[] = [];
  const next = (): Promise<boolean> => new Promise((resolve) => heard.push(resolve));
  const going = (async () => {
    while (!ending) {
      const at = performance.now();
      const right = await program.login('tari', sid);
      if (await program.login('alice', sid)) figures.wrongYes++;
      figures.slowest = Math.max(figures.slowest, performance.now() - at);
      figures.logins += 2;
      if (judged > 0) {
        judged--;
        if (!right) figures.wrongNo++;
      }
      const told = heard;
      heard = [];
      for (const tell of told) tell(right);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  })();
  const wait = async (wanted: boolean): Promise<void> => {
    while ((await next()) !== wanted);
  };
  return {
    right: () => wait(true),
    refused: () => wait(false),
    /** The next so many must be right. */
    async judge(count: number): Promise<void> {
      judged = count;
      while (judged > 0) await next();
    },
    async stop() {
      ending = true;
      await going;
      return figures;
    },
  };
}
