/** Everything the widget says, in every language that it knows. `SaxChat.strings` is this object: pages may add to it. */
export const strings = {
  en: {
    title: 'Chat',
    log: 'Messages',
    connecting: 'Connecting …',
    live: 'Live',
    waiting: 'Connection lost, trying again …',
    offline: 'You are offline',
    denied: 'Log-in refused',
    refused: 'The room does not let you in',
    removed: 'You were removed from the room',
    again: 'Join again',
    guest: 'Log in to take part',
    visitor: 'You may read, not write',
    write: 'Write a message',
    send: 'Send',
    people: 'People here',
    bell: 'Notify me when my name is said',
    news: 'new messages',
    wait: 'sending …',
    fail: 'not sent',
  },
  de: {
    title: 'Chat',
    log: 'Nachrichten',
    connecting: 'Verbinde …',
    live: 'Verbunden',
    waiting: 'Verbindung verloren, neuer Versuch …',
    offline: 'Du bist offline',
    denied: 'Anmeldung abgelehnt',
    refused: 'Der Raum lässt dich nicht herein',
    removed: 'Du wurdest aus dem Raum entfernt',
    again: 'Wieder beitreten',
    guest: 'Melde dich an, um mitzureden',
    visitor: 'Du kannst lesen, nicht schreiben',
    write: 'Nachricht schreiben',
    send: 'Senden',
    people: 'Anwesende',
    bell: 'Bescheid geben, wenn mein Name fällt',
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
