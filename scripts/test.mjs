// Everything that must hold, one step after the other with its time, and one plain line at the end: N passed, N failed.
// Called by npm test (scripts/bootstrap.mjs); arguments go to vitest's integration and e2e runs as filters.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const bin = (name) => join('node_modules', '.bin', name);
const scratch = mkdtempSync(join(tmpdir(), 'saxctl-test-'));
const env = { ...process.env, FORCE_COLOR: process.env['FORCE_COLOR'] ?? (process.stdout.isTTY ? '1' : '0') };
// Parsing a CA bundle at the start of each child costs more than the child (Node 20). Who asks a registry takes it from the other name.
if (env['NODE_EXTRA_CA_CERTS'] !== undefined) env['TEST_EXTRA_CA_CERTS'] = env['NODE_EXTRA_CA_CERTS'];
delete env['NODE_EXTRA_CA_CERTS'];

const CHECKS = [
  ['format and lint', bin('biome'), ['check', '--diagnostic-level=error', '.']],
  ['types', bin('tsc'), []],
  ['unused code', bin('knip'), []],
];
/** The tests with real servers in one run, so that no file waits for the last one of the other suite. */
const SUITES = [['unit'], ['integration', 'e2e']];

let passed = 0;
let failed = 0;
let skipped = 0;
const summary = [];
const filters = process.argv.slice(2);
let child;
let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    stopping = true;
    child?.kill('SIGTERM');
  });
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

if (filters.length === 0)
  for (const [name, command, args] of CHECKS) {
    const { code, seconds } = await run(name, command, args);
    if (code === 0) passed += 1;
    else failed += 1;
    summary.push(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
    if (stopping) break;
  }

for (const projects of stopping ? [] : SUITES) {
  const suite = projects.join(' and ');
  const report = join(scratch, `${projects[0]}.json`);
  const { code, seconds } = await run(`${suite} tests`, bin('vitest'), [
    'run',
    ...projects.map((project) => `--project=${project}`),
    '--passWithNoTests',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...filters,
  ]);
  const result = readReport(report);
  passed += result.passed;
  skipped += result.skipped;
  // A suite that could not even be loaded, or an error outside of any test, is a failure as well.
  const broken = code !== 0 && result.failed === 0 ? 1 : 0;
  failed += result.failed + broken;
  const verdict = `${result.passed} passed, ${result.failed + broken} failed${result.skipped ? `, ${result.skipped} skipped` : ''}`;
  summary.push(`${code === 0 ? 'ok    ' : 'FAILED'} ${suite} tests: ${verdict} (${seconds} s)`);
  if (stopping) break;
}

console.log(`\n${summary.join('\n')}`);
if (stopping) console.log('interrupted');
if (skipped > 0 && filters.length === 0) {
  // Anybody else cannot give files to others, nor start a systemd with control groups of its own (test/helpers/namespace.ts).
  const isRoot = process.getuid?.() === 0;
  console.log(`${skipped} skipped: ${isRoot ? 'counted as failed, nothing may be skipped' : 'only root can run them'}`);
  if (isRoot) failed += skipped;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = stopping ? 130 : failed === 0 ? 0 : 1;

function run(name, command, args) {
  console.log(`\n== ${name}`);
  const began = performance.now();
  return new Promise((resolve) => {
    const finish = (code) => resolve({ code, seconds: ((performance.now() - began) / 1000).toFixed(1) });
    child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env });
    child.once('error', (error) => {
      console.log(error.message);
      finish(1);
    });
    child.once('exit', (code) => finish(code ?? 1));
  });
}

function readReport(file) {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(file, 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests };
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
}
