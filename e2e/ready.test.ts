import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { askNode, publish, siteYaml, useScene, zoneYaml } from './support/scene.ts';

const SITE = join(import.meta.dirname, '../manifests/demo/site');
const ORIGIN = 'ready.test';
/** What a nameserver says too early is over within milliseconds: one site would seldom show it. */
const SITES = 8;

describe('a site that is ready', () => {
  const scene = useScene('sqlite', { name: 'ready' });

  beforeAll(async () => {
    await scene().cluster.b8sctlOk(['apply', '-f', '-'], { input: zoneYaml('ready', ORIGIN) });
  });

  test('is answered by every nameserver at once: none says that there is no such host', async () => {
    const wrong: string[] = [];
    for (let index = 1; index <= SITES; index += 1) {
      const [name, host] = [`site${index}`, `site${index}.${ORIGIN}`];
      await scene().cluster.b8sctlOk(['apply', '-f', '-'], { input: siteYaml(name, host) });
      await publish(scene(), name, SITE);
      const answers = await Promise.all(
        scene().nodes.map((node) => askNode(node, { name: host, type: 'A' })),
      );
      for (const [at, { values }] of answers.entries())
        if (values.length === 0) wrong.push(`${scene().nodes[at]?.name} does not know ${host}`);
    }
    expect(wrong).toEqual([]);
  });
});
