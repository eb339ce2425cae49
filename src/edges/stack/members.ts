import { createHash, randomBytes } from 'node:crypto';

/** A member of the sample forum. */
export type Member = {
  readonly id: number;
  /** As people read it. */
  readonly name: string;
  /** As phpBB stores it: HTML-escaped. */
  readonly stored: string;
  /** phpBB 3's username_clean. */
  readonly clean: string;
  /** phpBB 3: 0 normal, 1 inactive, 2 bot or guest, 3 founder. */
  readonly type: 0 | 1 | 2 | 3;
  readonly session: Session | undefined;
  readonly ban: { readonly until: 'ever' | 'future' | 'past'; readonly exclude?: boolean } | undefined;
};

export type Session = {
  /** 32 hex digits. */
  readonly sid: string;
  /** Seconds since the last page view. */
  readonly age: number;
  readonly autologin: boolean;
};

export type ExtraMember = {
  readonly name: string;
  readonly stored?: string;
  readonly clean?: string;
  readonly type?: Member['type'];
  /** Age in seconds of the session; none: no session. 0 by default. */
  readonly age?: number | 'none';
  readonly autologin?: boolean;
  readonly ban?: Member['ban'];
};

const HOUR = 3600;
const DAY = 24 * HOUR;

/** Ids from 2 on, in this order. Names with everything that has broken a chat before. */
const SAMPLES: readonly ExtraMember[] = [
  { name: 'Admin', type: 3 },
  { name: 'Tari' },
  { name: 'alice' },
  { name: 'Bob Smith' },
  { name: 'mail@example.org' },
  { name: 'a:b/c' },
  { name: "O'Neil", clean: 'oʹneil' },
  { name: 'Tom & Jerry' },
  { name: '<b>Bold</b>' },
  { name: 'The "Boss"' },
  { name: 'back\\20slash' },
  { name: 'Jürgen Müßig' },
  { name: 'ÄRGER' },
  { name: 'Ελλάδα', clean: 'ɛλλάδa' },
  { name: 'Пётр', clean: 'πётp' },
  { name: '春夏秋冬東西南北花鳥風月山川海空星雪雨雲' },
  // Sessions.
  { name: 'NoSession', age: 'none' },
  { name: 'Expired', age: 2 * HOUR },
  { name: 'JustValid', age: HOUR - 60 },
  { name: 'Remembered', age: 3 * DAY, autologin: true },
  { name: 'Forgotten', age: 400 * DAY, autologin: true },
  // Standing.
  { name: 'Inactive', type: 1 },
  { name: 'Spider', type: 2 },
  { name: 'Banned', ban: { until: 'ever' } },
  { name: 'BannedTill', ban: { until: 'future' } },
  { name: 'BanOver', ban: { until: 'past' } },
  { name: 'BanExcluded', ban: { until: 'ever', exclude: true } },
  { name: 'BannedFounder', type: 3, ban: { until: 'ever' } },
];

/** PHP's htmlspecialchars(ENT_COMPAT), as phpBB applies it to what people type. */
function escaped(name: string): string {
  return name.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** The sample members and `extra` ones, with fresh random session ids. */
export function makeMembers(extra: readonly ExtraMember[]): Member[] {
  return [...SAMPLES, ...extra].map((sample, index) => {
    const stored = sample.stored ?? escaped(sample.name);
    return {
      id: index + 2,
      name: sample.name,
      stored,
      clean: sample.clean ?? stored.normalize('NFKC').toLowerCase(),
      type: sample.type ?? 0,
      session:
        sample.age === 'none'
          ? undefined
          : { sid: randomSid(), age: sample.age ?? 0, autologin: sample.autologin ?? false },
      ban: sample.ban,
    };
  });
}

/** A session id as phpBB makes them: an MD5 in lower-case hex. */
export function randomSid(): string {
  return createHash('md5').update(randomBytes(16)).digest('hex');
}
