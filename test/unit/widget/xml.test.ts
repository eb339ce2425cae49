import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { child, parse, xml } from '../../../widget/src/xml.ts';

describe('parse', () => {
  it('reads elements, attributes, text and references', () => {
    const el = parse(
      `<message from='a@b/c' to="d"><body>1 &lt; 2 &amp;amp; &#65;&#x1f600;</body><x xmlns='n' a='&quot;&apos;'/></message>`,
    );
    expect(el.name).toBe('message');
    expect(el.attrs['from']).toBe('a@b/c');
    expect(el.attrs['to']).toBe('d');
    expect(child(el, 'body')?.text).toBe('1 < 2 &amp; A😀');
    expect(child(el, 'x', 'n')?.attrs['a']).toBe(`"'`);
    expect(child(el, 'x', 'other')).toBeUndefined();
    expect(child(undefined, 'x')).toBeUndefined();
  });

  it('takes a prefix off the name', () => {
    expect(parse(`<stream:features xmlns:stream='s'><a/></stream:features>`).name).toBe('features');
  });

  it.each([
    [''],
    ['text'],
    ['<a>'],
    ['</a>'],
    ['<a></b>'],
    ['<a/><b/>'],
    ['<a/>text'],
    [`<a b='<'/>`],
    ['<a></a></a>'],
    ['<!DOCTYPE html><html></html>'],
    ['<!-- c --><a/>'],
    ['<?xml version="1.0"?><a/>'],
    ['<a>&#x110000;</a>'],
  ])('refuses %s', (source) => {
    expect(() => parse(source)).toThrow();
  });

  it('refuses what is nested without end', () => {
    expect(() => parse(`${'<a>'.repeat(200)}${'</a>'.repeat(200)}`)).toThrow();
    expect(() => parse('<a>'.repeat(100_000))).toThrow();
  });

  it('never hangs on anything', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('<', '>', '/', 'a', ' ', '=', "'", '"', '&', ';', '!'), maxLength: 200 }),
        (s) => {
          try {
            parse(s);
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
          }
        },
      ),
    );
  });

  it('reads a megabyte of text and a hundred thousand attributes in the time of a blink', () => {
    const began = performance.now();
    expect(child(parse(`<m><body>${'&amp;'.repeat(200_000)}</body></m>`), 'body')?.text.length).toBe(200_000);
    parse(`<m ${Array.from({ length: 100_000 }, (_, i) => `a${i}='x'`).join(' ')}/>`);
    expect(() => parse(`<m ${`a='x`.repeat(50_000)}`)).toThrow();
    // Quadratic behaviour would take minutes.
    expect(performance.now() - began).toBeLessThan(8000);
  });
});

describe('xml', () => {
  it('escapes every value, so that reading gives it back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const el = parse(xml`<a b='${text}'>${text}</a>`);
        const clean = text.replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '');
        expect(el.attrs['b']).toBe(clean);
        expect(el.text).toBe(clean);
      }),
    );
  });

  it('leaves out what XML cannot carry', () => {
    expect(xml`${'a\0\u0007\ud800\ufffeb'}`).toBe('ab');
  });
});
