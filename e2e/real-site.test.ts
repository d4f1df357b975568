import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NodeOptions } from './support/cluster.ts';
import { browser } from './support/https.ts';
import {
  describeOnStores,
  edgeOf,
  publish,
  type Scene,
  siteYaml,
  useScene,
} from './support/scene.ts';

const DOCUMENTATION = '/usr/share/doc/postgresql-doc-15/html';
const HOST = 'docs.example.test';
const CHANGED = 'tutorial-start.html';
/** Requests side by side, of one node. */
const CLIENTS = 8;

if (!existsSync(DOCUMENTATION)) {
  if (process.env['CI'] === 'true') throw new Error('apt-get install postgresql-doc-15');
  describe.skip('a real site (skipped: apt-get install postgresql-doc-15)', () =>
    test('a real site', () => undefined));
} else {
  await describeOnStores('a real site of more than a thousand files', (kind) => {
    const scene = useScene(kind, { name: 'real-site' });
    const folder = mkdtempSync(join(tmpdir(), 'b8s-docs-'));
    let files: readonly string[] = [];

    beforeAll(async () => {
      cpSync(DOCUMENTATION, folder, { recursive: true, dereference: true });
      files = filesIn(folder);
      await scene().cluster.b8sctlOk(['apply', '-f', '-'], { input: siteYaml('docs', HOST) });
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test('pushed, it is served from all three nodes byte for byte, with equal ETags', async () => {
      expect(files.length).toBeGreaterThan(1000);
      const startMs = performance.now();
      const { stderr } = await publish(scene(), 'docs', folder);
      console.log(`${kind}: ${files.length} files on three nodes in ${seconds(startMs)}`);
      expect(stderr).toContain(`${files.length} files`);
      const etags = await Promise.all(
        scene().nodes.map((node) => compareAll(scene(), node, { folder, files })),
      );
      expect(etags[0]?.size).toBe(files.length);
      for (const each of etags) expect(each).toEqual(etags[0]);
    }, 300_000);

    test('updated by changing one file: only that blob travels, to dom and to each node', async () => {
      const before = scene().nodes.map((node) => blobsOf(scene(), node));
      const changed = Buffer.from(`${readFileSync(join(folder, CHANGED), 'utf8')}<!-- 2 -->\n`);
      writeFileSync(join(folder, CHANGED), changed);
      const { stderr } = await publish(scene(), 'docs', folder);
      expect(stderr).toMatch(/; 1 files? uploaded/);
      for (const [index, node] of scene().nodes.entries()) {
        const gained = blobsOf(scene(), node).filter((blob) => !before[index]?.includes(blob));
        // The changed file, and the manifest of the release; compressed forms come when they are made.
        const forms = formsOf(scene(), node);
        expect(gained.filter((blob) => !forms.has(blob))).toHaveLength(2);
        expect(gained).toContain(createHash('sha256').update(changed).digest('hex'));
        await compareAll(scene(), node, { folder, files });
      }
    }, 300_000);

    test('rolled back by rollout undo: the former bytes again, on every node', async () => {
      await scene().cluster.b8sctlOk(['rollout', 'undo', 'site/docs']);
      const wait = ['rollout', 'status', 'site/docs', '--timeout', '60s'];
      await scene().cluster.b8sctlOk(wait, { timeoutMs: 70_000 });
      cpSync(join(DOCUMENTATION, CHANGED), join(folder, CHANGED));
      for (const node of scene().nodes)
        await compareAll(scene(), node, { folder, files: [CHANGED] });
    });
  });
}

/** Fetches every file over kept connections and compares it with the disk. Gives the ETags. */
async function compareAll(
  scene: Scene,
  node: NodeOptions,
  { folder, files }: { readonly folder: string; readonly files: readonly string[] },
): Promise<ReadonlyMap<string, string>> {
  const client = browser(HOST, scene.ca(), { keepAlive: true });
  const etags = new Map<string, string>();
  const queue = files.values();
  const work = async (): Promise<void> => {
    for (const file of queue) {
      const page = await client.get(
        edgeOf(node),
        `/${file.split('/').map(encodeURIComponent).join('/')}`,
      );
      const same = page.status === 200 && page.body.equals(readFileSync(join(folder, file)));
      if (!same)
        throw new Error(`${node.name}: ${file}: ${page.status}, ${page.body.length} bytes`);
      etags.set(file, String(page.headers['etag']));
    }
  };
  try {
    await Promise.all(Array.from({ length: CLIENTS }, work));
  } finally {
    client.close();
  }
  return new Map([...etags].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The whole blobs on this node's disk, by their hex digest. */
function blobsOf({ cluster }: Scene, node: NodeOptions): readonly string[] {
  return filesIn(join(cluster.subDir(node.name), 'blobs')).map((path) => path.slice(-64));
}

/** The indexes of compressed forms on this node's disk, and the forms that they name. */
function formsOf({ cluster }: Scene, node: NodeOptions): ReadonlySet<string> {
  const folder = join(cluster.subDir(node.name), 'blobs');
  const indexes = filesIn(folder)
    .map((path) => ({ hex: path.slice(-64), text: readFileSync(join(folder, path), 'latin1') }))
    .filter(({ text }) => text.startsWith('b8s-variants '));
  const forms = indexes.flatMap(({ text }) => text.match(/(?<=:)[0-9a-f]{64}(?=:)/gu) ?? []);
  return new Set([...indexes.map(({ hex }) => hex), ...forms]);
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isFile())
    .toSorted();
}

function seconds(startMs: number): string {
  return `${((performance.now() - startMs) / 1000).toFixed(1)} s`;
}
