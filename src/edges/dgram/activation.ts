/** Descriptors that the supervisor hands over begin here (sd_listen_fds(3)). */
const FIRST = 3;

/** The descriptors of socket activation, [] when there was none or when it was meant for another process. */
export function activatedDescriptors(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): readonly number[] {
  const count = Number(env['LISTEN_FDS'] ?? 0);
  if (!Number.isInteger(count) || count < 1) return [];
  const meant = env['LISTEN_PID'];
  if (meant !== undefined && Number(meant) !== pid) return [];
  return Array.from({ length: count }, (_, index) => FIRST + index);
}
