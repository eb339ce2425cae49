import { EXIT, SaxError } from '../core/errors.ts';
import type { CommandModule } from './command.ts';

export const command: CommandModule = {
  define() {},
  async run() {
    throw new SaxError(EXIT.usage, 'doctor: not built yet');
  },
};
