/** Everything the widget says, in every language that it knows. `SaxChat.strings` is this object: pages may add to it. */
export const strings = {
  en: {
    title: 'Chat',
    connecting: 'Connecting …',
    live: 'Live',
    waiting: 'Reconnecting …',
    offline: 'Offline',
    refused: 'Not let in',
    removed: 'Removed from the room',
    guest: 'Log in to take part',
    visitor: 'Read only',
    write: 'Write a message',
    send: 'Send',
    people: 'People here',
    bell: 'Notify me of mentions',
    news: 'new messages',
    wait: 'sending …',
    fail: 'not sent',
  },
  de: {
    connecting: 'Verbinde …',
    live: 'Verbunden',
    waiting: 'Verbinde erneut …',
    refused: 'Nicht eingelassen',
    removed: 'Aus dem Raum entfernt',
    guest: 'Zum Mitreden anmelden',
    visitor: 'Nur lesen',
    write: 'Nachricht schreiben',
    send: 'Senden',
    people: 'Anwesende',
    bell: 'Bei Erwähnung benachrichtigen',
    news: 'neue Nachrichten',
    wait: 'wird gesendet …',
    fail: 'nicht gesendet',
  },
};

export type Strings = (typeof strings)['en'];

/** The strings of a language tag (`de-AT` → `de`); what a language lacks is said in English. */
export const stringsFor = (lang: string): Strings => ({
  ...strings.en,
  ...(strings as Record<string, Partial<Strings> | undefined>)[lang.toLowerCase().split('-')[0] ?? ''],
});
