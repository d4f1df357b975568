import { createHash } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Resource } from '../api/object.ts';
import { tarOf } from '../cli/content/archives.fixture.ts';
import { ApiError, type DeclaredObject } from '../runtime/api-client.ts';
import { grpcApi } from '../runtime/node/grpc/api.ts';
import { describeOnStores, type Scene, siteYaml, useScene, zoneYaml } from './support/scene.ts';

interface Refused {
  readonly when: string;
  readonly yaml: string;
  /** All of them are in what b8sctl says: the field, the line, and how to mend it. */
  readonly says: readonly (string | RegExp)[];
}

const LABEL_64 = 'a'.repeat(64);

const CASES: readonly Refused[] = [
  {
    when: 'an unknown field',
    yaml: siteYaml('bad', 'bad.example.test', '  routng: { policy: nearest }\n'),
    says: ['spec.routng', 'did you mean "routing"?', '(-:6)'],
  },
  {
    when: 'a wrong type',
    yaml: siteYaml('bad', 'bad.example.test', '  ttl: soon\n'),
    says: ['spec.ttl "soon"', /whole number|integer/, '(-:6)'],
  },
  {
    when: 'a host that another Site has',
    yaml: siteYaml('bad', 'taken.example.test'),
    says: ['spec.hosts[0]', 'taken.example.test', /site\/?\s*"?(default\/)?first/i],
  },
  {
    when: 'a bad IP address',
    yaml: nodeYaml('ipv4: [192.0.2.300]'),
    says: ['spec.ipv4[0] "192.0.2.300"', 'e.g.', '(-:5)'],
  },
  {
    when: 'latitude 91',
    yaml: nodeYaml('location: { latitude: 91, longitude: 0 }'),
    says: ['spec.location.latitude', '90', '(-:5)'],
  },
  {
    when: 'a label of 64 bytes',
    yaml: siteYaml('bad', `${LABEL_64}.example.test`),
    says: ['spec.hosts[0]', '63', '(-:5)'],
  },
  {
    when: 'a label of 64 bytes in a record',
    yaml: zoneYaml('bad', 'bad.test', `[{ name: ${LABEL_64}, type: A, values: [192.0.2.1] }]`),
    says: ['spec.records[0].name', '63', '(-:6)'],
  },
  { when: 'a YAML alias bomb', yaml: aliasBomb(), says: [/alias/, /-:\d+/] },
  {
    when: 'a document of over 10 MB',
    yaml: `${siteYaml('bad', 'bad.example.test')}# ${'x'.repeat(10_000_001)}\n`,
    says: ['at most 10000000 (10 MB) are possible: split it into several files'],
  },
];

await describeOnStores('refused inputs', (kind) => {
  const scene = useScene(kind, { name: 'refused-input', nodes: 0 });

  beforeAll(async () => {
    const input = siteYaml('first', 'taken.example.test');
    await scene().cluster.b8sctlOk(['apply', '-f', '-'], { input });
  });

  test.each(CASES)(
    '$when: exit code 1, the message names field, line and mend, nothing changes',
    async ({ yaml, says }) => {
      const before = await everything(scene());
      const { exitCode, stdout, stderr } = await scene().cluster.b8sctl(['apply', '-f', '-'], {
        input: yaml,
      });
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      for (const part of says) expect(stderr).toMatch(part);
      expect(await everything(scene())).toEqual(before);
    },
  );

  test('dom refuses them by itself too, whoever the client is', async () => {
    const api = grpcApi(scene().cluster.connection(), { requestTimeoutMs: 5_000, command: 'e2e' });
    const before = await everything(scene());
    try {
      for (const { yaml, says } of CASES.filter((each) => each.says.length > 2)) {
        const refused = api.apply(parse(yaml) as DeclaredObject, { manager: 'e2e' });
        const error = await refused.then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(error).toMatchObject({ reason: 'Invalid' });
        const [field = ''] = String(says[0]).split(' ');
        const violations = error instanceof ApiError ? error.violations : [];
        expect(violations.map(({ path }) => path)).toContain(field);
      }
    } finally {
      api.close();
    }
    expect(await everything(scene())).toEqual(before);
  });

  test('a hostile archive is refused whole, with its entries named: nothing of it comes to dom', async () => {
    const { cluster } = scene();
    const before = await everything(scene());
    const bait = '<h1>bait</h1>';
    const archive = join(cluster.stateDir, 'site.tar');
    const link = { name: 'link', type: '2' };
    const bytes = tarOf([{ name: 'index.html', body: bait }, { name: '../../etc/x' }, link]);
    writeFileSync(archive, bytes);
    const said = await cluster.b8sctl(['push', archive, '--site', 'first']);
    expect(said).toMatchObject({ exitCode: 1, stdout: '' });
    expect(said.stderr).toContain('../../etc/x has a part ".."; rename it');
    expect(said.stderr).toContain('link is a symbolic link; replace it');
    expect(await everything(scene())).toEqual(before);
    const blobs = join(cluster.stateDir, 'dom/blobs');
    const held = existsSync(blobs) ? readdirSync(blobs, { recursive: true }) : [];
    const digest = createHash('sha256').update(bait).digest('hex');
    expect(held.filter((name) => String(name).includes(digest))).toEqual([]);
  });

  test('a good object among bad ones is applied all the same', async () => {
    const bad = CASES[0]?.yaml ?? '';
    const input = `${bad}---\n${siteYaml('good', 'good.example.test')}`;
    const { exitCode, stdout } = await scene().cluster.b8sctl(['apply', '-f', '-'], { input });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: 'site.b8s.dev/good created\n' });
  });
});

/** All that a person has declared; what controllers say of it may still change. */
async function everything({ cluster }: Scene): Promise<unknown> {
  const kinds = 'sites,zones,nodes,issuers,releases';
  const { items } = JSON.parse(await cluster.b8sctlOk(['get', kinds, '-A', '-o', 'json'])) as {
    readonly items: readonly Resource[];
  };
  return items.map(({ kind, metadata: { name, uid, generation }, spec }) => {
    return { kind, name, uid, generation, spec };
  });
}

function nodeYaml(field: string): string {
  return `apiVersion: b8s.dev/v1
kind: Node
metadata: { name: bad }
spec:
  ${field}
`;
}

/** Ten lists of ten aliases of the one before: ten thousand million nodes. */
function aliasBomb(): string {
  const lists = Array.from({ length: 10 }, (_, level) => {
    const item = level === 0 ? 'x' : `*l${level - 1}`;
    return `  l${level}: &l${level} [${Array.from({ length: 10 }, () => item).join(', ')}]`;
  });
  return `${siteYaml('bad', 'bad.example.test')}bomb:\n${lists.join('\n')}\n`;
}
