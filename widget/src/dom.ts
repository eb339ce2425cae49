import type { El } from './xml.ts';

/** Makes an element of a class, which is its `part` as well, so that a page can style it. Texts become text nodes, whatever they hold. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  name = '',
  ...kids: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = element.part = name;
  element.append(...kids);
  return element;
}

/** Makes nodes of a parsed piece of our own source: Trusted Types forbid innerHTML, and so do we. */
export function build({ name, attrs, kids, text }: El): Element {
  const element = /svg|path/.test(name)
    ? document.createElementNS('http://www.w3.org/2000/svg', name)
    : document.createElement(name);
  for (const key in attrs) element.setAttribute(key, attrs[key] as string);
  element.part = attrs['class'] ?? '';
  element.append(text, ...kids.map(build));
  return element;
}
