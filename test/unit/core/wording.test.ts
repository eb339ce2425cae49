import { expect, test } from 'vitest';
import { SAY_TYPES, WORDING, wordAnnouncement, wordingProblem } from '../../../src/core/wording.ts';

const all = { who: 'Tari', what: 'Title', where: 'Forum', url: 'https://x.test/1' };

test('every type of the contract has words', () => {
  const types =
    'chat action new-topic reply edit delete restore lock unlock move merge split approve new-user rename upload update news poll report system';
  expect(SAY_TYPES).toEqual(types.split(' '));
});

test.each(SAY_TYPES)('%s reads well whole and with nothing but its type', (type) => {
  const whole = wordAnnouncement({ type, ...all });
  expect(whole).toMatch(/^\* /);
  expect(whole).not.toMatch(/[{}[\]]| {2}/);
  expect(wordAnnouncement({ type })).not.toMatch(/[{}[\]]| {2}| $/);
});

test.each([
  ['new-topic', '* Tari opened a topic in Forum: Title – https://x.test/1'],
  ['reply', '* Tari replied to Title in Forum – https://x.test/1'],
  ['chat', '* Tari: Title'],
  ['badge', '* Tari (badge): Title in Forum – https://x.test/1'],
  ['constructor', '* Tari (constructor): Title in Forum – https://x.test/1'],
])('%s is %j', (type, line) => {
  expect(wordAnnouncement({ type, ...all })).toBe(line);
});

test('values are never read as a pattern, and a wording of the operator wins', () => {
  expect(wordAnnouncement({ type: 'chat', who: '{what}', what: '[{url}]' })).toBe('* {what}: [{url}]');
  expect(wordAnnouncement({ type: 'chat', ...all }, { chat: '\\[{where}\\] {who}[ ({id})]> {what}' })).toBe(
    '[Forum] Tari> Title',
  );
});

test('a wording that cannot be meant is named', () => {
  expect(Object.values(WORDING).map(wordingProblem)).toEqual(SAY_TYPES.map(() => undefined));
  expect([wordingProblem(''), wordingProblem('\\[{id}\\] {type}[ {url}]')]).toEqual([undefined, undefined]);
  expect(wordingProblem('{woh} did it')).toBe('there is no {woh}; did you mean "who"?');
  expect(wordingProblem('{who}[ in {where}')).toMatch(/stands alone/);
  expect(wordingProblem('{who} {}')).toMatch(/there is no \{\}/);
});
