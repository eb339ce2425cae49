import { afterEach, expect, it, vi } from 'vitest';

type Attribute = (name: string) => string | undefined;
// By its URL: it is written for browsers, whose types these tests do not have.
const { findAccount } = (await import(new URL('../../../widget/src/account.ts', import.meta.url).href)) as {
  findAccount(
    attribute: Attribute,
    fresh: boolean,
  ): Promise<{ local: string; nick: string; password: string } | undefined>;
};

afterEach(() => void vi.unstubAllGlobals());

const ask = (response: Response | Error, attributes: Readonly<Record<string, string>> = {}, fresh = false) => {
  const fetched = vi.fn(async () => {
    if (response instanceof Error) throw response;
    return response;
  });
  vi.stubGlobal('fetch', fetched);
  return findAccount((name) => ({ session: '/session', ...attributes })[name as 'session'], fresh);
};

it('takes the member that the site names', async () => {
  const found = await ask(Response.json({ user: 'Bob Smith', password: 'token' }));
  expect(found).toEqual({ local: 'Bob\\20Smith', nick: 'Bob Smith', password: 'token' });
});

it.each([401, 403, 404])('is a guest after %i', async (status) => {
  expect(await ask(new Response('', { status }))).toBeUndefined();
});

it('is a guest where the site names nobody', async () => {
  expect(await ask(Response.json({ user: null }))).toBeUndefined();
});

// A member is not shown as logged out, and his cache not emptied, because he opened too many pages at once.
it.each([408, 425, 429, 500, 502, 503])('asks again after %i', async (status) => {
  await expect(ask(new Response('slow down', { status }))).rejects.toThrow();
});

it('asks again after a page of a captive portal, and after nothing', async () => {
  await expect(ask(new Response('<!doctype html><p>Welcome to our WLAN'))).rejects.toThrow();
  await expect(ask(new TypeError('Failed to fetch'))).rejects.toThrow();
});

it('prefers what the page says, until that was refused', async () => {
  const page = { user: 'tari', password: 'old' };
  expect((await ask(new Error('not asked'), page))?.password).toBe('old');
  expect((await ask(Response.json({ user: 'tari', password: 'new' }), page, true))?.password).toBe('new');
});
