import { accessSync, constants, readdirSync } from 'node:fs';

const PATHS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The Debian package of each program that the stack may start. */
const PACKAGES: Readonly<Record<string, string>> = {
  mariadbd: 'mariadb-server-core',
  'mariadb-install-db': 'mariadb-server-core',
  ejabberdctl: 'ejabberd',
  inspircd: 'inspircd',
  ngircd: 'ngircd',
  nginx: 'nginx-light',
  openssl: 'openssl',
};

/** Where Debian keeps Erlang's libraries, and those that ejabberd only suggests: without p1_mysql it starts and has no archive. */
const ERLANG = '/usr/lib/erlang/lib';
const LIBRARIES: Readonly<Record<string, string>> = { p1_mysql: 'erlang-p1-mysql' };

/** The path of a program, also where a person's PATH lacks the sbin directories; undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  return PATHS.map((path) => `${path}/${name}`).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Debian packages that are missing for these programs and libraries of Erlang, each once, in order. */
export function missingPackages(names: readonly string[]): string[] {
  const missing = names
    .filter((name) => (name in LIBRARIES ? !hasLibrary(name) : findProgram(name) === undefined))
    .map((name) => PACKAGES[name] ?? LIBRARIES[name] ?? name);
  return [...new Set(missing)];
}

function hasLibrary(name: string): boolean {
  try {
    return readdirSync(ERLANG).some((folder) => folder.startsWith(`${name}-`));
  } catch {
    return false;
  }
}

/** The path of a program that must be there. Throws with the package to install. */
export function requireProgram(name: string): string {
  const path = findProgram(name);
  if (path === undefined)
    throw new Error(`${name} is not installed (Debian: apt-get install ${PACKAGES[name] ?? name})`);
  return path;
}
