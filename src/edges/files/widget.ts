import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EXIT, SaxError } from '../../core/errors.ts';
import type { WidgetManifest } from '../../core/widget-manifest.ts';

export type BuiltWidget = { readonly manifest: WidgetManifest; readonly files: ReadonlyMap<string, Uint8Array> };

/**
 * The widget's built files, from the package that `program` (bin/saxctl.js) belongs to.
 * @throws SaxError with exit 69 when it was not built.
 */
export async function readBuiltWidget(program: string): Promise<BuiltWidget> {
  const directory = join(dirname(dirname(program)), 'dist', 'widget');
  try {
    const manifest = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8')) as WidgetManifest;
    const files = new Map<string, Uint8Array>();
    for (const name of [manifest.file, manifest.map]) files.set(name, await readFile(join(directory, name)));
    return { manifest, files };
  } catch (error) {
    throw new SaxError(EXIT.unavailable, `the widget is not in this installation: ${directory}`, {
      hint: 'run: npm run build',
      cause: error,
    });
  }
}
