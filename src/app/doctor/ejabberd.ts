import { OPTION_CHECKS } from '../../core/doctor/ejabberd-options.ts';
import { judgeAppArmor, judgeDistribution } from '../../core/doctor/machine.ts';
import { ok, problem, skipped, type Verdict, warning } from '../../core/doctor/verdict.ts';
import { optionsFor } from '../../core/doctor/yml.ts';
import { reasonOf } from '../../core/errors.ts';
import { printable } from '../../core/escape.ts';
import type { Group, Shared, World } from './world.ts';

/** Asked whether they exist before anything else is asked by them. */
const NODE_DOWN = /nodedown|Failed RPC connection/i;

export const ejabberdGroup: Group = async function* ejabberdGroup(shared, check) {
  const { world } = shared;
  const { config } = world.loaded;
  yield await check('ejabberd.yml', () => readYml(shared));
  if (shared.yml !== undefined) {
    const yml = shared.yml;
    const expected = {
      bots: shared.bots.map(({ jid }) => jid),
      guard: config.guard.jid,
      via: config.ejabberd.via === 'http' ? ('http' as const) : ('ctl' as const),
    };
    for (const { name, judge } of OPTION_CHECKS) yield await check(name, () => judge(yml, expected));
  }
  yield await check('ejabberd.running', () => running(shared));
  if ((await shared.status()).code === 0) yield await check('ejabberd.nick-command', () => nickCommand(world));
  yield await check('ejabberd.locale', async () => {
    const locales = await world.locales();
    return locales.length === 0 || locales.some((name) => /^C\.utf-?8$/i.test(name))
      ? ok('C.UTF-8 is there: nicknames beyond ASCII are registered right, also by cron')
      : problem(
          'the locale C.UTF-8 is missing: nicknames beyond ASCII are registered as garbage',
          'apt install locales && localedef -i C -f UTF-8 C.UTF-8',
        );
  });
  if (config.ejabberd.via === 'http') yield await check('ejabberd.api', () => api(world));
  yield await check('ejabberd.apparmor', async () =>
    judgeAppArmor(await world.readText('/sys/kernel/security/apparmor/profiles')),
  );
  yield await check('ejabberd.port-mapper', async () => judgeDistribution(await world.listening()));
};

function readYml(shared: Shared): Verdict {
  const { path, text } = shared.world.ejabberdYml;
  if (text === undefined)
    return skipped(
      `${path} cannot be read: its options are not checked; run doctor as root, or name it by --ejabberd-yml`,
    );
  try {
    shared.yml = optionsFor(shared.world.parseYaml(text), shared.world.loaded.config.xmpp.domain);
    return ok(path);
  } catch (error) {
    return problem(
      `${path} is not YAML: ${printable(reasonOf(error))}`,
      'ejabberdctl reload_config   # names the line; what runs goes on with what it had',
    );
  }
}

async function running(shared: Shared): Promise<Verdict> {
  const { code, text } = await shared.status();
  const last = printable(text.trim().split('\n').at(-1) ?? '', 200);
  if (code === 7 || /can only be run by root or the user/.test(text))
    return skipped('ejabberdctl wants root or the user ejabberd: what the running server says is not checked');
  if (code === 3 || NODE_DOWN.test(text)) return problem('ejabberd does not run', 'systemctl start ejabberd');
  if (code !== 0) return problem(`ejabberdctl status: ${last}`, 'systemctl status ejabberd');
  return ok(printable(/^ejabberd .*$/m.exec(text)?.[0] ?? last, 200));
}

async function nickCommand(world: World): Promise<Verdict> {
  const { text } = await world.ctl('help', 'muc_register_nick');
  return /no tag or command matches|not known|unknown command/i.test(text) || !/muc_register_nick/.test(text)
    ? problem('ejabberdctl does not know muc_register_nick', '# ejabberd.yml\nmodules:\n  mod_muc_admin: {}')
    : ok('ejabberdctl registers nicknames');
}

async function api(world: World): Promise<Verdict> {
  const { api_url } = world.loaded.config.ejabberd;
  if (api_url === undefined)
    return problem(
      '[ejabberd] via = "http", but api_url is not set',
      '# saxctl.toml\n[ejabberd]\napi_url = "http://127.0.0.1:5280/api"',
    );
  // Without arguments the command itself answers 400; 403 and 404 come before it.
  const answer = await world.http(`${api_url.replace(/\/$/, '')}/muc_register_nick`);
  if (answer.status === 400) return ok(`${api_url} may register nicknames`);
  if (answer.status === 401 || answer.status === 403)
    return warning(
      `${api_url} refuses this machine without an account (${answer.status})`,
      '# ejabberd.yml: api_permissions as in: saxctl init --print ejabberd',
    );
  return problem(
    `${api_url} answers ${answer.failure ?? answer.status}`,
    '# ejabberd.yml\nlisten:\n  -\n    module: ejabberd_http\n    request_handlers:\n      /api: mod_http_api',
  );
}
