import type { CommandModule } from './command.ts';

type Entry = {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<{ command: CommandModule }>;
};

/** Every command in the order of the help, loaded only when it is named: `say` never parses what `ircbridge` needs. */
export const COMMANDS: readonly Entry[] = [
  {
    name: 'demo',
    summary: 'run the whole system, private and throw-away, on this machine',
    load: () => import('./demo.ts'),
  },
  { name: 'say', summary: 'announce something in the room', load: () => import('./say.ts') },
  { name: 'history', summary: 'read what was said in the room', load: () => import('./history.ts') },
  { name: 'doctor', summary: 'check the live system and say what to change', load: () => import('./doctor.ts') },
  {
    name: 'init',
    summary: 'write a commented configuration and the parts of other servers',
    load: () => import('./init.ts'),
  },
  {
    name: 'sync-nicks',
    summary: 'register every member’s username as a nickname',
    load: () => import('./sync-nicks.ts'),
  },
  { name: 'auth', summary: 'ejabberd’s external authentication on stdin and stdout', load: () => import('./auth.ts') },
  { name: 'webridge', summary: 'say the site’s announcements in the room', load: () => import('./webridge.ts') },
  { name: 'ircbridge', summary: 'relay between the room and an IRC channel', load: () => import('./ircbridge.ts') },
  { name: 'guard', summary: 'let nobody look like a member in the room', load: () => import('./guard.ts') },
  { name: 'widget', summary: 'write the chat widget’s files for the web server', load: () => import('./widget.ts') },
  { name: 'config', summary: 'show or check the effective configuration', load: () => import('./config.ts') },
  { name: 'completion', summary: 'print shell completions', load: () => import('./completion.ts') },
];
