import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openCtlRegistry } from '../../../../src/edges/ejabberdctl/registry.ts';

const HELP = {
  '18.04': 'Command Name: muc_register_nick\n\nArguments: nick::binary\n  jid::binary\n  serverhost::binary\n',
  '19.02': 'Arguments: nick::binary\n  jid::binary\n  host::binary\n',
  '20.01': 'Arguments: nick::binary\n  jid::binary\n  service::binary\n',
  '24.12': 'Arguments: nick::binary\n  user::binary\n  host::binary\n  service::binary\n',
};

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'saxctl-ctl-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** An ejabberdctl that writes down how it is called and then does `script`. */
function fakeCtl(script: string, help: string = HELP['20.01']): string {
  const path = join(directory, 'ejabberd ctl');
  writeFileSync(join(directory, 'help'), help);
  writeFileSync(
    path,
    `#!/bin/sh
for word in "$@"; do printf '%s|' "$word"; done >> ${directory}/calls; echo "$LC_ALL" >> ${directory}/calls
case " $* " in *" help "*) cat ${directory}/help; exit 0;; esac
${script}
`,
  );
  chmodSync(path, 0o755);
  return path;
}

const calls = (): string[] => readFileSync(join(directory, 'calls'), 'utf8').trim().split('\n');
const open = (path: string, more = '') =>
  openCtlRegistry({ ctl: `'${path}' ${more}`, domain: 'chat.test', mucService: 'conference.chat.test' });

describe('ejabberdctl', () => {
  test('tells who owns the nicknames, from 25.10 on', async () => {
    const registry = open(fakeCtl("printf 'bob\\\\20smith\\tchat.test\\tBob Smith\\n'"));
    expect(await registry.owners()).toEqual(new Map([['Bob Smith', 'bob\\20smith@chat.test']]));
    expect(await open(fakeCtl('echo "Error: unknown command"; exit 1')).owners()).toBeUndefined();
  });

  test.each([
    [
      '18.04',
      'muc_register_nick|Жук $x|bob\\20s@chat.test|chat.test|',
      'muc_unregister_nick|bob\\20s@chat.test|chat.test|',
    ],
    [
      '19.02',
      'muc_register_nick|Жук $x|bob\\20s@chat.test|chat.test|',
      'muc_unregister_nick|bob\\20s@chat.test|chat.test|',
    ],
    [
      '20.01',
      '--version|2|muc_register_nick|Жук $x|bob\\20s@chat.test|conference.chat.test|',
      '--version|2|muc_unregister_nick|bob\\20s@chat.test|conference.chat.test|',
    ],
    [
      '24.12',
      '--version|2|muc_register_nick|Жук $x|bob\\20s@chat.test|conference.chat.test|',
      '--version|2|muc_unregister_nick|bob\\20s@chat.test|conference.chat.test|',
    ],
  ] as const)('of %s is called its way, asked once, in a UTF-8 locale', async (version, register, unregister) => {
    const registry = open(fakeCtl('exit 0', HELP[version]), '--node "a b"');
    expect(await registry.register('Жук $x', 'bob\\20s')).toEqual({ kind: 'done' });
    expect(await registry.unregister('bob\\20s')).toEqual({ kind: 'done' });
    expect(calls()).toEqual([
      '--node|a b|help|muc_register_nick|C.UTF-8',
      `--node|a b|${register}C.UTF-8`,
      `--node|a b|${unregister}C.UTF-8`,
    ]);
  });

  test.each([
    [`echo '{error,"Nick already registered"}'; exit 1`, { kind: 'taken' }],
    [`echo "{error,\\"Invalid 'jid'\\"}"; exit 1`, { kind: 'refused', reason: `{error,"Invalid 'jid'"}` }],
    ['echo boom >&2; exit 1', { kind: 'failed', reason: 'boom' }],
    [
      'echo "Failed RPC connection to the node x: nodedown"; echo; echo Commands; exit 3',
      { kind: 'away', reason: 'Failed RPC connection to the node x: nodedown' },
    ],
  ])('%s', async (script, outcome) => {
    expect(await open(fakeCtl(script)).register('n', 'l')).toEqual(outcome);
  });

  test('asks again when two Erlang machines took one name', async () => {
    const script = `if [ ! -e ${directory}/once ]; then touch ${directory}/once
echo "Protocol 'inet_tcp': the name abc-ctl-x@localhost seems to be in use by another Erlang node" >&2; exit 1; fi; exit 0`;
    expect(await open(fakeCtl(script)).register('n', 'l')).toEqual({ kind: 'done' });
    expect(calls()).toHaveLength(3);
  });

  test('what will never work ends the run with a hint', async () => {
    const path = fakeCtl(`echo "ERROR: This command can only be run by root or the user ejabberd" >&2; exit 7`);
    await expect(open(path).register('n', 'l')).rejects.toMatchObject({ exit: 77 });
    writeFileSync(
      path,
      `#!/bin/sh\ncase " $* " in *" help "*) exit 0;; esac\necho "{error,\\"Invalid 'service'\\"}"; exit 1\n`,
    );
    await expect(open(path).register('n', 'l')).rejects.toMatchObject({ exit: 78 });
    const nothing = openCtlRegistry({ ctl: join(directory, 'none'), domain: 'd', mucService: 's' });
    await expect(nothing.register('n', 'l')).rejects.toMatchObject({ exit: 78 });
    expect(() => openCtlRegistry({ ctl: "x 'y", domain: 'd', mucService: 's' })).toThrow('[ejabberd] ctl');
  });

  test('a call that hangs is ended', async () => {
    const registry = openCtlRegistry({
      ctl: `'${fakeCtl('exec sleep 60')}'`,
      domain: 'd',
      mucService: 's',
      timeoutMs: 400,
    });
    expect(await registry.register('n', 'l')).toEqual({
      kind: 'failed',
      reason: 'no answer within 0.4 s',
      silent: true,
    });
  });
});
