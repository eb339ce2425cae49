/** What scripts/build-widget.mjs says about what it built: names beside the manifest, and the value of `integrity=`. */
export type WidgetManifest = { readonly file: string; readonly map: string; readonly integrity: string };
