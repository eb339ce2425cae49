import { type Site, SNAPSHOT_DIRECTORY, SOCKET, SPOOL, type Template } from './site.ts';

/**
 * Units of systemd, hardened (systemd-analyze security says 1.3 to 1.5 of 10). MemoryDenyWriteExecute is left out because V8
 * compiles at run time and dies of it.
 */
const HARDENING = `UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
PrivateIPC=yes
ProtectHostname=yes
ProtectClock=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
DevicePolicy=closed
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM`;

type Daemon = {
  readonly name: 'webridge' | 'ircbridge' | 'guard';
  readonly about: string;
  readonly credentials: readonly string[];
  readonly metrics: number;
  readonly unit?: readonly string[];
  readonly service?: readonly string[];
};

function daemonService(site: Site, daemon: Daemon): string {
  return `[Unit]
Description=${daemon.about}
Documentation=man:saxctl-${daemon.name}(1)
Wants=network-online.target
After=network-online.target ejabberd.service mariadb.service mysql.service
${lines(daemon.unit)}# It retries by itself, for ever; systemd only sees to crashes.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart=${site.program} --config ${site.directory}/saxctl.toml ${daemon.name}
ExecReload=/bin/kill -HUP $MAINPID
User=saxctl
Group=saxctl
Restart=always
RestartSec=5
# Wrong usage or configuration (sysexits): trying again cannot help. 75: a twin with this account took over; who comes
# back would throw it out, and it us, for ever.
RestartPreventExitStatus=64 75 78
# READY=1 comes when the room is entered, which may take as long as ejabberd is away.
TimeoutStartSec=infinity
TimeoutStopSec=15
WatchdogSec=60
StateDirectory=saxctl
StateDirectoryMode=0700
${daemon.credentials.map((name) => `LoadCredential=${name}:${site.directory}/${name}`).join('\n')}
Environment=SAXCTL_METRICS_LISTEN=127.0.0.1:${daemon.metrics}
${lines(daemon.service)}${HARDENING}

[Install]
WantedBy=multi-user.target
`;
}

const lines = (all: readonly string[] = []): string => all.map((line) => `${line}\n`).join('');

function socketUnit(site: Site): string {
  return `[Unit]
Description=Announcements of the forum (saxctl webridge)
Documentation=man:saxctl-webridge(1)

[Socket]
# The socket outlives the service: what is said while it is restarted, or was killed, waits in the kernel.
ListenDatagram=${SOCKET}
SocketUser=saxctl
SocketGroup=${site.webGroup}
SocketMode=0660
DirectoryMode=0755
# Room for large announcements; how many wait is net.unix.max_dgram_qlen (60-saxctl-sysctl.conf).
ReceiveBuffer=8M
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
`;
}

function syncService(site: Site): string {
  return `[Unit]
Description=Register the members’ usernames as nicknames (saxctl sync-nicks)
Documentation=man:saxctl-sync-nicks(1)
Wants=network-online.target
After=network-online.target ejabberd.service mariadb.service mysql.service

[Service]
Type=oneshot
ExecStart=${site.program} --config ${site.directory}/saxctl.toml sync-nicks
# 1: conflicts with names that are taken; they stand in the journal. 75: another run is at work.
SuccessExitStatus=1 75
User=saxctl
Group=saxctl
Environment=LC_ALL=C.UTF-8
StateDirectory=saxctl
StateDirectoryMode=0700
LoadCredential=database_password:${site.directory}/database_password
TimeoutStartSec=2h
${HARDENING}
`;
}

const SYNC_TIMER = `[Unit]
Description=Register new members’ nicknames every ten minutes
Documentation=man:saxctl-sync-nicks(1)

[Timer]
OnBootSec=2min
OnUnitInactiveSec=10min
RandomizedDelaySec=30s

[Install]
WantedBy=timers.target
`;

/** All units and what belongs to them. Only what is configured gets a unit. */
export function systemdTemplates(site: Site): Template[] {
  const daemons: Daemon[] = [
    {
      name: 'webridge',
      about: 'Announcements of the forum in the chat (saxctl webridge)',
      credentials: ['webridge_password'],
      metrics: 9271,
      unit: ['Requires=saxctl-webridge.socket'],
      service: [
        'Sockets=saxctl-webridge.socket',
        'CacheDirectory=saxctl',
        'CacheDirectoryMode=0755',
        `SupplementaryGroups=${site.webGroup}`,
        `ReadWritePaths=-${SPOOL}`,
      ],
    },
    ...(site.irc === undefined
      ? []
      : [
          {
            name: 'ircbridge',
            about: 'Relay between the chat and IRC (saxctl ircbridge)',
            credentials: ['ircbridge_password'],
            metrics: 9272,
          } as const,
        ]),
    ...(site.guard
      ? [
          {
            name: 'guard',
            about: 'Keeps look-alikes of members out of the chat (saxctl guard)',
            credentials: ['guard_password', 'database_password'],
            metrics: 9273,
          } as const,
        ]
      : []),
  ];
  const unit = (name: string, text: string): Template => ({
    path: `systemd/${name}`,
    mode: 0o644,
    text,
    about: 'to /etc/systemd/system/',
    part: 'systemd',
  });
  return [
    ...daemons.map((daemon) => unit(`saxctl-${daemon.name}.service`, daemonService(site, daemon))),
    unit('saxctl-webridge.socket', socketUnit(site)),
    unit('saxctl-sync-nicks.service', syncService(site)),
    unit('saxctl-sync-nicks.timer', SYNC_TIMER),
    {
      ...unit('saxctl-sysusers.conf', `u saxctl - "saxctl chat bridges" /var/lib/saxctl\nm ejabberd saxctl\n`),
      about: 'to /etc/sysusers.d/saxctl.conf (the account; ejabberd may read the configuration for saxctl auth)',
    },
    {
      ...unit(
        'saxctl-tmpfiles.conf',
        `d ${SPOOL} 2770 saxctl ${site.webGroup} -\nd ${SNAPSHOT_DIRECTORY} 0755 saxctl saxctl -\nz ${site.directory}/* 0640 root saxctl -\n`,
      ),
      about: 'to /etc/tmpfiles.d/saxctl.conf (directories and their rights)',
    },
    {
      ...unit('60-saxctl-sysctl.conf', 'net.unix.max_dgram_qlen=512\n'),
      about: 'to /etc/sysctl.d/60-saxctl.conf (how many announcements may wait)',
    },
  ];
}
