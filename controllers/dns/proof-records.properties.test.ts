import { expect, test } from 'vitest';
import type { RecordSetRecord } from '../../runtime/store/records.ts';
import { withProofs } from './proof-records.ts';

const ORIGIN = 'z.test';
const LABELS = ['a', 'b', '_acme-challenge', '*'];
const ROUNDS = 200;

test('whatever the zone is, each question but one for a proof is answered as without proofs', () => {
  const wrong: string[] = [];
  let copies = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const draw = drawing(round + 1);
    const records = zoneOf(draw);
    const hosts = new Set(
      draw(3) === 0 ? [`${nameOf(draw, 2)}.${ORIGIN}`.replaceAll('*', 'a')] : [],
    );
    const owners = Array.from({ length: 1 + draw(3) }, () => `_acme-challenge.${nameOf(draw, 2)}`);
    const proofs = owners
      .filter((owner) => !owner.includes('*'))
      .map((owner) => ({ kind: 'text', name: `${owner}.${ORIGIN}`, value: 'x' }) as const);
    const given = { records, problems: [] };
    const after = withProofs(given, { origin: ORIGIN, hosts, proofs });
    copies += after.records.length - records.length - new Set(proofs.map(({ name }) => name)).size;
    for (const name of questions()) {
      const isAboutProof = proofs.some(
        (proof) => name === proof.name || name.endsWith(`.${proof.name}`),
      );
      if (isAboutProof || hosts.has(name)) continue;
      for (const type of ['A', 'MX']) {
        const [before, now] = [records, after.records].map((each) =>
          answer(each, { hosts, name, type }),
        );
        if (now?.join() !== before?.join()) wrong.push(`round ${round}: ${name} ${type}`);
      }
    }
  }
  expect(wrong).toEqual([]);
  // Else this shows nothing.
  expect(copies).toBeGreaterThan(ROUNDS / 10);
});

/** RFC 1034 §4.3.2 with RFC 4592 §3.3.1: what is there, or the wildcard below the closest encloser. */
function answer(
  records: readonly RecordSetRecord[],
  { hosts, name, type }: { hosts: ReadonlySet<string>; name: string; type: string },
): readonly string[] {
  const owners = [...records.map((set) => set.name), ...hosts];
  const exists = (at: string): boolean =>
    at === ORIGIN || owners.some((owner) => owner === at || owner.endsWith(`.${at}`));
  const valuesAt = (at: string): readonly string[] =>
    records.find((set) => set.name === at && set.type === type)?.values ?? [];
  if (exists(name)) return valuesAt(name);
  let encloser = name;
  while (!exists(encloser)) encloser = encloser.slice(encloser.indexOf('.') + 1);
  return valuesAt(`*.${encloser}`);
}

function zoneOf(draw: (below: number) => number): readonly RecordSetRecord[] {
  const sets = new Map<string, RecordSetRecord>();
  for (let count = draw(5); count >= 0; count -= 1) {
    const name = `${nameOf(draw, 3)}.${ORIGIN}`;
    const type = draw(2) === 0 ? 'A' : 'MX';
    sets.set(`${name} ${type}`, { name, type, ttlS: 60, values: [`${type} of ${name}`] });
  }
  return [...sets.keys()].toSorted().flatMap((key) => sets.get(key) ?? []);
}

/** A `*` only as the first label: elsewhere it stands for nothing. */
function nameOf(draw: (below: number) => number, labelsMax: number): string {
  const labels = Array.from({ length: 1 + draw(labelsMax) }, () => LABELS[draw(2)] ?? 'a');
  return draw(3) === 0 ? ['*', ...labels.slice(1)].join('.') : labels.join('.');
}

function questions(): readonly string[] {
  const one = ['a', 'b', 'c', '_acme-challenge'];
  const two = one.flatMap((label) => one.map((above) => `${label}.${above}`));
  const three = one.flatMap((label) => two.map((above) => `${label}.${above}`));
  return [...one, ...two, ...three].map((name) => `${name}.${ORIGIN}`);
}

function drawing(seed: number): (below: number) => number {
  let state = seed * 0x9e3779b1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
