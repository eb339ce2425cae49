import { describe, expect, it } from 'vitest';
import { type WidgetPage, widgetElement, widgetHead, widgetPage } from '../../../src/app/widget.ts';

const page: WidgetPage = {
  manifest: { file: 'sax-chat.0.js', map: 'sax-chat.0.js.map', integrity: 'sha384-abc' },
  url: '/chat/widget/',
  domain: 'chat.example.org',
  room: 'sax@conference.chat.example.org',
  ws: '/ws',
  bosh: '/bosh',
  session: '/chat/session.php',
  snapshot: '/chat/snapshot/room.json',
  bots: ['webridge', 'relay'],
  title: 'Chat',
};

describe('the tags to paste', () => {
  it('name script, integrity and preload', () => {
    expect(widgetHead(page)).toBe(
      '<link rel="preload" as="fetch" crossorigin="anonymous" href="/chat/snapshot/room.json">\n' +
        '<script type="module" src="/chat/widget/sax-chat.0.js" integrity="sha384-abc" crossorigin="anonymous"></script>',
    );
    expect(widgetHead({ ...page, snapshot: undefined })).not.toContain('preload');
  });

  it('fill the element, and leave out what there is not', () => {
    expect(widgetElement(page).replace(/\s+/g, ' ')).toBe(
      '<sax-chat title="Chat" domain="chat.example.org" room="sax@conference.chat.example.org" ws="/ws" bosh="/bosh" session="/chat/session.php" snapshot="/chat/snapshot/room.json" bots="webridge,relay"></sax-chat>',
    );
    expect(widgetElement({ ...page, bots: [], snapshot: undefined })).not.toMatch(/bots|snapshot/);
  });

  it('escape what the configuration says', () => {
    const hostile = widgetPage({ ...page, title: '</title><script>alert(1)</script>', room: '"><img src=x>' });
    expect(hostile).not.toContain('<script>alert');
    expect(hostile).not.toContain('<img');
  });
});
