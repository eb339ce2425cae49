import { MUC_CHECKS } from './muc-options.ts';
import { type OptionCheck, show, yml } from './option-check.ts';
import { ok, problem, warning } from './verdict.ts';
import { at, booleanAt, hasModule, isLoopbackListener, listAt, listeners, tableAt, type Yml } from './yml.ts';

const EJABBERD_CHECKS: readonly OptionCheck[] = [
  {
    name: 'ejabberd.auth-method',
    judge(options) {
      const methods = listAt(options, 'auth_method');
      if (!methods.includes('external'))
        return problem(
          `auth_method is ${show(methods)}: members cannot log in with the forum’s session`,
          yml('auth_method: [external]'),
        );
      return ok('auth_method includes external');
    },
  },
  {
    name: 'ejabberd.auth-program',
    judge(options) {
      const program = at(options, 'extauth_program');
      if (typeof program !== 'string' || !/\bsaxctl(?:\.js)?\b.*\bauth\b/.test(program))
        return problem(
          `extauth_program is ${show(program)}, not saxctl auth`,
          yml('extauth_program: "/usr/bin/saxctl auth"'),
        );
      if (/^\/(?:home|root|tmp|var\/tmp)\/|\/\.nvm\//.test(program))
        return problem(
          `extauth_program is ${show(program)}: Debian’s ejabberd.service hides /home, /root and /tmp (ProtectHome, PrivateTmp)`,
          yml('extauth_program: "/usr/bin/saxctl auth"   # npm install -g saxctl, as root'),
        );
      return ok(`extauth_program is ${show(program)}`);
    },
  },
  {
    name: 'ejabberd.auth-cache',
    judge: (options) =>
      booleanAt(options, 'auth_use_cache') === false
        ? ok('auth_use_cache is off')
        : problem(
            'auth_use_cache is on: an ended session still logs in for an hour, and a new one is refused without asking',
            yml('auth_use_cache: false'),
          ),
  },
  {
    name: 'ejabberd.pool-size',
    judge(options) {
      const size = at(options, 'extauth_pool_size');
      if (typeof size === 'number' && size < 2)
        return warning(
          `extauth_pool_size is ${size}: one slow answer makes everybody wait`,
          yml('extauth_pool_size: 2'),
        );
      if (typeof size === 'number' && size > 16)
        return warning(
          `extauth_pool_size is ${size}: each takes ~60 MB and a database connection`,
          yml('extauth_pool_size: 2'),
        );
      return ok(size === undefined ? 'extauth_pool_size is the number of processors' : `extauth_pool_size is ${size}`);
    },
  },
  {
    name: 'ejabberd.sasl',
    judge(options) {
      const off = listAt(options, 'disable_sasl_mechanisms').map((name) => String(name).toUpperCase());
      if (off.includes('PLAIN'))
        return problem(
          'PLAIN is switched off, but external authentication has no other mechanism: nobody can log in',
          yml('disable_sasl_mechanisms: ["DIGEST-MD5", "X-OAUTH2"]'),
        );
      if (!off.includes('X-OAUTH2'))
        return warning(
          'X-OAUTH2 is on: a second way to log in that the forum knows nothing of',
          yml('disable_sasl_mechanisms: ["DIGEST-MD5", "X-OAUTH2"]'),
        );
      return ok('PLAIN only');
    },
  },
  {
    name: 'ejabberd.stanza-size',
    judge(options) {
      const large = listeners(options, 'ejabberd_c2s').filter((listener) => {
        const size = listener['max_stanza_size'];
        return typeof size !== 'number' || size > 65_536;
      });
      if (large.length > 0)
        return problem(
          `max_stanza_size of ${large.map((listener) => `port ${listener['port']}`).join(', ')} is ${large.map((listener) => show(listener['max_stanza_size'] ?? 'infinity')).join(', ')}: a password of 65.5 kB ends every authentication process, without an account`,
          yml('listen:', '  -', '    module: ejabberd_c2s', '    max_stanza_size: 65536'),
        );
      return ok('max_stanza_size of c2s is at most 65536');
    },
  },
  {
    name: 'ejabberd.websocket',
    judge(options) {
      const seconds = at(options, 'websocket_ping_interval');
      if (typeof seconds === 'number' && seconds < 60) return ok(`websocket_ping_interval is ${seconds} s`);
      return warning(
        `websocket_ping_interval is ${seconds === undefined ? '60 s (default)' : show(seconds)}: a proxy that closes after 60 s of silence closes just before the ping`,
        yml('websocket_ping_interval: 30'),
      );
    },
  },
  {
    name: 'ejabberd.listeners',
    judge(options) {
      const open = listeners(options, 'ejabberd_http').filter((listener) => !isLoopbackListener(listener));
      const api = open.filter((listener) =>
        Object.values(tableAt(listener, 'request_handlers')).includes('mod_http_api'),
      );
      if (api.length > 0)
        return problem(
          `mod_http_api answers the whole network on port ${api.map(({ port }) => port).join(', ')}`,
          yml('listen:', '  -', '    module: ejabberd_http', '    ip: "127.0.0.1"'),
        );
      if (open.length > 0)
        return warning(
          `port ${open.map(({ port }) => port).join(', ')} (http) is open to the network beside the web server`,
          yml('listen:', '  -', '    module: ejabberd_http', '    ip: "127.0.0.1"'),
        );
      return ok('HTTP listeners are on loopback');
    },
  },
  {
    name: 'ejabberd.api-rights',
    judge(options, { via }) {
      const rules = Object.values(tableAt(options, 'api_permissions')).filter(
        (rule): rule is Yml =>
          typeof rule === 'object' && rule !== null && listAt(rule as Yml, 'from').includes('mod_http_api'),
      );
      const everything = rules.filter(
        (rule) => listAt(rule, 'what').includes('*') && !listAt(rule, 'what').includes('!stop'),
      );
      if (
        everything.some(
          (rule) => JSON.stringify(rule['who'] ?? '').includes('127.') || listAt(rule, 'who').includes('all'),
        )
      )
        return problem('anybody on this machine may call every command of the API, also stop', apiRule());
      const may = rules.some((rule) => {
        const what = listAt(rule, 'what');
        return what.includes('*') || (what.includes('muc_register_nick') && what.includes('muc_unregister_nick'));
      });
      if (may || via === 'ctl')
        return ok(via === 'ctl' ? 'sync-nicks uses ejabberdctl' : 'the API may register nicknames');
      return problem('[ejabberd] via = "http", but no rule lets mod_http_api register nicknames', apiRule());
    },
  },
  {
    name: 'ejabberd.shaper',
    judge(options, { bots }) {
      const rules =
        listAt(options, 'shaper_rules', 'c2s_shaper').length > 0
          ? at(options, 'shaper_rules', 'c2s_shaper')
          : undefined;
      const free = JSON.stringify(rules ?? '').includes('none');
      const acl = JSON.stringify(tableAt(options, 'acl'));
      const missing = bots.filter((jid) => !acl.includes(jid) && !acl.includes(`"${jid.split('@')[0]}"`));
      if (rules === undefined || (free && missing.length === 0)) return ok('bots are not slowed down');
      return problem(
        `${missing.length > 0 ? missing.join(', ') : 'the bots'} may send 3 kB/s like everybody: an IRC channel falls behind by minutes`,
        yml(
          'acl:',
          '  saxbots:',
          '    user:',
          ...bots.map((jid) => `      - "${jid}"`),
          'shaper_rules:',
          '  c2s_shaper:',
          '    none: saxbots',
          '    normal: all',
        ),
      );
    },
  },
  {
    name: 'ejabberd.fail2ban',
    judge(options) {
      if (!hasModule(options, 'mod_fail2ban')) return ok('mod_fail2ban is not loaded');
      const trusted = listAt(options, 'trusted_proxies');
      if (trusted.length > 0) return ok('mod_fail2ban sees the browsers’ own addresses (trusted_proxies)');
      return problem(
        'mod_fail2ban is on without trusted_proxies: 20 expired sessions ban nginx’s address, and with it the whole site and the bots',
        yml(
          'trusted_proxies: ["127.0.0.1"]',
          '# and in nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
          '# at once: ejabberdctl unban_ip 127.0.0.1',
        ),
      );
    },
  },
  {
    name: 'ejabberd.log-level',
    judge(options) {
      const level = at(options, 'loglevel');
      return level === 5 || level === 'debug'
        ? problem('loglevel is debug: session ids and passwords are in the log', yml('loglevel: info'))
        : ok(`loglevel is ${show(level ?? 'info')}`);
    },
  },
];

function apiRule(): string {
  return yml(
    'api_permissions:',
    '  "saxctl":',
    '    from: mod_http_api',
    '    who:',
    '      ip: "127.0.0.1/8"',
    '    what:',
    '      - "muc_register_nick"',
    '      - "muc_unregister_nick"',
  );
}

/** Every option that facts call a trap, each with its line to paste. Several are only bad in silence: logins seem to work. */
export const OPTION_CHECKS: readonly OptionCheck[] = [...EJABBERD_CHECKS, ...MUC_CHECKS];
