/** What was found or given, before the questions; undefined is what nobody knows yet. */
export type Draft = {
  readonly domain: string | undefined;
  readonly forumConfig: string | undefined;
  readonly irc: readonly string[];
  readonly channel: string | undefined;
  readonly guard: boolean;
};
