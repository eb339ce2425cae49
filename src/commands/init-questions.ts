import { createInterface } from 'node:readline/promises';
import { EXIT, SaxError } from '../core/errors.ts';
import type { Context } from './command.ts';
import type { Draft } from './init-draft.ts';

/** Asks what was not given, showing what was found; an empty answer takes it. Questions go to stderr. */
export async function askSite({ io, signal }: Context, found: Draft): Promise<Draft> {
  const lines = createInterface({ input: io.stdin, output: io.stderr });
  const gone = new Promise<never>((_, reject) =>
    lines.once('close', () => reject(new Error('the terminal was closed'))),
  );
  gone.catch(() => {});
  const ask = async (question: string, fallback: string): Promise<string> => {
    const answer = lines.question(`${question}${fallback === '' ? '' : ` [${fallback}]`}: `, { signal });
    try {
      return (await Promise.race([answer, gone])).trim() || fallback;
    } catch (cause) {
      // Ctrl-C and Ctrl-D: keys here, not a signal and not a defect.
      io.stderr.write('\n');
      throw new SaxError(EXIT.interrupted, 'interrupted: nothing was written', { cause });
    }
  };
  try {
    const domain = await ask('XMPP domain of the chat', found.domain ?? '');
    const forumConfig = await ask('config.php of the forum', found.forumConfig ?? '');
    const server = await ask('IRC server, ircs://host:port (empty: no IRC)', found.irc[0] ?? '');
    const channel = server === '' ? '' : await ask('IRC channel', found.channel ?? '');
    const guard = await ask('Keep look-alikes of members out (guard), yes or no', found.guard ? 'yes' : 'no');
    return {
      domain: domain || undefined,
      forumConfig: forumConfig || undefined,
      irc: server === '' ? [] : [server, ...found.irc.slice(1)],
      channel: channel || undefined,
      guard: /^y/i.test(guard),
    };
  } finally {
    lines.close();
  }
}
