import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type EjabberdSite, ejabberdYml } from '../../core/ejabberd-config.ts';
import { cached, lookUpCached } from './cache.ts';
import { createDaemon } from './daemon.ts';
import type { HeldPort } from './ports.ts';
import { probeConnection } from './probe.ts';
import { requireProgram } from './programs.ts';
import { createProxy } from './proxy.ts';
import { createStackServer, type StackServer } from './server.ts';

/** The name is the same in every stack: without epmd it is only looked up at our own distribution port. */
const NODE = 'saxctl@localhost';

export type Ejabberd = {
  readonly server: StackServer;
  /** The proxied port of BOSH, WebSocket and API. */
  readonly httpPort: number;
  readonly directHttpPort: number;
  /** A command for `[ejabberd] ctl`. */
  readonly ctl: string;
  /**
   * Starts it for the first time, with the room. The room must have seen an orderly end: what Mnesia learned shortly before
   * a kill -9 is lost. So the first start of all stops once more and is copied from then on.
   */
  begin(room: { name: string; service: string; owner: string }): Promise<void>;
  /** Calls a command of mod_http_api, past the proxy. Rejects with ejabberd's own words. */
  api(command: string, parameters: Readonly<Record<string, unknown>>): Promise<unknown>;
};

export type EjabberdPorts = {
  readonly c2s: HeldPort;
  readonly http: HeldPort;
  readonly distribution: HeldPort;
  readonly c2sProxy: HeldPort;
  readonly httpProxy: HeldPort;
  readonly tls?: HeldPort;
  readonly tlsProxy?: HeldPort;
};

/** Prepares a private ejabberd in `directory`; it is not running yet. */
export async function createEjabberd(
  directory: string,
  ports: EjabberdPorts,
  site: Omit<EjabberdSite, 'c2sPort' | 'httpPort'>,
  /** `pem`: certificate and key, for the port with TLS. `nickModule`: source of mod_sax_nick.erl. */
  { pem, nickModule }: { readonly pem?: string | undefined; readonly nickModule?: string | undefined } = {},
): Promise<Ejabberd> {
  const home = join(directory, 'ejabberd');
  const conf = join(home, 'conf');
  const logs = join(home, 'logs');
  const spool = join(home, 'spool');
  for (const path of [home, conf, logs, spool]) await mkdir(path, { recursive: true, mode: 0o700 });
  const yml = join(conf, 'ejabberd.yml');
  const ownSite: EjabberdSite = {
    ...site,
    c2sPort: ports.c2s.port,
    httpPort: ports.http.port,
    ...(pem === undefined || ports.tls === undefined ? {} : { directTls: { port: ports.tls.port, pem } }),
  };
  await writeFile(yml, `loglevel: info\nlog_rotate_count: 0\n\n${ejabberdYml(ownSite)}`, { mode: 0o600 });
  const distribution = String(ports.distribution.port);
  // For ejabberdctl alone. Without ERL_DIST_PORT it would start a shared epmd on all interfaces. INET_DIST_INTERFACE would make
  // it start a second Erlang VM each time, only to parse the address; the server itself gets its interface below.
  const quick = '+S 1 +sbwt none +sbwtdcpu none +sbwtdio none';
  await writeFile(
    join(conf, 'ejabberdctl.cfg'),
    `ERL_DIST_PORT=${distribution}\nERL_OPTIONS="-env ERL_CRASH_DUMP_BYTES 0 ${quick}"\n`,
  );
  await writeFile(join(conf, 'inetrc'), '{lookup,["file","native"]}.\n{host,{127,0,0,1},["localhost"]}.\n');
  await writeFile(join(home, '.erlang.cookie'), randomBytes(12).toString('hex'), { mode: 0o400 });
  const ctl = await ownEjabberdctl(home);
  const logFile = join(logs, 'console.log');
  const modules = nickModule === undefined ? [] : ['-pa', await compiled(nickModule)];

  const daemon = createDaemon({
    name: 'ejabberd',
    // Not through ejabberdctl: its shell would be what dies with us, and the emulator would live on.
    command: '/usr/bin/erl',
    args: [
      '-sname',
      NODE,
      '+K',
      'true',
      '+P',
      '250000',
      '+sbwt',
      'none',
      '+sbwtdcpu',
      'none',
      '+sbwtdio',
      'none',
      '-kernel',
      'inet_dist_use_interface',
      '{127,0,0,1}',
      '-erl_epmd_port',
      distribution,
      '-start_epmd',
      'false',
      ...modules,
      '-mnesia',
      'dir',
      `"${spool}"`,
      '-ejabberd',
      'log_rotate_count',
      '0',
      '-s',
      'ejabberd',
      '-noinput',
    ],
    directory,
    cwd: spool,
    env: {
      HOME: home,
      EJABBERD_CONFIG_PATH: yml,
      EJABBERD_LOG_PATH: join(logs, 'ejabberd.log'),
      ERL_CRASH_DUMP_BYTES: '0',
      ERL_INETRC: join(conf, 'inetrc'),
      ERL_MAX_PORTS: '32000',
      ERL_MAX_ETS_TABLES: '1400',
      ERL_LIBS: await erlangLibraries(),
      ERL_DIST_PORT: distribution,
    },
    logFile,
    probe: async () => {
      await probeConnection({ host: '127.0.0.1', port: ports.c2s.port }, streamOpening(site.domain));
      await probeHttp(ports.http.port);
    },
    readyWithinMs: 60_000,
  });
  const c2sProxy = createProxy(ports.c2sProxy.port, { host: '127.0.0.1', port: ports.c2s.port });
  const httpProxy = createProxy(ports.httpProxy.port, { host: '127.0.0.1', port: ports.http.port });
  const tlsProxy =
    ports.tls === undefined || ports.tlsProxy === undefined
      ? undefined
      : createProxy(ports.tlsProxy.port, { host: '127.0.0.1', port: ports.tls.port });
  const server = createStackServer('ejabberd', daemon, {
    proxies: tlsProxy === undefined ? [c2sProxy, httpProxy] : [c2sProxy, httpProxy, tlsProxy],
    tlsPort: tlsProxy?.port ?? 0,
    directPort: ports.c2s.port,
    logFiles: [join(logs, 'ejabberd.log'), logFile],
  });
  const api: Ejabberd['api'] = (command, parameters) => callApi(ports.http.port, command, parameters);
  return {
    server,
    async begin({ name, service, owner }) {
      const key = [
        await erlangLibraries(),
        await readFile(requireProgram('ejabberdctl'), 'utf8'),
        name,
        service,
        owner,
        shape(site),
      ];
      const ready = await lookUpCached('ejabberd', key);
      if (ready !== undefined) {
        await cp(ready, spool, { recursive: true });
        await server.start();
        return;
      }
      await server.start();
      await api('create_room_with_opts', {
        name,
        service,
        host: site.domain,
        options: [{ name: 'persistent', value: 'true' }],
      });
      await api('set_room_affiliation', { name, service, jid: owner, affiliation: 'owner' });
      await server.stop();
      await cached('ejabberd', key, (directory) => cp(spool, directory, { recursive: true }));
      await server.start();
    },
    httpPort: httpProxy.port,
    directHttpPort: ports.http.port,
    ctl,
    api,
  };
}

