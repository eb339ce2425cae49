/** XML namespaces, by the document that defines them. */
export const NS = {
  /** RFC 6120 */
  streams: 'http://etherx.jabber.org/streams',
  streamErrors: 'urn:ietf:params:xml:ns:xmpp-streams',
  stanzaErrors: 'urn:ietf:params:xml:ns:xmpp-stanzas',
  startTls: 'urn:ietf:params:xml:ns:xmpp-tls',
  /** XEP-0004 */
  form: 'jabber:x:data',
  /** XEP-0030 */
  discoInfo: 'http://jabber.org/protocol/disco#info',
  /** XEP-0045 */
  muc: 'http://jabber.org/protocol/muc',
  mucUser: 'http://jabber.org/protocol/muc#user',
  mucAdmin: 'http://jabber.org/protocol/muc#admin',
  mucOwner: 'http://jabber.org/protocol/muc#owner',
  /** XEP-0059 */
  rsm: 'http://jabber.org/protocol/rsm',
  /** XEP-0199 */
  ping: 'urn:xmpp:ping',
  /** XEP-0203 */
  delay: 'urn:xmpp:delay',
  /** XEP-0297 */
  forward: 'urn:xmpp:forward:0',
  /** XEP-0308 */
  correct: 'urn:xmpp:message-correct:0',
  /** XEP-0313 */
  mam: 'urn:xmpp:mam:2',
  /** XEP-0359 */
  stanzaId: 'urn:xmpp:sid:0',
  /** XEP-0388 */
  sasl2: 'urn:xmpp:sasl:2',
  /** XEP-0422, in the older forms of XEP-0424 and XEP-0425 */
  fasten: 'urn:xmpp:fasten:0',
  /** XEP-0424 */
  retract: ['urn:xmpp:message-retract:1', 'urn:xmpp:message-retract:0'],
  /** XEP-0425 */
  moderate: ['urn:xmpp:message-moderate:1', 'urn:xmpp:message-moderate:0'],
  /** XEP-0461 */
  reply: 'urn:xmpp:reply:0',
  /** Our own: what kind of line a bot said. */
  sax: 'urn:saxctl:line:0',
} as const;
