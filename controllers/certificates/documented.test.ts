import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { kinds } from '../../api/kinds.ts';
import { validateObject } from '../../api/validate.ts';

const ROOT = join(import.meta.dirname, '../..');
const ROOMS = ['controllers/acme', 'controllers/certificates'];
/** Words of the code that look like reasons and are none; another one like these comes here. */
const OTHERS: ReadonlySet<string> = new Set([
  ...kinds.map(({ kind }) => kind),
  ...['True', 'False', 'Unknown', 'Normal', 'Warning'],
  ...['Ready', 'Renewable', 'Current'],
]);

const TEXT = readFileSync(join(ROOT, 'docs/certificates.md'), 'utf8');

test('docs/certificates.md explains each reason, and none that there is not', () => {
  expect([...documentedReasons(TEXT)].toSorted()).toEqual([...reasonsOfCode()].toSorted());
});

test('what docs/certificates.md declares and patches is accepted', () => {
  const blocks = [...TEXT.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, block = '']) => block);
  const declared = blocks.filter((block) => block.includes('kind:'));
  const patches = [...TEXT.matchAll(/ patch (\w+)\/\w+ -p '(.*?)'/gs)];
  expect(declared.length).toBeGreaterThan(2);
  expect(patches.length).toBeGreaterThan(1);
  const objects: unknown[] = [
    ...declared.map((block) => parse(block) as unknown),
    ...patches.map(([, kind = '', patch = '']) => patched(kind, parse(patch) as Patch)),
  ];
  for (const object of objects)
    expect({ object, violations: violationsOf(object) }).toEqual({ object, violations: [] });
});

interface Patch {
  readonly spec: object;
}

function patched(kind: string, { spec }: Patch): unknown {
  const bases: Readonly<Record<string, object>> = {
    site: { kind: 'Site', spec: { hosts: ['blog.example.com'], ...spec } },
    certificate: { kind: 'Certificate', spec: { names: ['blog.example.com'], ...spec } },
  };
  return { apiVersion: 'b8s.dev/v1', metadata: { name: 'blog' }, ...bases[kind] };
}

/** A folder is for b8sctl, which writes the release that it made of it instead. */
function violationsOf(object: unknown): unknown {
  const { spec } = object as { spec: { content?: object } };
  const { content: _, ...rest } = spec;
  const outcome = validateObject({ ...(object as object), spec: rest });
  return 'violations' in outcome ? outcome.violations : [];
}

/** The first words of rows whose header says `reason`; of conditions these come second. */
function documentedReasons(text: string): ReadonlySet<string> {
  const reasons = new Set<string>();
  let column = -1;
  for (const line of text.split('\n')) {
    const cells = line.startsWith('|') ? line.split('|').slice(1) : [];
    if (cells.length === 0) column = -1;
    else if (column < 0) column = cells.findIndex((cell) => cell.trim() === 'reason');
    if (column < 0) continue;
    for (const [, word = ''] of (cells[column] ?? '').matchAll(/`(\w+)`/g)) reasons.add(word);
  }
  return reasons;
}

function reasonsOfCode(): ReadonlySet<string> {
  const files = ROOMS.flatMap((room) =>
    readdirSync(join(ROOT, room))
      .filter((name) => name.endsWith('.ts') && !/test/.test(name))
      .map((name) => join(ROOT, room, name)),
  );
  const words = files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      // The names of classes of errors are no reasons.
      .filter((line) => !line.includes('override readonly name'))
      .flatMap((line) => [...line.matchAll(/'((?:[A-Z][a-z]+)+)'/g)].map(([, word = '']) => word)),
  );
  return new Set(words.filter((word) => !OTHERS.has(word)));
}
