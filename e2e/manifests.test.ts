import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { describeOnStores, useScene } from './support/scene.ts';

const FOLDER = join(import.meta.dirname, '../manifests');
const FILES = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.ya?ml$/.test(path))
  .toSorted();

await describeOnStores('manifests/', (kind) => {
  const scene = useScene(kind, { name: 'manifests', nodes: 0 });

  test.each(FILES)('%s would be applied, says the server', async (file) => {
    const args = ['apply', '-f', join(FOLDER, file), '--dry-run=server'];
    const { exitCode, stdout, stderr } = await scene().cluster.b8sctl(args);
    expect({ exitCode, stderr: complaints(stderr) }).toEqual({ exitCode: 0, stderr: [] });
    expect(stdout).toMatch(/ created \(server dry run\)\n/);
  });

  test.each(FILES)('%s is applied, and a second time it is unchanged', async (file) => {
    const args = ['apply', '-f', join(FOLDER, file)];
    await scene().cluster.b8sctlOk(args);
    const again = await scene().cluster.b8sctlOk(args);
    expect(
      again
        .trim()
        .split('\n')
        .every((line) => line.endsWith(' unchanged')),
    ).toBe(true);
    expect((await scene().cluster.b8sctl(['diff', '-f', join(FOLDER, file)])).exitCode).toBe(0);
  });

  test('every example is found', () => {
    expect(FILES.map((file) => relative('.', file))).toEqual(
      expect.arrayContaining([
        'demo/site.yaml',
        'demo/zone.yaml',
        'node.yaml',
        'site.yaml',
        'zone.yaml',
      ]),
    );
  });
});

/** Lines on stderr that do not tell of progress. */
function complaints(stderr: string): readonly string[] {
  return stderr.split('\n').filter((line) => /error|warning/i.test(line));
}
