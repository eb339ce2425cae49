import { certificate, nginx } from './breaks.ts';
import type { DoctorSite, Pair } from './site.ts';

const trusted = (site: { readonly stack: { readonly tlsCa: string } }) => ({
  child: true,
  env: { NODE_EXTRA_CA_CERTS: site.stack.tlsCa },
});

/** What can be broken between us and others: IRC servers and nginx, the real ones. */
export function networkPairs(site: DoctorSite): readonly Pair[] {
  const { stack } = site;
  const web = (pair: Omit<Pair, 'flags'>): Pair => {
    const url = { url: site.url };
    return { flags: ['web'], ...pair, broken: { ...url, ...pair.broken }, mended: { ...url, ...pair.mended } };
  };
  return [
    {
      name: 'irc.names',
      flags: ['irc'],
      says: /cannot be a nickname/,
      broken: { env: { SAXCTL_IRC_NICK: '9lives' } },
    },
    ...irc(site),
    {
      name: 'irc.servers',
      flags: ['irc'],
      says: /none of the IRC servers/,
      break: async () => {
        await stack.irc1.stop();
        return () => stack.irc1.start();
      },
      also: ['irc.server-1'],
    },

    web({
      name: 'web.websocket-timeout',
      says: /cut after 60 s/,
      break: nginx((text) => text.replace('proxy_read_timeout 360s;', '')),
    }),
    web({
      name: 'web.bosh-timeout',
      says: /cut after 60 s/,
      break: nginx((text) => text.replace('proxy_read_timeout 75s;', '')),
    }),
    web({
      name: 'web.forwarded-for',
      status: 'warning',
      says: /as 127\.0\.0\.1/,
      break: nginx((text) => text.replaceAll(/proxy_set_header X-Forwarded-For .*;/g, '')),
    }),
    web({
      name: 'web.http2',
      status: 'warning',
      says: /no HTTP\/2/,
      break: nginx((text) => text.replace(' http2;', ';')),
    }),
    web({
      name: 'web.websocket',
      says: /\/ws answers 404/,
      break: nginx((text) => text.replace('location = /ws {', 'location = /wsx {')),
    }),
    web({
      name: 'web.bosh',
      says: /\/bosh answers 404/,
      break: nginx((text) => text.replace('location = /bosh {', 'location = /boshx {')),
    }),
    web({
      name: 'web.api',
      says: /from outside/,
      break: nginx((text) =>
        text.replace('location = /bosh {', 'location /api { proxy_pass http://sax_ejabberd; }\n  location = /bosh {'),
      ),
    }),
    web({
      name: 'web.certificate',
      says: /CERT_HAS_EXPIRED/,
      break: certificate('nginx', { from: -30, until: -1 }),
      broken: trusted(site),
      mended: trusted(site),
    }),
    web({
      name: 'web.certificate',
      says: /ALTNAME/,
      break: certificate('nginx', { names: 'DNS:other.test' }),
      broken: trusted(site),
      mended: trusted(site),
    }),
    web({
      name: 'web.certificate',
      status: 'warning',
      says: /ends in \d days/,
      break: certificate('nginx', { until: 5 }),
      broken: trusted(site),
      mended: trusted(site),
    }),
    web({ name: 'web.certificate', says: /SELF_SIGNED/, mended: trusted(site) }),
  ];
}

/** Faults of the one IRC server, each on the real InspIRCd. */
function irc({ stack }: DoctorSite): readonly Pair[] {
  const fault = (says: RegExp, pair: Partial<Pair>): Pair => ({
    name: 'irc.server-1',
    flags: ['irc'],
    says,
    also: ['irc.servers'],
    ...pair,
  });
  return [
    fault(/expired on/, { break: certificate('irc1', { from: -30, until: -1 }) }),
    fault(/it is for DNS:other\.test/, { break: certificate('irc1', { names: 'DNS:other.test' }) }),
    fault(/ends in \d days/, { status: 'warning', break: certificate('irc1', { until: 5 }) }),
    fault(/not trusted/, { broken: { env: { SAXCTL_IRC_TLS_CA: '/etc/ssl/certs/ca-certificates.crt' } } }),
    fault(/offers no SASL/, {
      broken: { env: { SAXCTL_IRC_SASL_USER: 'sax', SAXCTL_IRC_SASL_PASSWORD: 'secret' } },
    }),
    fault(/nicknames of 30 characters, x{31} has 31/, {
      broken: { env: { SAXCTL_IRC_NICK: 'x'.repeat(31) } },
      also: ['irc.servers', 'irc.names'],
    }),
    fault(/names of channels of 64 characters/, { broken: { env: { SAXCTL_IRC_CHANNEL: `#${'x'.repeat(64)}` } } }),
    fault(/ECONNREFUSED|closed/, {
      break: async () => {
        await stack.irc1.cut();
        return () => stack.irc1.mend();
      },
    }),
  ];
}
