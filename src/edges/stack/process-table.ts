import { readdirSync, readFileSync } from 'node:fs';

/** The environment variable that marks every process of a stack with the stack's directory. Not SAXCTL_…: that would be a configuration key. */
export const MARK = 'STACK_OF_SAXCTL';

/** When a process started, in clock ticks since boot (field 22 of /proc/PID/stat); undefined when it does not exist. Tells a pid from its reuse. */
export function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie holds nothing any more and only waits for its parent.
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The processes, of any depth, that carry the mark of this stack's directory in their environment. */
export function processesOf(directory: string): number[] {
  const wanted = `${MARK}=${directory}`;
  const found: number[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const pid = Number(entry);
    if (pid === process.pid) continue;
    try {
      if (readFileSync(`/proc/${entry}/environ`, 'utf8').split('\0').includes(wanted) && startOf(pid) !== undefined)
        found.push(pid);
    } catch {
      // Gone meanwhile, or another user's.
    }
  }
  return found;
}

/** Kills what carries the mark, again and again until nothing is left (a child may be forked between two looks). */
export async function killProcessesOf(directory: string): Promise<void> {
  for (let round = 0; round < 100; round += 1) {
    const left = processesOf(directory);
    if (left.length === 0) return;
    for (const pid of left) signalQuietly(pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, round < 5 ? 10 : 50));
  }
  throw new Error(`processes of ${directory} do not end: ${processesOf(directory).join(', ')}`);
}

export function signalQuietly(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
