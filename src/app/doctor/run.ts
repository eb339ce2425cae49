import type { GroupName } from '../../core/doctor/catalogue.ts';
import type { Finding } from '../../core/doctor/verdict.ts';
import { configGroup } from './config.ts';
import { databaseGroup } from './database.ts';
import { ejabberdGroup } from './ejabberd.ts';
import { clockGroup, ircGroup, socketGroup, versionsGroup, webGroup } from './machine.ts';
import { authGroup, roomGroup } from './room.ts';
import { type Bot, checker, type Group, type Progress, type Shared, type World } from './world.ts';

/** In the order of dependence: later groups use what earlier ones found out. */
const GROUPS: ReadonlyMap<GroupName, Group> = new Map([
  ['config', configGroup],
  ['database', databaseGroup],
  ['ejabberd', ejabberdGroup],
  ['auth', authGroup],
  ['room', roomGroup],
  ['socket', socketGroup],
  ['irc', ircGroup],
  ['web', webGroup],
  ['clock', clockGroup],
  ['versions', versionsGroup],
]);

/** Groups that must run for another one to have something to stand on; their own findings are then not shown. */
const NEEDS: Partial<Readonly<Record<GroupName, readonly GroupName[]>>> = {
  room: ['auth'],
  clock: ['database'],
  versions: ['database'],
};

/** Walks the groups (all, or those named) and yields each finding as it is made. */
export async function* examine(
  world: World,
  wanted: readonly GroupName[],
  progress: Progress,
  redact: (text: string) => string,
): AsyncGenerator<Finding> {
  let status: ReturnType<World['ctl']> | undefined;
  const shared: Shared = {
    world,
    bots: botsOf(world),
    yml: undefined,
    status: () => {
      status ??= world.ctl('status');
      return status;
    },
    databaseWorks: false,
    session: undefined,
  };
  const shown = new Set(wanted.length === 0 ? GROUPS.keys() : wanted);
  const run = new Set([...shown].flatMap((name) => [name, ...(NEEDS[name] ?? [])]));
  try {
    for (const [name, group] of GROUPS) {
      if (!run.has(name)) continue;
      for await (const finding of group(shared, checker(name, progress, redact))) if (shown.has(name)) yield finding;
    }
  } finally {
    await shared.session?.close();
    await world.close();
  }
}

function botsOf({ loaded }: World): Bot[] {
  return (['webridge', 'ircbridge', 'guard'] as const).flatMap((section) => {
    const { jid } = loaded.config[section];
    const password = readable(() => loaded.config[section].password);
    return jid === undefined || password === undefined ? [] : [{ section, jid, password }];
  });
}

/** A secret whose file cannot be read is the business of the group config. */
function readable(read: () => string | undefined): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
