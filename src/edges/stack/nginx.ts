import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChatSite, nginxSite } from '../../core/nginx-config.ts';
import { createDaemon } from './daemon.ts';
import type { HeldPort } from './ports.ts';
import { probeConnection } from './probe.ts';
import { requireProgram } from './programs.ts';
import { createProxy } from './proxy.ts';
import { createStackServer, type StackServer } from './server.ts';

/** Prepares an nginx as one process without master and without root's directories; it is not running yet. */
export async function createNginx(
  directory: string,
  ports: { direct: HeldPort; proxy: HeldPort },
  site: Omit<ChatSite, 'listen'>,
): Promise<StackServer> {
  const home = join(directory, 'nginx');
  await mkdir(join(home, 'temp'), { recursive: true, mode: 0o700 });
  const conf = join(home, 'nginx.conf');
  const listen = [`127.0.0.1:${ports.direct.port}${site.tls === undefined ? '' : ' ssl http2'}`];
  await writeFile(conf, nginxConf(home, nginxSite({ ...site, listen })), { mode: 0o600 });
  const logFile = join(home, 'console.log');
  const daemon = createDaemon({
    name: 'nginx',
    command: requireProgram('nginx'),
    args: ['-c', conf, '-p', home, '-e', join(home, 'error.log')],
    directory,
    cwd: home,
    logFile,
    probe: () => probeConnection({ host: '127.0.0.1', port: ports.direct.port }),
    readyWithinMs: 15_000,
  });
  return createStackServer('nginx', daemon, {
    proxies: [createProxy(ports.proxy.port, { host: '127.0.0.1', port: ports.direct.port })],
    directPort: ports.direct.port,
    logFiles: [join(home, 'error.log'), logFile],
  });
}

function nginxConf(home: string, site: string): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `daemon off;
# One process: workers would outlive a killed master.
master_process off;
${process.getuid?.() === 0 ? 'user root;\n' : ''}pid ${home}/nginx.pid;
worker_rlimit_nofile 4096;
events { worker_connections 2048; }
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log ${home}/access.log;
${paths.map((name) => `  ${name}_temp_path ${home}/temp/${name};`).join('\n')}
${site}}
`;
}
