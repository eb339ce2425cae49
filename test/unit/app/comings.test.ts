import { expect, test } from 'vitest';
import { newComings } from '../../../src/app/comings.ts';
import { fakeClock } from '../../helpers/fake-clock.ts';

function setUp() {
  const clock = fakeClock();
  const told: string[] = [];
  const comings = newComings({ where: '#sax', clock, tell: (words) => void told.push(words((nick) => nick)) });
  return { clock, told, comings };
}
const crowd = Array.from({ length: 300 }, (_value, index) => `n${index}`);

test('a few are told one by one, a crowd in one line', async () => {
  const { clock, told, comings } = setUp();
  comings.came('eve');
  comings.went('eve', 'Quit: bye');
  comings.went('mary', 'spam', 'was kicked from');
  expect(told).toEqual(['eve joined #sax', 'eve left #sax (Quit: bye)', 'mary was kicked from #sax (spam)']);
  for (const nick of crowd) comings.came(nick);
  await clock.advance(4100);
  expect(told.slice(6)).toEqual(['n3, n4, n5, n6 and 293 others joined #sax']);
  await clock.advance(60_000);
  comings.went('n1', '');
  expect(told.at(-1)).toBe('n1 left #sax');
});

test('a netsplit is told as one, and its end; who is back at once is not told at all', async () => {
  const { clock, told, comings } = setUp();
  for (const nick of crowd) comings.went(nick, 'irc1.example.net irc2.example.net');
  comings.came('n0');
  await clock.advance(4100);
  expect(told).toEqual(['netsplit (irc1.example.net irc2.example.net): n1, n2, n3, n4 and 295 others lost from #sax']);
  comings.came('stranger');
  for (const nick of crowd.slice(1)) comings.came(nick);
  await clock.advance(4100);
  expect(told.slice(1)).toEqual(['stranger joined #sax', 'netsplit over: n1, n2, n3, n4 and 295 others back in #sax']);
  comings.went('n7', '*.net *.split');
  comings.came('n7');
  await clock.advance(60_000);
  expect(told).toHaveLength(3);
});

test('what goes on for long is told every ten seconds; nobody fakes a split; what we do not see ends is not told', async () => {
  const { clock, told, comings } = setUp();
  for (const nick of crowd.slice(0, 60)) {
    comings.came(nick);
    await clock.advance(1000);
  }
  expect(told.filter((text) => text.includes(', ')).length).toBeGreaterThan(3);
  const before = told.length;
  await clock.advance(600_000);
  comings.went('eve', 'Quit: irc1.example.net irc2.example.net');
  expect(told.slice(before)).toContain('eve left #sax (Quit: irc1.example.net irc2.example.net)');
  const then = told.length;
  for (const nick of crowd) comings.went(nick, '*.net *.split');
  comings.forget();
  comings.came('n1');
  await clock.advance(60_000);
  expect(told.slice(then)).toEqual(['n1 joined #sax']);
});
