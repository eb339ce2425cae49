// npm run demo, npm test: from a fresh clone with nothing but Node and npm, or again: what is missing or stale is made first.
// No dependencies, and no syntax newer than Node 12: an old Node must be able to say that it is too old.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const say = (text) => process.stderr.write(`${text}\n`);

/** Exit codes of src/core/errors.ts. */
const UNAVAILABLE = 69;
const CONFIG = 78;

/** A program that must be there (a library of Erlang with a slash), and Debian's package of it. */
const FOR_DEMO = [
  ['ejabberdctl', 'ejabberd'],
  // Only suggested by ejabberd, which starts without it and has no archive.
  ['erlang/p1_mysql', 'erlang-p1-mysql'],
  ['mariadbd', 'mariadb-server-core'],
  ['mariadb-install-db', 'mariadb-server-core'],
  ['my_print_defaults', 'mariadb-client-core'],
  ['inspircd', 'inspircd'],
];
const FOR_TEST = FOR_DEMO.concat([
  ['ngircd', 'ngircd'],
  ['nginx', 'nginx-light'],
  ['openssl', 'openssl'],
  ['php', 'php-cli'],
  ['chromium', 'chromium'],
  ['bash', 'bash'],
  ['zsh', 'zsh'],
  ['fish', 'fish'],
  ['tmux', 'tmux'],
  ['man', 'man-db'],
  ['less', 'less'],
  ['systemd-analyze', 'systemd'],
  ['ip', 'iproute2'],
]);

const SERVICES = ['ejabberd', 'inspircd', 'ngircd', 'nginx'];
const ERLANG = '/usr/lib/erlang/lib';
const BIN = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    say(`saxctl: ${error instanceof Error ? error.stack : error}`);
    process.exitCode = 70;
  },
);

async function main() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    say(`saxctl needs Node 20.19 or newer, this is ${process.versions.node} (${process.execPath}); see nodejs.org`);
    return CONFIG;
  }
  process.chdir(root);
  const [what, ...rest] = process.argv.slice(2);
  if (what !== 'demo' && what !== 'test') {
    say('usage: node scripts/bootstrap.mjs demo|test [arguments]');
    return 64;
  }
  const packages = installNodePackages();
  if (packages !== 0) return packages;
  const built = build();
  if (built !== 0) return built;
  // Help needs no servers.
  const asksHelp = rest.includes('--help') || rest.includes('-h');
  const debian = asksHelp ? 0 : installDebianPackages(what === 'demo' ? FOR_DEMO : FOR_TEST);
  if (debian !== 0) return debian;
  if (what === 'demo') return runAttached(process.execPath, [join(root, 'bin', 'saxctl.js'), 'demo', ...rest]);
  return runAttached(process.execPath, [join(root, 'scripts', 'test.mjs'), ...rest]);
}

/** `npm ci` when node_modules is not what package-lock.json says. */
function installNodePackages() {
  if (nodePackagesAreFresh()) return 0;
  if (existsSync('node_modules') && lstatSync('node_modules').isSymbolicLink()) {
    say('node_modules is a link and older than package-lock.json: not touched');
    return 0;
  }
  say('installing npm packages (npm ci) …');
  // npm's own path, so that no other npm on PATH is taken; its output is not the command's result.
  const npm = process.env.npm_execpath;
  const run = (args) => {
    const words = args.concat(['--no-audit', '--no-fund', '--loglevel=error']);
    const [command, all] = npm && /\.c?js$/.test(npm) ? [process.execPath, [npm, ...words]] : ['npm', words];
    return spawnSync(command, all, { stdio: ['ignore', 2, 2] }).status;
  };
  if (run(['ci']) === 0) return 0;
  // A registry that does not hold the packages of every platform makes ci doubt the lock file; install goes by it as well.
  say('npm ci refused, trying npm install …');
  if (run(['install', '--no-save']) === 0) return 0;
  say('saxctl: npm could not install the packages; is the registry reachable?');
  return UNAVAILABLE;
}

function nodePackagesAreFresh() {
  try {
    const wanted = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;
    const there = JSON.parse(readFileSync(join('node_modules', '.package-lock.json'), 'utf8')).packages;
    return Object.entries(wanted).every(
      ([path, entry]) => path === '' || entry.optional || (there[path] && there[path].version === entry.version),
    );
  } catch {
    return false;
  }
}

/** Builds dist/ when it was not made of these sources. */
function build() {
  const stampFile = join('dist', '.sources');
  const stamp = sourcesHash();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return 0;
  if (existsSync('dist') && !canWrite('dist')) {
    say('dist/ was made of other sources and is not ours to replace: used as it is');
    return 0;
  }
  say('building …');
  const { status } = spawnSync(process.execPath, [join('scripts', 'build.mjs')], { stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    say('saxctl: the build failed');
    return 70;
  }
  mkdirSync('dist', { recursive: true });
  writeFileSync(stampFile, stamp);
  return 0;
}

function sourcesHash() {
  const hash = createHash('sha256');
  const add = (path) => {
    if (!existsSync(path)) return;
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).sort()) add(join(path, name));
    } else hash.update(path).update('\0').update(readFileSync(path)).update('\0');
  };
  for (const path of ['src', 'widget', 'php', 'share', 'scripts', 'package.json', 'package-lock.json']) add(path);
  // The version line names the commit.
  const { stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { stdio: ['ignore', 'pipe', 'ignore'] });
  return hash.update(String(stdout)).digest('hex');
}

