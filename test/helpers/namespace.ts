/** Only root may give files to others, or start a systemd with control groups of its own: tests of that are left out for anybody else. */
export const isRoot = process.getuid?.() === 0;

/**
 * The beginning of a command line: what follows runs in a mount or network namespace of its own. Root makes one plainly, also in a
 * chroot, where the kernel refuses user namespaces; anybody else is root in a user namespace of his own.
 */
export function ownNamespace(kind: 'mount' | 'network'): readonly [string, string] {
  return ['unshare', `-${isRoot ? '' : 'r'}${kind === 'mount' ? 'm' : 'n'}`];
}
