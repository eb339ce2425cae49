import { directoryOf, judgeSecretFile } from '../../core/doctor/machine.ts';
import { ok, problem, type Verdict, warning, worst } from '../../core/doctor/verdict.ts';
import type { Group, Settings, World } from './world.ts';

/** Keys without which the site cannot work, by what is missing then. */
const NEEDED: readonly (readonly [keyof Settings, string, string])[] = [
  ['database', 'user', 'nobody can log in'],
  ['database', 'name', 'nobody can log in'],
  ['xmpp', 'domain', 'no bot knows where to go'],
  ['webridge', 'jid', 'announcements and history have no account'],
  ['webridge', 'password', 'announcements and history have no account'],
];

export const configGroup: Group = async function* configGroup({ world }, check) {
  const { loaded } = world;
  yield await check('config.valid', () => ok(loaded.file ?? 'environment and defaults, no file'));
  yield await check('config.complete', () => complete(world));
  yield await check('config.secrets', () => readable(world));
  if (loaded.file !== undefined) {
    const path = loaded.file;
    yield await check('config.file-mode', async () => {
      const facts = await world.file(path);
      const holds = [...loaded.origins].some(
        ([name, { source }]) => source === 'file' && /password|token_key|api_token|channel_key/.test(name),
      );
      return holds ? judgeSecretFile(path, facts) : ok(`${path} holds no secret`);
    });
    yield await check('config.directory-mode', async () => {
      const facts = await world.file(directoryOf(path));
      return facts !== undefined && (facts.mode & 0o002) !== 0 && (facts.mode & 0o1000) === 0
        ? problem(
            `${directoryOf(path)} can be written by everybody: the file can be replaced`,
            `chmod o-w ${directoryOf(path)}`,
          )
        : ok(`${directoryOf(path)} is safe`);
    });
  }
  yield await check('config.warnings', () =>
    worst(
      loaded.warnings.map((text) => warning(text, 'saxctl config check')),
      'no unknown variables',
    ),
  );
  yield await check('config.token-key', () => tokenKey(world));
  yield await check('config.domains', () => domains(world));
};

function complete({ loaded }: World): Verdict {
  const missing = NEEDED.filter(
    ([section, key]) => (loaded.config[section] as Record<string, unknown>)[key] === undefined,
  );
  if (missing.length === 0) return ok('everything that is needed is set');
  return problem(
    missing.map(([section, key, why]) => `[${section}] ${key} is not set: ${why}`).join('; '),
    ['# saxctl.toml', ...missing.map(([section, key]) => `[${section}]\n${key} = "…"`)].join('\n'),
  );
}

/** Reading a secret's file happens at its first use: here for all of them. */
function readable({ loaded }: World): Verdict {
  let count = 0;
  for (const [name, { source }] of loaded.origins) {
    const [section = '', key = ''] = name.split('.');
    const value = (loaded.config[section as keyof Settings] as Record<string, unknown> | undefined)?.[key];
    if (source !== 'default' && value !== undefined && /password|token|channel_key/.test(key)) count++;
  }
  return ok(`${count} secrets can be read`);
}

function tokenKey({ loaded }: World): Verdict {
  const key = loaded.config.auth.token_key;
  const make =
    '# saxctl.toml, and the same key for the page that makes tokens; one is made by: openssl rand -hex 32\n[auth]\ntoken_key_file = "token_key"';
  if (key === undefined)
    return warning(
      'no [auth] token_key: who only chats is refused at the first reconnect after an hour without a page view',
      make,
    );
  const { length } = new TextEncoder().encode(key);
  if (length < 16) return problem(`[auth] token_key has ${length} bytes: it can be guessed`, make);
  if (length < 24) return warning(`[auth] token_key has ${length} bytes, less than is good for a key`, make);
  return ok('tokens are signed');
}

function domains({ loaded }: World): Verdict {
  const { xmpp } = loaded.config;
  const wrong = (['webridge', 'ircbridge', 'guard'] as const).flatMap((section) => {
    const { jid } = loaded.config[section];
    return jid !== undefined &&
      xmpp.domain !== undefined &&
      !jid.toLowerCase().endsWith(`@${xmpp.domain.toLowerCase()}`)
      ? [`[${section}] jid = ${jid}`]
      : [];
  });
  if (wrong.length > 0)
    return problem(
      `${wrong.join(', ')} is not of the domain ${xmpp.domain}`,
      `# saxctl.toml\n[webridge]\njid = "webridge@${xmpp.domain}"`,
    );
  const jids = (['webridge', 'ircbridge', 'guard'] as const).flatMap((section) => loaded.config[section].jid ?? []);
  const twice = jids.filter((jid, index) => jids.indexOf(jid) !== index);
  if (twice.length > 0)
    return problem(
      `${twice.join(', ')} is used by two bots: they would take each other’s nickname`,
      '# saxctl.toml: an account for each bot',
    );
  return ok(`the bots are of ${xmpp.domain ?? 'no domain yet'}`);
}
