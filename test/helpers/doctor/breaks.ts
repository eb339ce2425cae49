import { chmodSync } from 'node:fs';
import { ownNamespace } from '../namespace.ts';
import { PROGRAM } from '../stack.ts';
import { replaceCertificate } from './certificate.ts';
import { type Break, type DoctorSite, edited } from './site.ts';

/** A mode that is wrong; doctor's own `chmod` mends it. */
export const chmodded =
  (pathOf: (site: DoctorSite) => string, mode: number): Break =>
  async (site) => {
    chmodSync(pathOf(site), mode);
    return (said) => site.paste(said?.repair);
  };

/** Statements as the database's administrator; doctor's own SQL, or what is given, mends it. */
export const sql =
  (statements: readonly string[], mend?: readonly string[]): Break =>
  async ({ stack }) => {
    for (const statement of statements) await stack.sql(statement);
    return async (said) => {
      const pasted = (said?.repair ?? '').replaceAll(/^--.*$/gm, '').split(';');
      for (const statement of mend ?? pasted) if (statement.trim() !== '') await stack.sql(statement);
    };
  };

/** nginx started anew with another configuration. */
export const nginx =
  (change: (text: string) => string): Break =>
  async ({ nginxConf, stack }) => {
    const undo = edited(nginxConf, change);
    await stack.nginx.restart();
    return async () => {
      undo();
      await stack.nginx.restart();
    };
  };

export const certificate =
  (server: 'nginx' | 'irc1', what: Parameters<typeof replaceCertificate>[1]): Break =>
  async ({ stack }) => {
    const undo = replaceCertificate(stack.directory, what);
    await stack[server].restart();
    return async () => {
      undo();
      await stack[server].restart();
    };
  };

/** In a mount namespace whose list of AppArmor's profiles is ours: no kernel here enforces one. */
export const apparmor = (mode: string): readonly string[] => [
  ...ownNamespace('mount'),
  ...['sh', '-ec'],
  `mount -t tmpfs none /sys/kernel/security && mkdir /sys/kernel/security/apparmor
   echo '/usr/sbin/ejabberdctl (${mode})' > /sys/kernel/security/apparmor/profiles
   exec "$@"`,
  ...['sh', process.execPath, PROGRAM],
];

/** In a network namespace of its own, where the kernel's settings and a port mapper hurt nobody. */
export const ownNetwork = (before: string, behind = ''): readonly string[] => [
  ...ownNamespace('network'),
  ...['sh', '-ec'],
  `${before}\n"$@" || code=$?\n${behind}\nexit \${code:-0}`,
  ...['sh', process.execPath, PROGRAM],
];
export const epmd = (address: string): readonly string[] =>
  ownNetwork(
    `ip link set lo up; epmd ${address} & until grep -q ':1111 .* 0A ' /proc/net/tcp; do sleep 0.02; done`,
    'kill $!',
  );
