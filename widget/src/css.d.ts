declare module '*.css' {
  /** The sheet's text, minified by scripts/build-widget.mjs. */
  const text: string;
  export default text;
}
