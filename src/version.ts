declare global {
  var SAXCTL_VERSION: string | undefined;
  var SAXCTL_COMMIT: string | undefined;
}

/** Set by the build; sources that run unbuilt are "development". */
const version = globalThis.SAXCTL_VERSION ?? 'development';
const commit = globalThis.SAXCTL_COMMIT;

/** `0.1.0 (commit 0123456789ab, Node v20.19.0)` */
export const VERSION_LINE = `${version} (${commit ? `commit ${commit}, ` : ''}Node ${process.version})`;