/** Installs what is missing, as root or by sudo without a password; else says in one line what to install. */
function installDebianPackages(programs) {
  const missing = new Set(programs.filter(([name]) => !isInstalled(name)).map(([, name]) => name));
  if (missing.size === 0) return 0;
  const list = [...missing].join(' ');
  const byHand = `apt-get install --no-install-recommends ${list}`;
  if (!existsSync('/usr/bin/apt-get')) {
    say(`saxctl: missing: ${list} (Debian's names of the packages; this system has no apt-get)`);
    return UNAVAILABLE;
  }
  const isRoot = process.getuid() === 0;
  const sudo = !isRoot && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0;
  if (!isRoot && !sudo) {
    say(`saxctl: install what is missing, then try again: sudo ${byHand}`);
    return UNAVAILABLE;
  }
  say(`installing Debian packages: ${list} …`);
  const [command, words] = isRoot
    ? ['sh', ['-c', aptScript(missing)]]
    : ['sudo', ['-n', 'sh', '-c', aptScript(missing)]];
  const { status } = spawnSync(command, words, { stdio: ['ignore', 2, 2] });
  const left = programs.filter(([name]) => !isInstalled(name)).map(([, name]) => name);
  if (status === 0 && left.length === 0) return 0;
  say(`saxctl: could not install ${[...new Set(left)].join(' ')}; try: ${isRoot ? '' : 'sudo '}${byHand}`);
  return UNAVAILABLE;
}

/**
 * apt would start ejabberd and the IRC servers as services of this machine. Debian's switch against that is
 * /usr/sbin/policy-rc.d (exit 101: do not start): put there for the moment unless the machine has its own, and what was
 * newly installed is not started at the next boot either.
 */
function aptScript(missing) {
  const services = SERVICES.filter((name) => [...missing].some((each) => each.startsWith(name)));
  return `
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' INT TERM HUP
  printf '#!/bin/sh\\nexit 101\\n' > "$policy" && chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q || echo 'apt-get update failed; trying with the old lists' >&2
apt-get install -y -q --no-install-recommends ${[...missing].join(' ')} || exit 1
for service in ${services.join(' ')}; do
  if [ -d /run/systemd/system ]; then systemctl disable --quiet "$service" || true; else update-rc.d "$service" disable || true; fi
done
`;
}

function isInstalled(program) {
  const [, library] = program.split('/');
  if (library !== undefined)
    return existsSync(ERLANG) && readdirSync(ERLANG).some((name) => name.startsWith(`${library}-`));
  return BIN.some((directory) => may(join(directory, program), constants.X_OK));
}

function canWrite(path) {
  return may(path, constants.W_OK);
}

function may(path, mode) {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs a command with our terminal and ends with its code. Signals are passed on; when npm or its shell is killed, the
 * command is asked to stop (a SIGKILLed npm tells nobody), and the kernel asks it when we are killed ourselves.
 */
function runAttached(command, args) {
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
  const [program, words] = setpriv ? [setpriv, ['--pdeathsig', 'TERM', command, ...args]] : [command, args];
  const child = spawn(program, words, { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGHUP'])
    process.on(signal, () => child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal));
  // A terminal's Ctrl-C reaches the command as well; our part is not to die before it.
  process.on('SIGINT', () => {});
  const parents = process.env.npm_lifecycle_event ? ancestors() : [];
  const watch = setInterval(() => {
    if (parents.some(({ pid, start }) => startOf(pid) !== start)) child.kill('SIGTERM');
  }, 1000);
  return new Promise((resolve) => {
    const finish = (code) => {
      clearInterval(watch);
      resolve(code);
    };
    child.once('error', (error) => {
      say(`saxctl: ${error.message}`);
      finish(UNAVAILABLE);
    });
    child.once('exit', (code, signal) => finish(code === null ? (signal === 'SIGINT' ? 130 : 143) : code));
  });
}

/** Our parent, and npm above it when the parent is the shell that npm runs scripts with. */
function ancestors() {
  const chain = [process.ppid];
  try {
    if (/^(sh|dash|bash|ash)$/.test(readFileSync(`/proc/${process.ppid}/comm`, 'utf8').trim()))
      chain.push(Number(fieldsOf(process.ppid)[1]));
  } catch {
    // Gone already: the first look of the timer finds out.
  }
  return chain.map((pid) => ({ pid, start: startOf(pid) }));
}

/** The fields of /proc/PID/stat after the name: state, parent, … */
function fieldsOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function startOf(pid) {
  try {
    return fieldsOf(pid)[19];
  } catch {
    return undefined;
  }
}
