import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROGRAM } from '../helpers/stack.ts';

describe('saxctl widget', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'saxctl-widget-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  function widget(args: readonly string[], env: Record<string, string> = {}) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'widget', ...args], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...env },
    });
    return { status, stdout, stderr };
  }

  it('writes the files, prints the tags, and is content to find them there', () => {
    const out = join(directory, 'a', 'b');
    const env = {
      SAXCTL_XMPP_DOMAIN: 'chat.example.org',
      SAXCTL_WEBRIDGE_JID: 'board@chat.example.org',
      SAXCTL_WEBRIDGE_SNAPSHOT: '/var/lib/saxctl/last.json',
    };
    const first = widget([out], env);
    expect(first.status).toBe(0);
    const integrity = /integrity="sha384-([^"]+)"/.exec(first.stdout)?.[1];
    const script = readdirSync(out).find((name) => /^sax-chat\.[0-9a-f]{12}\.js$/.test(name)) ?? '';
    expect(
      createHash('sha384')
        .update(readFileSync(join(out, script)))
        .digest('base64'),
    ).toBe(integrity);
    expect(first.stdout).toContain(`src="/chat/widget/${script}"`);
    expect(first.stdout).toContain('room="sax@conference.chat.example.org"');
    expect(first.stdout).toContain('snapshot="/chat/snapshot/last.json"');
    expect(first.stdout).toContain('bots="board"');
    expect(readdirSync(out).sort()).toEqual(['index.html', script, `${script}.map`]);
    expect(widget([out], env)).toMatchObject({ status: 0, stdout: first.stdout });
  });

  it('does not replace what somebody has changed, unless told to', () => {
    const out = join(directory, 'c');
    widget([out]);
    writeFileSync(join(out, 'index.html'), 'mine');
    const refused = widget([out]);
    expect(refused.status).toBe(73);
    expect(refused.stderr).toContain('index.html');
    expect(readFileSync(join(out, 'index.html'), 'utf8')).toBe('mine');
    expect(widget([out, '--force', '--json']).status).toBe(0);
    expect(readFileSync(join(out, 'index.html'), 'utf8')).toContain('<sax-chat');
  });

  it('says what it cannot do', () => {
    expect(widget([]).status).toBe(64);
    writeFileSync(join(directory, 'file'), '');
    expect(widget([join(directory, 'file', 'x')]).status).toBe(73);
  });
});
