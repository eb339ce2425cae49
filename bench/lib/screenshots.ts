import { join } from 'node:path';
import type { BrowserContextOptions } from 'playwright-core';
import { startSite } from '../../test/helpers/chat-page.ts';
import { enterRoom } from '../../test/helpers/person.ts';

const STYLE = `main{max-width:46rem;margin:0 auto;padding:1.5rem}h1{display:none}sax-chat{height:34rem}
@media (max-width:30rem){main{padding:0}body{margin:0}sax-chat{height:100dvh;border-radius:0}}
html{color-scheme:light dark;background:light-dark(#eef0f4,#0e1013)}`;

const LAST_RTL = 'שלום לכולם, the new build works here too';

/** Writes widget-light.png, widget-dark.png, widget-phone.png and widget-rtl.png into `directory`. */
export async function takeScreenshots(directory: string): Promise<void> {
  const site = await startSite();
  try {
    const say = async (nick: string, kind: string, ...texts: string[]) => {
      const person = await enterRoom(site.stack, 'alice', {
        nick,
        localpart: nick.toLowerCase().replaceAll(' ', '\\20'),
      });
      texts.forEach((text, at) => {
        const mark = kind && `<sax xmlns='urn:saxctl:line:0' kind='${kind}'/>`;
        person.send(
          `<message type='groupchat' to='${site.stack.room}' id='${nick.length}-${at}-${text.length}'><body>${text}</body>${mark}</message>`,
        );
      });
      await person.heard(({ id }) => id === `${nick.length}-${texts.length - 1}-${texts.at(-1)?.length}`);
      return person;
    };
    await say(
      'webridge',
      'announcement',
      'Kerm opened the topic “Show your desk, 2026” in Off-topic: https://forum.example.org/t/4711',
    );
    await say('Bob Smith', '', 'morning everyone', 'did anybody try the new build?');
    await say('alice', '', 'yes, since yesterday. The list is there before the page has finished loading');
    await say('ircbridge', 'irc', '&lt;lurker&gt; works from irc too', '&lt;lurker&gt; lines arrive in order, at last');
    await say(
      'Bob Smith',
      '',
      'Tari: could you have a look at https://forum.example.org/t/4712 when you find the time?',
    );
    await say('Елена', '', '/me brings coffee for all');
    const shoot = async (name: string, options: BrowserContextOptions, showPeople: boolean, dir?: 'rtl') => {
      const context = await site.context({ ...options, bypassCSP: true });
      const page = await site.open(context, {
        user: 'Tari',
        ...(dir && { dir, lang: 'ar' }),
        attributes: { title: 'Community chat', bots: 'webridge,ircbridge', tabs: 'each' },
      });
      await page.page.addStyleTag({ content: STYLE });
      if (name === 'light') await page.say('On it. Give me ten minutes.');
      await page.shows(['On it. Give me ten minutes.'], /^On it/);
      if (dir) await page.shows([LAST_RTL], /שלום/);
      if (showPeople) await page.page.locator('sax-chat .people').click();
      await page.page.locator('sax-chat textarea').blur();
      await page.page.screenshot({ path: join(directory, `widget-${name}.png`) });
      await context.close();
    };
    const wide = { viewport: { width: 820, height: 620 }, deviceScaleFactor: 1.5 };
    await shoot('light', { ...wide, colorScheme: 'light' }, true);
    await shoot('dark', { ...wide, colorScheme: 'dark' }, false);
    await shoot('phone', { viewport: { width: 390, height: 720 }, deviceScaleFactor: 2, colorScheme: 'light' }, false);
    await say('ليلى', '', 'صباح الخير جميعا', 'Tari: هل رأيت https://forum.example.org/t/4713 ؟');
    await say('דנה', '', LAST_RTL);
    await shoot('rtl', { ...wide, colorScheme: 'light' }, true, 'rtl');
  } finally {
    await site.close();
  }
}
