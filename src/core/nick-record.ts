/**
 * What sync-nicks remembers, as records of an append-only file: the last record about a member counts. A record is a JSON
 * array, so that no name can break out of its line.
 */
export type NickRecord =
  /** The file is about this service and these members' domain. */
  | { readonly kind: 'for'; readonly service: string; readonly domain: string }
  /** ejabberd confirmed the registration. */
  | { readonly kind: 'held'; readonly id: number; readonly localpart: string; readonly nick: string }
  /** About to be asked for: ejabberd may or may not have it. */
  | { readonly kind: 'asked'; readonly id: number; readonly localpart: string; readonly nick: string }
  /** Nothing is registered for the member. */
  | { readonly kind: 'gone'; readonly id: number }
  /** Registered for a name that the member no longer has, and left there (--no-prune). */
  | { readonly kind: 'stray'; readonly localpart: string; readonly nick: string }
  | { readonly kind: 'stray-gone'; readonly localpart: string }
  /**
   * All was done for these members, `held` of them have a nickname: while they stay the same and nothing follows in the file,
   * there is nothing to do.
   */
  | {
      readonly kind: 'done';
      readonly members: number;
      readonly held: number;
      readonly seed: number;
      readonly digest: number;
    };

export type HeldRecord = Extract<NickRecord, { kind: 'held' | 'asked' }>;

export function encodeRecord(record: NickRecord): string {
  switch (record.kind) {
    case 'for':
      return JSON.stringify(['for', record.service, record.domain]);
    case 'held':
      return JSON.stringify(['+', record.id, record.localpart, record.nick]);
    case 'asked':
      return JSON.stringify(['?', record.id, record.localpart, record.nick]);
    case 'gone':
      return JSON.stringify(['-', record.id]);
    case 'stray':
      return JSON.stringify(['s', record.localpart, record.nick]);
    case 'stray-gone':
      return JSON.stringify(['S', record.localpart]);
    case 'done':
      return JSON.stringify(['done', record.members, record.held, record.seed, record.digest]);
  }
}

/** Undefined for what this version does not know. */
export function decodeRecord(text: string): NickRecord | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(fields)) return undefined;
  const [kind, first, second, third, fourth] = fields as unknown[];
  if ((kind === '+' || kind === '?') && isId(first) && typeof second === 'string' && typeof third === 'string')
    return { kind: kind === '+' ? 'held' : 'asked', id: first, localpart: second, nick: third };
  if (kind === '-' && isId(first)) return { kind: 'gone', id: first };
  if (kind === 's' && typeof first === 'string' && typeof second === 'string')
    return { kind: 'stray', localpart: first, nick: second };
  if (kind === 'S' && typeof first === 'string') return { kind: 'stray-gone', localpart: first };
  if (kind === 'done' && isId(first) && isId(second) && isId(third) && isId(fourth))
    return { kind: 'done', members: first, held: second, seed: third, digest: fourth };
  if (kind === 'for' && typeof first === 'string' && typeof second === 'string')
    return { kind: 'for', service: first, domain: second };
  return undefined;
}

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
