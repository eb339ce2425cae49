/**
 * Text that may stand in an XML 1.0 document (section 2.2, Char): one forbidden character ends an XMPP stream
 * (RFC 6120 section 4.9.3.13), so everything that leaves goes through here.
 */

// Controls but tab and line feed; halves of surrogate pairs; the two noncharacters.
const FORBIDDEN =
  /[\u0000-\u0008\u000b-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/**
 * Controls are dropped, broken surrogates and noncharacters become U+FFFD, CR LF and CR become LF (a parser would make
 * them so, XML 1.0 section 2.11, and then the text that comes back would differ from the text that was sent).
 */
export function xmlText(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(FORBIDDEN, (char) => (char < ' ' ? '' : '\ufffd'));
}
