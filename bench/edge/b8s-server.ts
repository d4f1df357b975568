import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MEMORY_CACHE_LIMITS } from '../../agent/edge/blobs/memory-cache.ts';
import { publish, testSite, testSnapshot } from '../../agent/plane/plane-fixture.ts';
import { blobPath, digestOf } from '../../runtime/content/digest.ts';
import { encodeVariants, type Variant } from '../../runtime/content/variants.ts';
import { openBenchPlane } from '../plane.ts';

/*
 * node bench/edge/b8s-server.ts PORT FOLDER CHAIN.pem KEY.pem: the data plane of an edge, as sub runs
 * it, with one edge worker, serving the folder at https://localhost; what lies there as `NAME.gz` is
 * the compressed form of `NAME`. Ends on SIGTERM.
 */
const [port = '', root = '', chain = '', key = ''] = process.argv.slice(2);
const { plane, disk, close } = await openBenchPlane({
  httpsPort: Number(port),
  cacheBytesMax: MEMORY_CACHE_LIMITS.budgetBytes,
});
process.once('SIGTERM', () => void close().then(() => process.exit(0)));
const release = await publishFolder();
const index = encodeVariants(await publishForms());
await disk.write(blobPath(digestOf(index)), index);
const variants = [{ release, index: digestOf(index), absent: [] }];
const certificate = {
  names: ['localhost'],
  fingerprint: 'bench',
  chainPem: await readFile(chain, 'utf8'),
  keyPem: await readFile(key, 'utf8'),
};
const edge = {
  sites: [testSite({ release, variants, hosts: ['localhost'] })],
  certificates: [certificate],
};
const { problems } = await plane.apply(testSnapshot(1, { edge }));
if (problems[0] !== undefined) throw new Error(`b8s does not serve: ${problems[0]}`);

async function pathsOf(keep: (name: string) => boolean): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && keep(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

async function publishFolder(): Promise<Awaited<ReturnType<typeof publish>>> {
  const files: Record<string, Uint8Array> = {};
  for (const path of await pathsOf((name) => !name.endsWith('.gz')))
    files[path.slice(root.length + 1)] = await readFile(path);
  return publish(disk, files);
}

async function publishForms(): Promise<Map<ReturnType<typeof digestOf>, readonly Variant[]>> {
  const forms = new Map<ReturnType<typeof digestOf>, readonly Variant[]>();
  for (const path of await pathsOf((name) => name.endsWith('.gz'))) {
    const bytes = await readFile(path);
    const digest = digestOf(bytes);
    await disk.write(blobPath(digest), bytes);
    const source = digestOf(await readFile(path.slice(0, -'.gz'.length)));
    forms.set(source, [{ coding: 'gzip', digest, sizeBytes: bytes.length }]);
  }
  return forms;
}
