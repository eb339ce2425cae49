import { ok, problem, skipped, type Verdict, warning } from './verdict.ts';

export function judgeNode(version: string): Verdict {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 20 || (major === 20 && minor >= 19)
    ? ok(`Node ${version}`)
    : problem(`Node ${version} is too old`, '# Node 20.19 or newer: https://nodejs.org, or Debian 13’s nodejs');
}

/** ejabberd as it names itself: "23.01", "24.12". */
export function judgeEjabberdVersion(version: string | undefined): Verdict {
  if (version === undefined) return skipped('ejabberd’s version could not be asked');
  const [year = 0, month = 0] = version.split('.').map(Number);
  const number = year * 100 + month;
  if (number < 2001)
    return problem(`ejabberd ${version} is older than 20.01, the oldest that is known to work`, 'apt install ejabberd');
  if (number >= 2412) return ok(`ejabberd ${version}; ejabberdctl is called by its API version 2`);
  return ok(`ejabberd ${version}`);
}

/** "10.11.6-MariaDB-…", "8.0.36", "5.5.68-MariaDB". */
export function judgeDatabaseVersion(version: string): Verdict {
  const number = /^(?:5\.5\.5-)?(\d+)\.(\d+)/.exec(version);
  const [major, minor] = [Number(number?.[1] ?? 0), Number(number?.[2] ?? 0)];
  const old = /mariadb/i.test(version) ? major < 10 : major < 5 || (major === 5 && minor < 6);
  return old ? warning(`${version} is out of support`, '# upgrade the database server') : ok(version);
}

export function judgeForumVersion(version: string | undefined): Verdict {
  if (version === undefined) return skipped('the forum does not say its version');
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const known =
    (major === 3 && minor >= 2) || major === 4 || major === 2 || (major === 0 && minor === 0) || /^\.0/.test(version);
  return known
    ? ok(`phpBB ${version}`)
    : warning(`phpBB ${version} was never tried`, '# tried are phpBB 3.3 and phpBB 2.0');
}
