import vm from 'node:vm';
import { EXIT, SaxError } from '../../core/errors.ts';
import { printable } from '../../core/escape.ts';

/**
 * A regular expression that cannot hang the program: it runs where V8 may interrupt it, since "(a+)+$" on the wrong line
 * would take longer than anybody lives.
 * @param ms for one call, however many texts it gets.
 * @returns which of the texts match; throws a SaxError (exit 64) when the time is over.
 * @throws SaxError (exit 64) for what is no regular expression.
 */
export function boundedTester(
  pattern: string,
  flags: string,
  ms = 2000,
): (texts: readonly string[]) => readonly boolean[] {
  let expression: RegExp;
  try {
    expression = new RegExp(pattern, flags);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^Invalid regular expression: /, '') : '';
    throw new SaxError(EXIT.usage, `not a regular expression: ${printable(why, 200)}`, {
      hint: 'escape signs that are meant literally by a backslash',
      cause: error,
    });
  }
  const context = vm.createContext({ expression, texts: [] as readonly string[] });
  const script = new vm.Script('texts.map((text) => expression.test(text))');
  return (texts) => {
    context['texts'] = texts;
    try {
      return script.runInContext(context, { timeout: ms }) as boolean[];
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      throw new SaxError(EXIT.usage, `the regular expression takes too long: ${printable(pattern)}`, {
        hint: 'avoid repetitions inside repetitions, such as (a+)+',
      });
    }
  };
}
