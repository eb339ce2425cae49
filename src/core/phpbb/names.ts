/**
 * Text of the forum's database as people read it. A table whose columns are declared latin1 often holds something else (an
 * old phpBB 2 stored the bytes of the page's own character set), so such text is read as bytes and decoded here.
 */

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** MySQL's names of character sets, as the WHATWG encoding standard calls them; latin1 is windows-1252 to both. */
const ENCODINGS: Readonly<Record<string, string>> = {
  latin1: 'windows-1252',
  latin2: 'iso-8859-2',
  latin5: 'windows-1254',
  latin7: 'iso-8859-13',
  cp1250: 'windows-1250',
  cp1251: 'windows-1251',
  cp1256: 'windows-1256',
  cp1257: 'windows-1257',
  greek: 'iso-8859-7',
  hebrew: 'iso-8859-8',
  koi8r: 'koi8-r',
  koi8u: 'koi8-u',
  sjis: 'shift_jis',
  cp932: 'shift_jis',
  ujis: 'euc-jp',
  euckr: 'euc-kr',
  gbk: 'gbk',
  gb2312: 'gbk',
  big5: 'big5',
  tis620: 'windows-874',
};

export type Decoder = (bytes: Uint8Array) => string;

/**
 * How to read names for `[database] charset`: undefined when the server does it (UTF-8), else a decoder of the stored bytes
 * that takes what is valid UTF-8 as UTF-8.
 * @throws RangeError for a character set that nobody knows.
 */
export function nameDecoder(charset: string): Decoder | undefined {
  const name = charset.toLowerCase().replace(/_.*$/, '');
  if (['utf8', 'utf8mb3', 'utf8mb4'].includes(name)) return undefined;
  const label = name === 'binary' ? 'windows-1252' : ENCODINGS[name];
  if (label === undefined) throw new RangeError(`one of utf8mb4, binary, ${Object.keys(ENCODINGS).join(', ')}`);
  const legacy = label === 'windows-1252' ? windows1252 : decoderOf(label);
  return (bytes) => {
    try {
      return UTF8.decode(bytes);
    } catch {
      return legacy(bytes);
    }
  };
}

function decoderOf(label: string): Decoder {
  const decoder = new TextDecoder(label);
  return (bytes) => decoder.decode(bytes);
}

/** 80 to 9F; elsewhere windows-1252 is Latin-1. Node's own decoder gives C1 controls here (seen in 20.20). */
const HIGH = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

const windows1252: Decoder = (bytes) =>
  Array.from(bytes, (byte) =>
    byte >= 0x80 && byte < 0xa0 ? (HIGH[byte - 0x80] ?? '') : String.fromCharCode(byte),
  ).join('');

/**
 * Whether a stored name is plain: printable ASCII without the two characters that begin something else (an HTML entity, a
 * XEP-0106 escape). Two plain names have one localpart only when they differ in nothing but case, which phpBB 3 forbids
 * (UNIQUE username_clean); so only unusual names can collide there.
 */
export const isPlain = (username: string): boolean => /^[ -%'-[\]-~]*$/.test(username);
