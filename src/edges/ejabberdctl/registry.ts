import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { NickOutcome, NickRegistry } from '../../app/ports/nicks.ts';
import { EXIT, SaxError } from '../../core/errors.ts';
import { printable } from '../../core/escape.ts';
import { splitWords } from '../../core/words.ts';
import { type CallForm, chooseForm } from './call-form.ts';

export type CtlRegistryOptions = {
  /** A path, or a command with arguments. */
  readonly ctl: string;
  readonly domain: string;
  readonly mucService: string;
  readonly signal?: AbortSignal;
  /** One call may take this long, milliseconds. */
  readonly timeoutMs?: number;
};

type Said = { readonly code: number | undefined; readonly text: string; readonly late?: true };

/** Each call boots an Erlang machine, which takes a name for itself; two at once can take the same one. */
const NAME_CLASH = /in use by another Erlang node/i;
const NODE_DOWN = /nodedown|Failed RPC connection|not[_ ]started/i;
const CLASH_RETRIES = 5;

/**
 * Nicknames by ejabberdctl, one process per call: half a second of CPU each, whatever the language, so this is for small
 * sites and for those without mod_http_api. Works in any locale: ejabberdctl reads its arguments in that of its environment.
 */
export function openCtlRegistry(options: CtlRegistryOptions): NickRegistry {
  const [program, ...prefix] = wordsOf(options.ctl);
  let form: Promise<CallForm> | undefined;

  const call = async (args: readonly string[]): Promise<Said> => {
    for (let round = 0; ; round++) {
      const said = await runOnce(program, [...prefix, ...args], options);
      if (!NAME_CLASH.test(said.text) || round >= CLASH_RETRIES) return said;
      await sleep(50 * (round + 1));
    }
  };

  /** Asked once per run: the arguments changed in 20.01 and in 24.12. A failure is not remembered. */
  const formOf = (): Promise<CallForm> => {
    form ??= call(['help', 'muc_register_nick']).then(({ code, text }) => {
      if (code === 3 || NODE_DOWN.test(text)) throw new Away(tellingLine(text));
      return chooseForm(text);
    });
    form.catch(() => {
      form = undefined;
    });
    return form;
  };

  const outcome = async (
    command: 'register' | 'unregister',
    localpart: string,
    nick?: string,
  ): Promise<NickOutcome> => {
    try {
      const args = (await formOf())[command]({ localpart, nick: nick ?? '', ...options });
      return readOutcome(await call(args));
    } catch (error) {
      if (error instanceof Away) return { kind: 'away', reason: error.message };
      throw error;
    }
  };

  return {
    concurrency: Math.max(2, availableParallelism()),
    register: (nick, localpart) => outcome('register', localpart, nick),
    unregister: (localpart) => outcome('unregister', localpart),
    async owners() {
      const said = await call(['muc_get_registered_nicks', options.mucService]).catch(() => undefined);
      if (said?.code !== 0) return undefined;
      const rows = said.text.split('\n').map((line) => line.split('\t'));
      return new Map(rows.flatMap(([user, host, nick]) => (nick === undefined ? [] : [[nick, `${user}@${host}`]])));
    },
    close: () => {},
  };
}

class Away extends Error {}

function wordsOf(ctl: string): readonly [string, ...string[]] {
  try {
    return splitWords(ctl);
  } catch (cause) {
    throw new SaxError(EXIT.config, `[ejabberd] ctl: ${JSON.stringify(ctl)} is not ${(cause as Error).message}`, {
      cause,
    });
  }
}

async function runOnce(program: string, args: readonly string[], options: CtlRegistryOptions): Promise<Said> {
  const result = await execa(program, args, {
    // Cron has LC_ALL=C, and ejabberdctl then registers question marks with exit 0. LANGUAGE and LC_CTYPE give way to LC_ALL.
    env: { LC_ALL: 'C.UTF-8' },
    reject: false,
    all: true,
    stdin: 'ignore',
    timeout: options.timeoutMs ?? 60_000,
    maxBuffer: 64_000_000,
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  if (result.isCanceled) throw options.signal?.reason ?? new Error('stopped');
  const failure = (result as { code?: string }).code;
  if (failure === 'ENOENT' || failure === 'EACCES')
    throw new SaxError(EXIT.config, `[ejabberd] ctl: cannot run ${JSON.stringify(printable(program))} (${failure})`, {
      hint: 'name the path of ejabberdctl, or set [ejabberd] via = "http"',
    });
  if (result.timedOut)
    return { code: undefined, text: `no answer within ${(options.timeoutMs ?? 60_000) / 1000} s`, late: true };
  return { code: result.exitCode, text: result.all ?? '' };
}

/** ejabberdctl says its errors on stdout; success is exit 0 and silence. */
function readOutcome({ code, text, late }: Said): NickOutcome {
  if (code === 0) return { kind: 'done' };
  const reason = tellingLine(text) || `ejabberdctl ended with ${code ?? 'a signal'}`;
  if (/Nick already registered/i.test(text)) return { kind: 'taken' };
  if (code === 3 || NODE_DOWN.test(text)) return { kind: 'away', reason };
  if (code === 7 || /can only be run by root or the user/.test(text))
    throw new SaxError(EXIT.refused, `ejabberdctl: ${reason}`, { hint: 'run as root or as the user of ejabberd' });
  if (/Invalid '?jid|Invalid '?nick/i.test(text)) return { kind: 'refused', reason };
  if (/'service'|Unknown host|host_unknown/i.test(text))
    throw new SaxError(EXIT.config, `ejabberdctl: ${reason}`, { hint: 'check [xmpp] muc_service and domain' });
  if (/unknown command/i.test(text))
    throw new SaxError(EXIT.config, `ejabberdctl: ${reason}`, { hint: 'add mod_muc_admin: {} to ejabberd’s modules' });
  return { kind: 'failed', reason, ...(late ? { silent: true } : {}) };
}

/** What a person reads of several lines: the one that says the error, else the first. */
function tellingLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  const telling =
    lines.find((line) => /error|fail|invalid|denied|cannot/i.test(line)) ?? lines.find((line) => line !== '');
  return printable(telling ?? '', 300);
}
