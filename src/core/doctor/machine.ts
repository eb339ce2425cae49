import { ok, problem, skipped, type Verdict, warning } from './verdict.ts';

/** What stat(2) tells of a path. */
export type FileFacts = {
  readonly kind: 'file' | 'directory' | 'socket' | 'other';
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
};

/** The directory of an absolute path. */
export const directoryOf = (path: string): string => path.replace(/\/[^/]*$/, '') || '/';

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');

/** A file that holds secrets: nobody but its owner and group may read it. */
export function judgeSecretFile(path: string, facts: FileFacts | undefined): Verdict {
  if (facts === undefined) return problem(`${path} does not exist or cannot be reached`, `ls -ld ${path}`);
  if ((facts.mode & 0o007) !== 0)
    return problem(
      `${path} has mode ${octal(facts.mode)}: every account of this machine can read its secrets`,
      `chmod o-rwx ${path}`,
    );
  if ((facts.mode & 0o020) !== 0)
    return warning(`${path} has mode ${octal(facts.mode)}: its group can change it`, `chmod g-w ${path}`);
  return ok(`${path} has mode ${octal(facts.mode)} (${facts.owner}:${facts.group})`);
}

/** The directory of the datagram socket: who can write it can put another socket in its place. */
export function judgeSocketDirectory(path: string, facts: FileFacts | undefined): Verdict {
  const repair = `install -d -m 0750 -o saxctl -g www-data ${path}`;
  if (facts === undefined) return problem(`${path} does not exist`, repair);
  if (facts.kind !== 'directory') return problem(`${path} is no directory`, repair);
  if ((facts.mode & 0o002) !== 0)
    return problem(
      `${path} has mode ${octal(facts.mode)}: anybody can put a socket of his own in its place`,
      `chmod o-w ${path}`,
    );
  if ((facts.mode & 0o011) === 0 && facts.group !== facts.owner)
    return warning(`${path} has mode ${octal(facts.mode)}: the web server cannot pass through it`, `chmod g+x ${path}`);
  return ok(`${path} has mode ${octal(facts.mode)} (${facts.owner}:${facts.group})`);
}

export function judgeSocket(
  path: string,
  facts: FileFacts | undefined,
  wanted: { readonly mode: number; readonly group: string | undefined },
  listening: boolean,
): Verdict {
  const start = 'systemctl enable --now saxctl-webridge.socket';
  if (new TextEncoder().encode(path).length > 107)
    return problem(
      `${path} is longer than the 107 bytes that a UNIX socket may have`,
      '# saxctl.toml\n[webridge]\nsocket = "/run/saxctl/say.sock"',
    );
  if (facts === undefined) return problem(`${path} does not exist: nobody listens`, start);
  if (facts.kind !== 'socket') return problem(`${path} is no socket`, `rm ${path}\n${start}`);
  if (!listening) return problem(`${path} is a leftover: nobody listens`, start);
  if ((facts.mode & 0o777) !== wanted.mode)
    return warning(
      `${path} has mode ${octal(facts.mode)}, configured is ${octal(wanted.mode)}`,
      `chmod ${octal(wanted.mode)} ${path}`,
    );
  if (wanted.group !== undefined && facts.group !== wanted.group)
    return problem(
      `${path} belongs to the group ${facts.group}, configured is ${wanted.group}`,
      `chgrp ${wanted.group} ${path}`,
    );
  if ((facts.mode & 0o002) !== 0)
    return warning(
      `${path} has mode ${octal(facts.mode)}: every account of this machine may announce`,
      `chmod o-w ${path}`,
    );
  return ok(`${path} listens, mode ${octal(facts.mode)} (${facts.owner}:${facts.group})`);
}

