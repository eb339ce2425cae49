import { type Verdict as AuthVerdict, describeVerdict } from '../../core/auth-verdict.ts';
import {
  judgeAffiliations,
  judgeArchive,
  judgeLogin,
  judgeNickModule,
  judgeRoomOptions,
} from '../../core/doctor/room.ts';
import { ok, problem, skipped, type Verdict } from '../../core/doctor/verdict.ts';
import { EXIT, reasonOf, SaxError } from '../../core/errors.ts';
import { printable } from '../../core/escape.ts';
import type { Bot, Group, Shared } from './world.ts';

/** Logins go all the way: stream, SASL, ejabberd's pool, our program. */
export const authGroup: Group = async function* authGroup(shared, check) {
  const { world } = shared;
  yield await check('auth.rules', () => rules(shared));
  if (shared.bots.length === 0) {
    yield await check('auth.login-webridge', () => skipped('no bot has an account'));
    return;
  }
  for (const bot of shared.bots) yield await check(`auth.login-${bot.section}`, () => login(shared, bot));
  yield await check('auth.refusal', async () => {
    const [bot] = shared.bots;
    if (bot === undefined || shared.session === undefined) return skipped('nobody can log in');
    const wrong = { ...bot, password: 'doctor asks whether everybody is let in' };
    try {
      await (await world.login(wrong)).close();
    } catch (error) {
      if (error instanceof SaxError && error.exit === EXIT.refused) return ok('a wrong password is refused');
      throw error;
    }
    return problem(
      'a wrong password is accepted: everybody can log in as everybody',
      '# ejabberd.yml\nauth_method: [external]\nauth_use_cache: false\n# then: systemctl restart ejabberd',
    );
  });
};

/** A session id that the forum never made. */
const MADE_UP = '0'.repeat(32);

/** What our program says when ejabberd is left out: then it is clear on which side a login fails. */
async function rules({ world, bots: all }: Shared): Promise<Verdict> {
  const { domain } = world.loaded.config.xmpp;
  // Without a domain there is none to ask for.
  const bots = all.filter(({ jid }) => domain !== undefined && jid.endsWith(`@${domain}`));
  const say = (verdict: AuthVerdict): string => describeVerdict(verdict, world.now() / 1000);
  for (const { jid, section, password } of bots) {
    const { verdict } = await world.explain(jid.split('@')[0] ?? '', password);
    if (!verdict.allowed)
      return problem(`saxctl auth refuses the bot of [${section}]: ${say(verdict)}`, `saxctl auth --check ${section}`);
  }
  const { verdict } = await world.explain('saxctl-doctor', MADE_UP);
  if (verdict.allowed)
    return problem('saxctl auth accepts a made-up session', 'saxctl --log-level debug auth --check saxctl-doctor');
  if (verdict.reason === 'unavailable')
    return problem(`saxctl auth cannot ask the forum: ${say(verdict)}`, 'saxctl doctor database');
  return ok(`${bots.length === 0 ? '' : `${bots.length} bots are let in, `}a made-up session is ${say(verdict)}`);
}

async function login(shared: Shared, bot: Bot): Promise<Verdict> {
  const { world } = shared;
  const began = world.monotonic();
  try {
    const session = await world.login(bot);
    const ms = world.monotonic() - began;
    if (shared.session === undefined) shared.session = session;
    else await session.close();
    return judgeLogin(bot.jid, undefined, ms, undefined);
  } catch (error) {
    const refused = error instanceof SaxError && error.exit === EXIT.refused;
    return judgeLogin(bot.jid, reasonOf(error), world.monotonic() - began, refused ? 'refused' : 'unavailable');
  }
}

export const roomGroup: Group = async function* roomGroup(shared, check) {
  const { world } = shared;
  const { config } = world.loaded;
  const room = config.xmpp.room;
  if (room === undefined) {
    yield await check('room.exists', () =>
      problem('no room is configured', '# saxctl.toml\n[xmpp]\ndomain = "example.org"'),
    );
    return;
  }
  const [name = '', service = ''] = room.split('@');
  const ctl = (await shared.status()).code === 0;
  let options: Record<string, string> | undefined;
  let exists = true;
  yield await check('room.exists', async () => {
    if (!ctl) return skipped('ejabberdctl was not asked');
    options = pairs((await world.ctl('get_room_options', name, service)).text);
    exists = options['persistent'] !== undefined;
    return exists
      ? ok(room)
      : problem(
          `${room} does not exist`,
          `ejabberdctl create_room_with_opts ${name} ${service} ${config.xmpp.domain ?? ''} '[{"name":"persistent","value":"true"},{"name":"mam","value":"true"}]'`,
        );
  });
  if (!exists) return;
  yield await check('room.options', async () =>
    judgeRoomOptions(options, room, {
      moderated: config.guard.jid !== undefined,
    }),
  );
  yield await check('room.affiliations', async () =>
    judgeAffiliations(
      ctl ? affiliations((await world.ctl('get_room_affiliations', name, service)).text) : undefined,
      room,
      config.guard.jid,
      shared.bots.map(({ jid }) => jid),
    ),
  );
  yield await check('room.nicknames', async () =>
    ctl
      ? nicknames(shared, (await world.ctl('get_room_occupants', name, service)).text)
      : skipped('ejabberdctl was not asked'),
  );
  yield await check('room.nick-module', async () =>
    judgeNickModule(await shared.session?.features(), config.guard.jid !== undefined),
  );
  yield await check('room.archive', async () => {
    const { session } = shared;
    if (session === undefined) return skipped('nobody can log in');
    try {
      const page = await session.archive(room, { before: '', max: 1 });
      const newest = page.lines.at(-1)?.at;
      return judgeArchive(undefined, newest === undefined ? undefined : (world.now() - newest) / 1000, room);
    } catch (error) {
      return judgeArchive(reasonOf(error), undefined, room);
    }
  });
};

/** Lines of "name<TAB>value". */
function pairs(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split('\n').flatMap((line) => (line.includes('\t') ? [line.split('\t', 2) as [string, string]] : [])),
  );
}

/** Lines of "user<TAB>host<TAB>affiliation<TAB>reason". */
function affiliations(text: string): Map<string, string> {
  return new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const [user, host, affiliation] = line.split('\t');
      return affiliation === undefined ? [] : [[`${user}@${host}`, affiliation]];
    }),
  );
}

/** Lines of "jid<TAB>nick<TAB>role": a bot's nickname must not be somebody else's. */
function nicknames({ world, bots }: Shared, text: string): Verdict {
  const occupants = text.split('\n').flatMap((line) => {
    const [jid, nick] = line.split('\t');
    return nick === undefined ? [] : [{ jid: jid?.split('/')[0] ?? '', nick }];
  });
  const taken = bots.flatMap(({ section, jid }) => {
    const nick = world.loaded.config[section].nick ?? '';
    return occupants.filter((occupant) => occupant.nick === nick && occupant.jid.toLowerCase() !== jid.toLowerCase());
  });
  if (taken.length === 0) return ok(`${occupants.length} occupants; no bot’s nickname is taken`);
  return problem(
    taken.map(({ jid, nick }) => `${printable(nick, 40)} is ${printable(jid, 80)}`).join('; '),
    `ejabberdctl kick_session ${taken[0]?.jid.split('@').join(' ')} RESOURCE "this nickname is a bot’s"\nsaxctl sync-nicks`,
  );
}
