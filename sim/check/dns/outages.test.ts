import { expect, test } from 'vitest';
import { seededRandom } from '../../engine/random.ts';
import { type Contact, Outages } from './outages.ts';

const NODES = ['london', 'tokyo', 'sydney', 'lima'];
const NAMESERVERS = ['london', 'tokyo'];
const STEPS = 400;

test.each([1, 2, 3])(
  'it is told of what changes, and knows as much as who looks at all (%i)',
  (seed) => {
    const random = seededRandom(`outages ${seed}`);
    const serving = new Set<string>();
    const cut = new Set<string>();
    let [changes, atMs] = [0, 0];
    const ports = {
      ...{ nodes: NODES, nameservers: NAMESERVERS, nowMs: () => atMs, changes: () => changes },
      servedBy: (node: string) => (serving.has(node) ? node : undefined),
      reaches: (from: string, to: string) => !cut.has(`${from} ${to}`),
    };
    const outages = new Outages(ports);
    const all = new Everything(ports);
    for (let step = 0; step < STEPS; step += 1) {
      atMs += random.integer(0, 2);
      const [one, other] = [random.pick(NODES), random.pick(NODES)];
      if (random.chance(0.3)) {
        toggle(serving, one);
        outages.touched(one);
      }
      if (random.chance(0.2)) {
        toggle(cut, `${one} ${other}`);
        changes += 1;
      }
      // Something comes to it that changes nothing.
      if (random.chance(0.5)) outages.touched(other);
      outages.stepped();
      all.stepped();
      for (const nameserver of NAMESERVERS)
        for (const node of NODES)
          expect(outages.contact(nameserver, node)).toEqual(all.contact(nameserver, node));
    }
  },
);

test('one that crashes and starts within a step has only just begun to look', () => {
  let [atMs, process] = [0, 1];
  const ports = {
    ...{ nodes: ['london', 'tokyo'], nameservers: ['london'], nowMs: () => atMs },
    ...{ changes: () => 0, reaches: () => true },
    servedBy: (node: string) => (node === 'london' ? process : undefined),
  };
  const outages = new Outages(ports);
  outages.stepped();
  atMs = 9_000;
  expect(outages.contact('london', 'tokyo')).toEqual({ state: 'down', sinceMs: 0 });
  process = 2;
  outages.touched('london');
  outages.stepped();
  expect(outages.contact('london', 'tokyo')).toEqual({ state: 'down', sinceMs: 9_000 });
});

function toggle(set: Set<string>, item: string): void {
  if (!set.delete(item)) set.add(item);
}

/** Looks at everything after each step. */
class Everything {
  readonly #ports: ConstructorParameters<typeof Outages>[0];
  readonly #known = new Map<string, Contact>();

  constructor(ports: ConstructorParameters<typeof Outages>[0]) {
    this.#ports = ports;
  }

  stepped(): void {
    const { nodes, nameservers, servedBy, reaches } = this.#ports;
    for (const node of nodes) this.#note(node, servedBy(node) !== undefined);
    for (const from of nameservers.filter((each) => servedBy(each) !== undefined))
      for (const to of nodes) {
        const passes = from === to || (reaches(from, to) && reaches(to, from));
        this.#note(`${from} ${to}`, servedBy(to) !== undefined && passes);
      }
  }

  contact(nameserver: string, node: string): Contact {
    const none = { state: 'down', sinceMs: 0 } as const;
    const serves = this.#known.get(nameserver) ?? none;
    const found = this.#known.get(`${nameserver} ${node}`) ?? this.#known.get(node) ?? none;
    return { ...found, sinceMs: Math.max(found.sinceMs, serves.sinceMs) };
  }

  #note(key: string, isUp: boolean): void {
    const state = isUp ? 'up' : 'down';
    if (this.#known.get(key)?.state === state) return;
    this.#known.set(key, { state, sinceMs: this.#ports.nowMs() });
  }
}
