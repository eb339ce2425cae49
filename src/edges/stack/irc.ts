import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDaemon } from './daemon.ts';
import type { HeldPort } from './ports.ts';
import { probeConnection } from './probe.ts';
import { requireProgram } from './programs.ts';
import { createProxy, type OwnedProxy } from './proxy.ts';
import { createStackServer, type StackServer } from './server.ts';

export type IrcOptions = {
  readonly name: string;
  readonly network: string;
  readonly channel: string;
  /** Password of the oper `root`, for KILL, KLINE and the like. */
  readonly operPassword: string;
  /** No flood protection; else Debian's: a burst of ten lines, then one a second, dead at 8 kB waiting. */
  readonly unlimited: boolean;
  /** Without the modules of IRCv3 and without history, as Debian configures it. */
  readonly bare?: boolean;
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
  /** Another InspIRCd that makes one network with this one. */
  readonly link?: ServerLink | undefined;
};

export type ServerLink = {
  /** Where this one waits for the other, and the other one's name. */
  readonly port: number;
  readonly peer: string;
  /** The port where this one seeks the other, every second; undefined: it only waits. */
  readonly seek: number | undefined;
  readonly password: string;
};

export type IrcPorts = { direct: HeldPort; proxy: HeldPort; tls?: HeldPort; tlsProxy?: HeldPort };

/** A server that closes the connection during the greeting is up as well: only the answer counts. */
const ANSWERS = { send: 'PING probe\r\nQUIT\r\n', expect: /\r?\n/ };

/** Prepares an InspIRCd 3 of its own network; it is not running yet. */
export async function createInspIrcd(directory: string, ports: IrcPorts, options: IrcOptions): Promise<StackServer> {
  const home = join(directory, options.name);
  await mkdir(join(home, 'data'), { recursive: true, mode: 0o700 });
  const conf = join(home, 'inspircd.conf');
  await writeFile(conf, inspircdConf(home, ports, options), { mode: 0o600 });
  const args = ['--nofork', ...(process.getuid?.() === 0 ? ['--runasroot'] : []), `--config=${conf}`];
  return createIrcServer({ directory, home, ports, name: options.name, program: 'inspircd', args, logs: ['ircd.log'] });
}

const MODULES = [
  'cap',
  'ircv3',
  'ircv3_batch',
  'ircv3_capnotify',
  'ircv3_ctctags',
  'ircv3_echomessage',
  'ircv3_labeledresponse',
  'ircv3_msgid',
  'ircv3_servertime',
  'chanhistory',
  'permchannels',
  'namesx',
  'uhnames',
  'monitor',
  'banexception',
  'chanfilter',
  'sajoin',
  'sakick',
  'samode',
  'shun',
];

/** The proxies of a server: the plain port, and the one with TLS where there is one. */
function proxiesOf({ direct, proxy, tls, tlsProxy }: IrcPorts): readonly [OwnedProxy, ...OwnedProxy[]] {
  const plain = createProxy(proxy.port, { host: '127.0.0.1', port: direct.port });
  if (tls === undefined || tlsProxy === undefined) return [plain];
  return [plain, createProxy(tlsProxy.port, { host: '127.0.0.1', port: tls.port })];
}

