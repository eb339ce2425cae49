import { type ExitCode, SaxError } from './errors.ts';

/** A server said no with a defined word (RFC 6120 section 8.3.3, an IRC numeric): callers decide by the word. */
export class Refusal extends SaxError {
  override name = 'Refusal';
  readonly condition: string;

  constructor(exit: ExitCode, condition: string, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(exit, message, options);
    this.condition = condition;
  }
}