/** net.unix.max_dgram_qlen: the kernel queues that many datagrams and one more. */
export function judgeQueueLength(length: number | undefined): Verdict {
  if (length === undefined) return skipped('net.unix.max_dgram_qlen cannot be read');
  if (length >= 128) return ok(`the kernel queues ${length} announcements`);
  return warning(
    `the kernel queues ${length} announcements: more at once are refused while webridge is busy or down`,
    'echo net.unix.max_dgram_qlen=512 > /etc/sysctl.d/60-saxctl.conf && sysctl --system\n# then: systemctl restart saxctl-webridge.socket (the length is taken over when the socket is made)',
  );
}

export function judgeSpool(path: string | undefined, facts: FileFacts | undefined): Verdict {
  if (path === undefined)
    return warning(
      'no spool: what the site says while the queue is full or nobody listens is lost',
      '# saxctl.toml, and the same path in saxsay.php\n[webridge]\nspool = "/var/spool/saxctl"',
    );
  const repair = `install -d -m 2770 -o saxctl -g www-data ${path}`;
  if (facts?.kind !== 'directory') return problem(`${path} is no directory`, repair);
  if ((facts.mode & 0o002) !== 0)
    return problem(`${path} has mode ${octal(facts.mode)}: everybody may announce`, repair);
  return ok(`${path} has mode ${octal(facts.mode)} (${facts.owner}:${facts.group})`);
}

export function judgeStateDirectory(
  path: string,
  facts: FileFacts | undefined,
  free: { readonly bytes: number; readonly files: number } | undefined,
  writable: boolean,
): Verdict {
  const repair = `install -d -m 0700 -o saxctl -g saxctl ${path}`;
  if (facts?.kind !== 'directory') return problem(`${path} is no directory: outboxes cannot be kept`, repair);
  if (!writable)
    return problem(
      `${path} cannot be written by this account`,
      `chown saxctl ${path}   # or run doctor as the account of the services`,
    );
  if ((facts.mode & 0o022) !== 0)
    return problem(`${path} has mode ${octal(facts.mode)}: others can change outboxes`, `chmod go-w ${path}`);
  if (free !== undefined && (free.bytes < 50_000_000 || free.files < 100))
    return problem(
      `${path} has ${(free.bytes / 1e6).toFixed(0)} MB and ${free.files} files left`,
      `df -h ${path}; df -i ${path}`,
    );
  return ok(
    `${path} has mode ${octal(facts.mode)}${free === undefined ? '' : `, ${(free.bytes / 1e9).toFixed(1)} GB free`}`,
  );
}

/** @param profiles the text of /sys/kernel/security/apparmor/profiles; undefined when there is none. */
export function judgeAppArmor(profiles: string | undefined): Verdict {
  const mode = /ejabberdctl[^\n]*\((enforce|complain)\)/.exec(profiles ?? '')?.[1];
  if (mode !== 'enforce')
    return ok(mode === undefined ? 'no AppArmor profile holds ejabberd' : 'ejabberd’s AppArmor profile only complains');
  return problem(
    'AppArmor enforces ejabberd’s profile, which does not know Node: saxctl auth cannot start',
    'printf "%s\\n" "/usr/bin/node Ux," "/usr/bin/saxctl Ux," >> /etc/apparmor.d/local/usr.sbin.ejabberdctl && apparmor_parser -r /etc/apparmor.d/usr.sbin.ejabberdctl',
  );
}

/** @param sockets lines of /proc/net/tcp and tcp6 that listen, as `address:port`. */
export function judgeDistribution(
  listening: readonly { readonly address: string; readonly port: number; readonly program: string }[],
): Verdict {
  const open = listening.filter(({ address }) => address === '0.0.0.0' || address === '::');
  const epmd = open.filter(({ port, program }) => port === 4369 || program === 'epmd');
  if (epmd.length === 0) return ok('Erlang’s port mapper is not open to the network');
  return warning(
    'Erlang’s port mapper (epmd, 4369) listens on all addresses: with the cookie anybody runs anything',
    '# /etc/default/ejabberd or ejabberdctl.cfg\nINET_DIST_INTERFACE=127.0.0.1\nERL_DIST_PORT=5210\n# and: systemctl disable --now epmd.socket epmd.service',
  );
}
