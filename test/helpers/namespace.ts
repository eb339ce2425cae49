/**
 * The beginning of a command line: what follows runs in a mount or network namespace of its own. Root makes one plainly, also in a
 * chroot, where the kernel refuses user namespaces; anybody else is root in a user namespace of his own.
 */
export function ownNamespace(kind: 'mount' | 'network'): readonly [string, string] {
  return ['unshare', `-${process.getuid?.() === 0 ? '' : 'r'}${kind === 'mount' ? 'm' : 'n'}`];
}
