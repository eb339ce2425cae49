/**
 * The web server's part, each line with its why: one text for the private stack and for what `saxctl init` writes.
 * The timeouts were measured: with nginx's 60 s a quiet WebSocket is closed and a held BOSH poll gets a 504.
 */

export type ChatSite = {
  /** `listen` lines, for example `443 ssl http2` or `127.0.0.1:8080`. */
  readonly listen: readonly string[];
  readonly serverName: string;
  /** host:port of ejabberd's HTTP listener. */
  readonly ejabberd: string;
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** Directory of the widget's built files (their names hold a hash). */
  readonly widget: string;
  /** Directory of the snapshot that webridge writes. */
  readonly snapshot: string;
  /** Document root of the rest; none: the locations stand alone, to be put into the site's own server block. */
  readonly root?: string;
};

/** What belongs outside of `server { }`. */
export function nginxUpstream(site: ChatSite): string {
  return `map $http_upgrade $sax_connection {
  default upgrade;
  '' '';
}
upstream sax_ejabberd {
  server ${site.ejabberd};
  # Else every BOSH request opens a connection of its own.
  keepalive 16;
}
`;
}

/** The locations of the chat, to be put into the site's `server { }`. */
export function nginxLocations(site: ChatSite): string {
  return `  location = /ws {
    proxy_pass http://sax_ejabberd/ws;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $sax_connection;
    proxy_set_header Host $host;
    # Without the browser's address a ban on wrong passwords would lock out everybody.
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_buffering off;
    # Longer than ejabberd's own pings and its 5 minutes of patience.
    proxy_read_timeout 360s;
    proxy_send_timeout 60s;
  }
  location = /bosh {
    proxy_pass http://sax_ejabberd/bosh;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_buffering off;
    proxy_request_buffering off;
    # A poll is held for up to 60 s.
    proxy_read_timeout 75s;
    client_max_body_size 256k;
    gzip off;
    add_header Cache-Control no-store always;
  }
  # The room's last lines, written by webridge: asked for again each time, answered with 304 mostly.
  location /chat/snapshot/ {
    alias ${site.snapshot}/;
    add_header Cache-Control "no-cache" always;
  }
  # File names hold a hash: never asked for twice.
  location /chat/widget/ {
    alias ${site.widget}/;
    add_header Cache-Control "public, max-age=31536000, immutable";
    # A third of the bytes.
    gzip on;
    gzip_comp_level 9;
    gzip_types application/javascript text/javascript application/json;
  }
`;
}

/** A whole site, for those who have none yet. /api is never passed on: all the world would count as loopback. */
export function nginxSite(site: ChatSite): string {
  const tls =
    site.tls === undefined
      ? ''
      : `  ssl_certificate ${site.tls.certificate};\n  ssl_certificate_key ${site.tls.key};\n`;
  return `${nginxUpstream(site)}server {
${site.listen.map((where) => `  listen ${where};`).join('\n')}
  server_name ${site.serverName};
${tls}${site.root === undefined ? '' : `  root ${site.root};\n  index index.html;\n`}${nginxLocations(site)}}
`;
}
