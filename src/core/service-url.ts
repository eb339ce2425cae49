import { EXIT, SaxError } from './errors.ts';

/** Where a server listens, and whether it speaks TLS from the first byte. */
export type Service = { readonly secure: boolean; readonly host: string; readonly port: number };

type Scheme = {
  /** The scheme without TLS; the one with TLS has an `s` behind it. */
  readonly scheme: string;
  readonly ports: { readonly plain: number; readonly tls: number };
  /** The configuration key, for the error. */
  readonly key: string;
};

/** `xmpp://host:port` (plain, or STARTTLS) and `xmpps://host:port` (XEP-0368). */
export const XMPP: Scheme = { scheme: 'xmpp', ports: { plain: 5222, tls: 5223 }, key: 'xmpp.service' };
/** `irc://host:port` and `ircs://host:port` (RFC 7194). */
export const IRC: Scheme = { scheme: 'irc', ports: { plain: 6667, tls: 6697 }, key: 'irc.servers' };

/** Reads the address of a server; the port may be left out. Throws SaxError with EXIT.config. */
export function parseService(url: string, { scheme, ports, key }: Scheme): Service {
  const match = /^([a-z]+):\/\/(\[[0-9a-f:.]+\]|[^\s:/[\]]+)(?::(\d{1,5}))?\/?$/i.exec(url);
  const [, name = '', host = '', given] = match ?? [];
  const secure = name.toLowerCase() === `${scheme}s`;
  const port = Number(given ?? (secure ? ports.tls : ports.plain));
  if ((!secure && name.toLowerCase() !== scheme) || port < 1 || port > 65_535)
    throw new SaxError(EXIT.config, `${key}: not an address: ${JSON.stringify(url)}`, {
      hint: `write ${scheme}s://host:port or ${scheme}://host:port`,
    });
  return { secure, host: host.replace(/^\[|\]$/g, ''), port };
}
