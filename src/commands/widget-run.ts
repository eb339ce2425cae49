import { basename } from 'node:path';
import { type WidgetPage, widgetElement, widgetHead, widgetPage } from '../app/widget.ts';
import type { Config } from '../config/load.ts';
import { EXIT, type ExitCode } from '../core/errors.ts';
import { installFiles } from '../edges/files/install.ts';
import { readBuiltWidget } from '../edges/files/widget.ts';
import type { Context } from './command.ts';

/** Stands in the tags where the configuration names no domain. */
const EXAMPLE_DOMAIN = 'chat.example.org';

/** Writes the widget's files into `directory` and prints what to paste into a page. */
export async function runWidget(
  context: Context,
  directory: string,
  options: Readonly<Record<string, unknown>>,
): Promise<ExitCode> {
  const { xmpp, webridge, ircbridge } = await context.config();
  const { manifest, files } = await readBuiltWidget(context.program);
  if (xmpp.domain === undefined)
    context.log.warn('config', `[xmpp] domain is not set: the tags say ${EXAMPLE_DOMAIN}, put yours there`);
  const domain = xmpp.domain ?? EXAMPLE_DOMAIN;
  const text = (name: string) => String(options[name] ?? '');
  const given = text('snapshot') || undefined;
  const page: WidgetPage = {
    manifest,
    url: text('url').replace(/\/*$/, '/'),
    domain,
    room: xmpp.room ?? `sax@${xmpp.muc_service ?? `conference.${domain}`}`,
    ws: text('ws'),
    bosh: text('bosh'),
    session: text('session'),
    snapshot: given ?? (webridge.snapshot === undefined ? undefined : `/chat/snapshot/${basename(webridge.snapshot)}`),
    bots: [nickOf(webridge), nickOf(ircbridge)].filter((nick) => nick !== ''),
    title: text('title'),
  };
  const all = new Map(files).set('index.html', new TextEncoder().encode(widgetPage(page)));
  const { written, unchanged } = await installFiles(directory, all, options['force'] === true);
  context.log.info('written', `${written.length} files written, ${unchanged.length} were there already`, { directory });
  const head = widgetHead(page);
  const element = widgetElement(page);
  context.io.stdout.write(
    options['json'] === true
      ? `${JSON.stringify({ ...manifest, directory, written, unchanged, head, element })}\n`
      : `<!-- in <head> -->\n${head}\n\n<!-- where the chat is to be -->\n${element}\n`,
  );
  return EXIT.done;
}

/** A bot's nickname as the bridges choose it: the configured one, else the localpart. */
function nickOf({ jid, nick }: Config['webridge'] | Config['ircbridge']): string {
  return nick ?? jid?.split('@')[0] ?? '';
}
