import { EXIT } from '../../core/errors.ts';
import { Refusal } from '../../core/refusal.ts';
import type { Element } from './library.ts';
import { NS } from './names.ts';

export type StanzaError = { readonly condition: string; readonly text: string };

/** The defined condition and the text of a stanza or stream error (RFC 6120 sections 4.9.2 and 8.3.2). */
export function readError(stanza: Element): StanzaError {
  const error = stanza.name === 'error' || stanza.name === 'stream:error' ? stanza : stanza.getChild('error');
  let condition = 'undefined-condition';
  let text = '';
  for (const child of error?.getChildElements() ?? []) {
    const namespace = child.getNS();
    if (namespace !== NS.stanzaErrors && namespace !== NS.streamErrors) continue;
    if (child.name === 'text') text = child.text();
    else condition = child.name;
  }
  return { condition, text };
}

/** A stanza error as something to throw; `what` says what was asked. */
export function refusal(what: string, { condition, text }: StanzaError): Refusal {
  const temporary = condition === 'resource-constraint' || condition === 'remote-server-timeout';
  const because = text === '' || text === condition ? condition : `${text} (${condition})`;
  return new Refusal(temporary ? EXIT.temporary : EXIT.refused, condition, `${what}: ${because}`);
}
