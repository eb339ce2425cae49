/** The part of irc-framework 4.14 that src/edges/irc uses; the package has no types. */
declare module 'irc-framework' {
  /** One parsed line (src/ircmessage.js). */
  export type IrcMessage = {
    readonly tags: Readonly<Record<string, string>>;
    readonly prefix: string;
    readonly nick: string;
    readonly ident: string;
    readonly hostname: string;
    readonly command: string;
    readonly params: readonly string[];
  };

  type Network = {
    readonly cap: { readonly enabled: readonly string[]; isEnabled(cap: string): boolean };
    readonly options: Readonly<Record<string, unknown>>;
  };

  export class Client {
    constructor();
    readonly connection: {
      on(event: 'message', listener: (message: IrcMessage) => void): void;
      on(event: 'socket close', listener: (error: Error | undefined) => void): void;
      write(line: string): boolean;
    };
    readonly network: Network;
    readonly user: { readonly nick: string };
    requestCap(caps: readonly string[]): void;
    connect(options: Readonly<Record<string, unknown>>): void;
  }
}
