import { ok, problem, type Verdict, warning } from './verdict.ts';

export type IrcProbe = {
  readonly server: string;
  /** Undefined when it was reached and answered CAP LS. */
  readonly failure: string | undefined;
  readonly secure: boolean;
  readonly loopback: boolean;
  readonly certificateDays: number | undefined;
  /** What the server offers, by CAP LS 302; 'sasl=PLAIN,EXTERNAL'. */
  readonly capabilities: readonly string[];
  /** What the server told of its limits (ISUPPORT); undefined when it let us not so far, or named none. */
  readonly nickLength?: number | undefined;
  readonly channelLength?: number | undefined;
  readonly ms: number;
};

/** What our own configuration wants of a server. */
export type IrcWants = {
  readonly sasl: boolean;
  readonly secrets: boolean;
  readonly nick?: string | undefined;
  readonly channel?: string | undefined;
};

export function judgeIrcServer(probe: IrcProbe, wants: IrcWants): Verdict {
  const { server, capabilities } = probe;
  if (!probe.secure && !probe.loopback && wants.secrets)
    return problem(
      `${server} is without TLS: its passwords would be sent in the clear and are not`,
      `# saxctl.toml\n[irc]\nservers = ["${server.replace(/^irc:/, 'ircs:').replace(/:6667$/, ':6697')}"]`,
    );
  if (probe.failure !== undefined)
    return problem(
      `${server}: ${probe.failure}`,
      `openssl s_client -connect ${server.replace(/^ircs?:\/\//, '')}   # what the server shows`,
    );
  if (wants.sasl && !capabilities.some((name) => name === 'sasl' || name.startsWith('sasl=')))
    return problem(
      `${server} offers no SASL`,
      '# saxctl.toml: use NickServ there\n[irc]\nnickserv_password_file = "nickserv"',
    );
  const { nick = '', channel = '' } = wants;
  if (nick.length > (probe.nickLength ?? Number.POSITIVE_INFINITY))
    return problem(
      `${server} allows nicknames of ${probe.nickLength} characters, ${nick} has ${nick.length}`,
      `# saxctl.toml\n[irc]\nnick = "${nick.slice(0, probe.nickLength)}"`,
    );
  if (channel.length > (probe.channelLength ?? Number.POSITIVE_INFINITY))
    return problem(
      `${server} allows names of channels of ${probe.channelLength} characters, ${channel} has ${channel.length}`,
      '# saxctl.toml\n[irc]\nchannel = "#sax"',
    );
  if (probe.certificateDays !== undefined && probe.certificateDays < 14)
    return warning(
      `${server}: its certificate ends in ${probe.certificateDays} days`,
      '# tell the network’s operators',
    );
  if (!probe.secure && !probe.loopback)
    return warning(
      `${server} is without TLS`,
      `# saxctl.toml\n[irc]\nservers = ["${server.replace(/^irc:/, 'ircs:').replace(/:6667$/, ':6697')}"]`,
    );
  const helpful = ['echo-message', 'labeled-response', 'chathistory', 'draft/chathistory', 'server-time'].filter(
    (name) => capabilities.some((capability) => capability.split('=')[0] === name),
  );
  return ok(
    `${server} answers in ${Math.round(probe.ms)} ms${helpful.length > 0 ? `, offers ${helpful.join(', ')}` : ', confirms by PING only'}`,
  );
}

/** All servers away is a problem, some is a warning: the relay takes the next one. */
export function judgeIrcServers(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.length === 0)
    return problem('no IRC server is configured', '# saxctl.toml\n[irc]\nservers = ["ircs://irc.libera.chat:6697"]');
  const working = verdicts.filter(({ status }) => status === 'ok' || status === 'warning').length;
  if (working > 0) return ok(`${working} of ${verdicts.length} servers can be used`);
  return problem('none of the IRC servers can be used', 'saxctl doctor irc');
}

export function judgeIrcNick(nick: string | undefined, channel: string | undefined): Verdict {
  if (nick === undefined || channel === undefined)
    return problem(
      `[irc] ${nick === undefined ? 'nick' : 'channel'} is not set`,
      '# saxctl.toml\n[irc]\nnick = "sax"\nchannel = "#sax"',
    );
  if (!/^[#&+!]/.test(channel))
    return problem(`${channel} is no name of a channel`, `# saxctl.toml\n[irc]\nchannel = "#${channel}"`);
  if (!/^[A-Za-z[\]\\`_^{|}][A-Za-z0-9[\]\\`_^{|}-]*$/.test(nick))
    return problem(`${nick} cannot be a nickname on IRC`, '# saxctl.toml\n[irc]\nnick = "sax"');
  if (nick.length > 16)
    return warning(`${nick} is longer than many networks allow (16)`, '# saxctl.toml\n[irc]\nnick = "sax"');
  return ok(`${nick} in ${channel}`);
}
