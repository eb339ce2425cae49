import { explain } from '../../app/auth-explain.ts';
import { systemClock } from '../../clock.ts';
import { describeVerdict } from '../../core/auth-verdict.ts';
import { EXIT, type ExitCode, SaxError } from '../../core/errors.ts';
import { printable } from '../../core/escape.ts';
import { readSecret } from '../../edges/stdio/secret.ts';
import type { Context } from '../command.ts';
import { authorityOf, silent } from './authority.ts';

/** `auth --check USER`: exit 0 allowed, 77 refused, 69 when the database does not answer. */
export async function check(context: Context, user: string, json: boolean): Promise<ExitCode> {
  const { io } = context;
  const loaded = await context.loadConfig();
  const secret = await readSecret(io.stdin, io.stderr, `Session id, token or password of ${printable(user)}: `);
  if (secret.length === 0)
    throw new SaxError(EXIT.data, 'auth --check: the secret is empty', { hint: 'give it on stdin' });
  const authority = authorityOf(loaded, { clock: systemClock, log: silent });
  try {
    const { localpart, steps, verdict } = await explain(authority, user, secret, loaded.config.auth.timeout_ms);
    if (!verdict.allowed && verdict.reason === 'unavailable') {
      // Says what is wrong, with the right exit code, instead of a refusal.
      await authority.rules(loaded.config.auth.timeout_ms);
      throw new SaxError(EXIT.unavailable, verdict.detail ?? 'the forum’s database does not answer');
    }
    const sentence = describeVerdict(verdict, systemClock.now() / 1000);
    if (json) {
      const { allowed, ...rest } = verdict;
      const expires = verdict.allowed && verdict.expires === Number.POSITIVE_INFINITY ? { expires: null } : {};
      io.stdout.write(
        `${JSON.stringify({ allowed, user, localpart, ...rest, ...expires, message: sentence, steps })}\n`,
      );
    } else {
      const width = Math.max(...steps.map(({ rule }) => rule.length));
      for (const { rule, ok, found } of steps)
        io.stdout.write(`${ok === false ? 'no ' : 'ok '} ${rule.padEnd(width)}  ${printable(found)}\n`);
      io.stdout.write(`${printable(sentence, 1000)}\n`);
    }
    return verdict.allowed ? EXIT.done : EXIT.refused;
  } finally {
    authority.close();
  }
}