/** A directory with the compiled module. */
async function compiled(source: string): Promise<string> {
  const key = [await readFile(source, 'utf8'), await erlangLibraries()];
  return cached('nick-module', key, async (directory) => {
    await promisify(execFile)('/usr/bin/erlc', ['-o', directory, source]);
  });
}

/** What decides which tables Mnesia has and how the room is made: the configuration without ports and passwords. */
function shape(site: Omit<EjabberdSite, 'c2sPort' | 'httpPort'>): string {
  const sql = { ...site.sql, port: 0, password: '' };
  return ejabberdYml({ ...site, extauthProgram: '', sql, c2sPort: 0, httpPort: 0 });
}

const streamOpening = (domain: string): { send: string; expect: RegExp } => ({
  send: `<?xml version='1.0'?><stream:stream to='${domain}' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>`,
  expect: /<\/stream:features>/,
});

/** Debian's script runs as root or ejabberd only; a copy without that rule runs as whoever we are, with our paths built in. */
async function ownEjabberdctl(home: string): Promise<string> {
  const script = join(home, 'ejabberdctl.debian');
  const original = await readFile(requireProgram('ejabberdctl'), 'utf8');
  await writeFile(script, original.replace(/^INSTALLUSER=.*$/m, 'INSTALLUSER='), { mode: 0o700 });
  const wrapper = join(home, 'ejabberdctl');
  await writeFile(
    wrapper,
    `#!/bin/sh
# The private server's own ejabberdctl. As root the copied script warns that root is not recommended: not here.
export HOME='${home}'
exec '${script}' --node ${NODE} --spool '${home}/spool' --logs '${home}/logs' --config '${home}/conf/ejabberd.yml' \\
  --ctl-config '${home}/conf/ejabberdctl.cfg' --config-dir '${home}/conf' "$@"
`,
  );
  await chmod(wrapper, 0o700);
  return wrapper;
}

/** Where Debian keeps ejabberd's beam files: said by its own ejabberdctl. */
async function erlangLibraries(): Promise<string> {
  const script = await readFile(requireProgram('ejabberdctl'), 'utf8');
  return /^ERL_LIBS='?([^'\n]+)'?$/m.exec(script)?.[1] ?? '/usr/lib/x86_64-linux-gnu';
}

function probeHttp(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const req = request({ host: '127.0.0.1', port, path: '/bosh', timeout: 2000 }, (response) => {
      response.resume();
      if (response.statusCode === 200) resolve();
      else reject(new Error(`/bosh answers ${response.statusCode}`));
    });
    req.on('timeout', () => req.destroy(new Error('/bosh does not answer')));
    req.on('error', reject);
    req.end();
  });
}

function callApi(port: number, command: string, parameters: Readonly<Record<string, unknown>>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify(parameters);
    const req = request(
      {
        host: '127.0.0.1',
        port,
        method: 'POST',
        path: `/api/${command}`,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        timeout: 30_000,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => {
          if (response.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(`ejabberd's ${command} answers ${response.statusCode}: ${text}`));
        });
      },
    );
    req.on('timeout', () => req.destroy(new Error(`ejabberd's ${command} does not answer`)));
    req.on('error', reject);
    req.end(body);
  });
}
