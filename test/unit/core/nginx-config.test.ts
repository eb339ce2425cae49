import { describe, expect, it } from 'vitest';
import { nginxSite } from '../../../src/core/nginx-config.ts';

const site = {
  listen: ['443 ssl http2'],
  serverName: 'example.org',
  ejabberd: '127.0.0.1:5280',
  widget: '/usr/share/saxctl/widget',
  snapshot: '/var/lib/saxctl/snapshot',
};

/** The braces of nginx must close, or the whole web server does not start. */
const depth = (text: string): number => [...text].reduce((sum, c) => sum + (c === '{' ? 1 : c === '}' ? -1 : 0), 0);

describe('the nginx site', () => {
  it('waits longer than ejabberd holds a poll or lets a WebSocket rest', () => {
    const text = nginxSite(site);
    const [ws, bosh] = [...text.matchAll(/proxy_read_timeout (\d+)s/g)].map(([, seconds]) => Number(seconds));
    expect(ws).toBeGreaterThan(300);
    expect(bosh).toBeGreaterThan(60);
    expect(depth(text)).toBe(0);
  });

  it('never passes the API on: all the world would count as loopback', () => {
    expect(nginxSite(site)).not.toMatch(/location[^{]*\/api/);
  });

  it('has TLS and a root only where they are given', () => {
    expect(nginxSite(site)).not.toMatch(/ssl_certificate|^ {2}root /m);
    const full = nginxSite({ ...site, root: '/srv/www', tls: { certificate: '/c.pem', key: '/k.pem' } });
    expect(full).toMatch(/ssl_certificate \/c\.pem;[\s\S]*ssl_certificate_key \/k\.pem;[\s\S]*root \/srv\/www;/);
    expect(depth(full)).toBe(0);
  });
});
