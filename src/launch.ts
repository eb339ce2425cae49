import { createRequire } from 'node:module';
import { claimStdout, servesAnswers } from './edges/stdio/claim.ts';

/** The first code that runs: must parse on any Node that knows ES modules (12 and later). */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `saxctl needs Node 20.19 or newer, this is ${process.versions.node} (${process.execPath}); install nodejs from your distribution or nodejs.org\n`,
  );
  process.exitCode = 78;
} else {
  // Before anything else is loaded: ejabberd reads what is written to fd 1 as answers.
  const argv = process.argv.slice(2);
  const gate = servesAnswers(argv);
  if (gate) claimStdout();
  // A variable keeps the bundler from pulling main into the launcher.
  const main = './main.js';
  const runMain = (): Promise<void> => import(main).then((module: typeof import('./main.ts')) => module.run());
  const load = createRequire(import.meta.url) as (file: string) => typeof import('./gate.ts');
  const gated = gate ? load('./gate.cjs').runGate(argv) : Promise.resolve(false);
  void gated.then((done) => (done ? undefined : runMain()));
}
