/** What phpBB's config.php says of its database (phpBB 2.0 and 3.x: assignments of strings). */
export type ForumConfig = {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly socket: string | undefined;
  readonly name: string | undefined;
  readonly user: string | undefined;
  readonly tablePrefix: string | undefined;
};

/** Reads the assignments; nothing is executed. A password is not taken: saxctl gets an account of its own. */
export function readForumConfig(php: string): ForumConfig {
  const code = php.replaceAll(/\/\*.*?\*\//gs, '').replaceAll(/^\s*(?:\/\/|#).*$/gm, '');
  const value = (name: string): string | undefined => {
    const match = new RegExp(
      `\\$${name}\\s*=\\s*(?:'((?:[^'\\\\]|\\\\.)*)'|"((?:[^"\\\\]|\\\\.)*)"|(\\d+))\\s*;`,
      's',
    ).exec(code);
    const text = match?.[1] ?? match?.[2] ?? match?.[3];
    return text === undefined ? undefined : text.replaceAll(/\\(['"\\$])/g, '$1');
  };
  const host = value('dbhost');
  const port = value('dbport');
  // PHP's drivers take "host:port" and "host:/socket" in one.
  const inHost = /^(.*?):(\/.*|\d+)$/.exec(host ?? '');
  const socket = inHost?.[2]?.startsWith('/') ? inHost[2] : port?.startsWith('/') ? port : undefined;
  const number = Number(port !== undefined && /^\d+$/.test(port) ? port : inHost?.[2]);
  return {
    host: inHost?.[1] ?? (host === '' ? undefined : host),
    port: Number.isInteger(number) && number > 0 ? number : undefined,
    socket,
    name: value('dbname'),
    user: value('dbuser'),
    tablePrefix: value('table_prefix'),
  };
}
