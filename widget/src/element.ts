import { type Chat, openChat } from './chat.ts';
import { type Strings, strings } from './strings.ts';
import css from './style.css';

/** `<sax-chat>`: one room of a web community's chat. Attributes, events and parts are told in docs/widget.md. */
class SaxChat extends HTMLElement {
  /** The texts by language; add to it before the element is used. */
  static strings: Record<string, Partial<Strings>> = strings;

  #chat: Chat | undefined;

  connectedCallback(): void {
    if (this.#chat) return;
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    this.#chat = openChat(this);
  }

  disconnectedCallback(): void {
    // Moving the element in the document disconnects and connects it within one task: that is no farewell.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#chat?.close();
      this.#chat = undefined;
    });
  }

  /** Says a text in the room; kept until the connection is there. */
  say(text: string): void {
    this.#chat?.say(text);
  }
}

if (!customElements.get('sax-chat')) customElements.define('sax-chat', SaxChat);
