import { isBuiltin } from 'node:module';
import { build, type Metafile, type Plugin } from 'esbuild';
import { moved } from './moved.ts';

/** The oldest that b8s was seen to run on; the tests run on what package.json pins. */
export const NODE_MAJOR_MIN = 24;

/** What each program and worker thread starts from, by its name in the bundle. */
const ENTRIES: Readonly<Record<string, string>> = {
  dom: 'dom/main.ts',
  sub: 'agent/main.ts',
  b8sctl: 'cli/main.ts',
  'sqlite-worker': 'dom/store/sqlite/main.ts',
  'plane-worker': 'agent/plane/main.ts',
  'geo-compiler': 'agent/plane/geo/main.ts',
};

/** CommonJS packages expect these names, which an ES module does not have. */
const COMMONJS_NAMES = `
import { createRequire as bundleCreateRequire } from 'node:module';
const require = bundleCreateRequire(import.meta.url);
const __dirname = import.meta.dirname;
`;

/**
 * Bundles the programs into the folder `out`, with what they share in chunks beside them: what
 * a program imports only when it needs it is read only then.
 *
 * Names and lines are kept, so that a stack trace reads without source maps.
 *
 * Errors: throws when a bundle would still need a package from node_modules.
 */
export async function bundle({
  root,
  out,
}: {
  readonly root: string;
  readonly out: string;
}): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ENTRIES,
    outdir: out,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunk-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: `node${NODE_MAJOR_MIN}`,
    minifySyntax: true,
    legalComments: 'none',
    banner: { js: COMMONJS_NAMES },
    metafile: true,
    logLevel: 'warning',
    plugins: [moved(root), unusedLoader()],
  });
  const missing = packagesLeftOut(metafile);
  if (missing.length > 0) throw new Error(`not in the bundle: ${missing.join(', ')}`);
  return metafile;
}

/**
 * gRPC can describe itself by .proto files (channelz, ORCA), which nobody here asks it to: what it
 * would read them with, protobufjs above all, is 290 KB that each sub would hold in memory.
 */
function unusedLoader(): Plugin {
  const contents = `module.exports = { loadSync() { throw new Error('left out of the bundle'); } };`;
  return {
    name: 'unused loader',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^@grpc\/proto-loader$/ }, ({ importer }) =>
        importer.includes('/@grpc/grpc-js/') ? { path: 'proto-loader', namespace: UNUSED } : null,
      );
      onLoad({ filter: /.*/, namespace: UNUSED }, () => ({ contents }));
    },
  };
}

const UNUSED = 'unused';

function packagesLeftOut({ outputs }: Metafile): readonly string[] {
  const imports = Object.values(outputs).flatMap((output) => output.imports);
  const outside = imports.filter(({ external, path }) => external === true && !isBuiltin(path));
  return [...new Set(outside.map(({ path }) => path))].toSorted();
}