function inspircdConf(home: string, ports: IrcPorts, options: IrcOptions): string {
  const tls =
    options.tls === undefined || ports.tls === undefined
      ? ''
      : `<module name="ssl_gnutls">
<sslprofile name="own" provider="gnutls" certfile="${options.tls.certificate}" keyfile="${options.tls.key}" hash="sha256" priority="NORMAL">
<bind address="127.0.0.1" port="${ports.tls.port}" type="clients" sslprofile="own">
`;
  const limits = options.unlimited
    ? 'fakelag="no" threshold="1000000" commandrate="1000000" softsendq="1M" hardsendq="16M" recvq="4M"'
    : 'fakelag="yes" threshold="10" commandrate="1000" softsendq="8192" hardsendq="1M" recvq="8192"';
  const { link } = options;
  const linked =
    link === undefined
      ? ''
      : `<module name="spanningtree">
<bind address="127.0.0.1" port="${link.port}" type="servers">
<link name="${link.peer}.test" ipaddr="127.0.0.1" port="${link.seek ?? 9}" allowmask="127.0.0.1" timeout="5" sendpass="${link.password}" recvpass="${link.password}">
${link.seek === undefined ? '' : `<autoconnect period="1" server="${link.peer}.test">`}
`;
  const modules = MODULES.filter((name) => options.bare !== true || !/^(cap|ircv3|chanhistory)/.test(name));
  return `<config format="xml">
<server name="${options.name}.test" description="private" network="${options.network}">
<admin name="nobody" nick="nobody" email="nobody@localhost">
<bind address="127.0.0.1" port="${ports.direct.port}" type="clients">
${tls}${linked}
<path configdir="${home}" datadir="${home}/data" logdir="${home}" moduledir="/usr/lib/inspircd/modules" runtimedir="${home}">
<connect name="main" allow="*" timeout="20" pingfreq="60" localmax="1000" globalmax="1000" maxchans="20" resolvehostnames="no" useident="no" ${limits}>
<class name="All" commands="*" privs="*" chanmodes="*" usermodes="*" snomasks="*">
<type name="NetAdmin" classes="All" host="oper.test">
<oper name="root" password="${options.operPassword}" host="*@*" type="NetAdmin">
<performance quietbursts="yes" softlimit="10000" somaxconn="128" clonesonconnect="no" netbuffersize="10240">
<security announceinvites="dynamic" hidesplits="no" hidebans="no" maxtargets="20">
<limits maxnick="30" maxchan="64" maxmodes="20" maxident="10" maxhost="64" maxquit="255" maxtopic="307" maxkick="255" maxreal="128" maxaway="200">
<options prefixquit="Quit: " syntaxhints="no" cyclehostsfromuser="no" announcets="no" defaultmodes="nt" splitwhois="no">
<whowas groupsize="10" maxgroups="1000" maxkeep="3d">
<maxlist chan="*" limit="100">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="${home}/ircd.log">
<dns timeout="1" server="127.0.0.1">
<chanhistory maxlines="1000" prefixmsg="no" bots="yes">
<permchannels channel="${options.channel}" modes="${options.bare === true ? 'ntP' : 'ntPH 1000:1h'}">
${modules.map((name) => `<module name="${name}">`).join('\n')}
`;
}

/** Prepares an ngIRCd, the one without echo, ids and history; it is not running yet. */
export async function createNgIrcd(directory: string, ports: IrcPorts, options: IrcOptions): Promise<StackServer> {
  const home = join(directory, options.name);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const conf = join(home, 'ngircd.conf');
  await writeFile(
    conf,
    `[Global]
Name = ${options.name}.test
AdminInfo1 = nobody
AdminEMail = nobody@localhost
Info = private
Listen = 127.0.0.1
Ports = ${ports.direct.port}
MotdPhrase = private
${process.getuid?.() === 0 ? 'ServerUID = root\nServerGID = root\n' : ''}[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 30
MaxPenaltyTime = ${options.unlimited ? 0 : -1}
PingTimeout = 60
PongTimeout = 20
[Options]
DNS = no
Ident = no
PAM = no
${
  options.tls === undefined || ports.tls === undefined
    ? ''
    : `[SSL]
CertFile = ${options.tls.certificate}
KeyFile = ${options.tls.key}
Ports = ${ports.tls.port}
`
}[Operator]
Name = root
Password = ${options.operPassword}
[Channel]
Name = ${options.channel}
Modes = ntP
`,
    { mode: 0o600 },
  );
  const args = ['--nodaemon', '--config', conf];
  return createIrcServer({ directory, home, ports, name: options.name, program: 'ngircd', args, logs: [] });
}

type IrcServer = {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly home: string;
  readonly ports: IrcPorts;
  /** Its own log files in `home`. */
  readonly logs: readonly string[];
};

function createIrcServer({ name, program, args, directory, home, ports, logs }: IrcServer): StackServer {
  const logFile = join(home, 'console.log');
  const daemon = createDaemon({
    name,
    command: requireProgram(program),
    args,
    directory,
    cwd: home,
    logFile,
    probe: () => probeConnection({ host: '127.0.0.1', port: ports.direct.port }, ANSWERS),
    readyWithinMs: 15_000,
  });
  return createStackServer(name, daemon, {
    proxies: proxiesOf(ports),
    tlsPort: ports.tlsProxy?.port ?? 0,
    directPort: ports.direct.port,
    logFiles: [...logs.map((file) => join(home, file)), logFile],
  });
}
