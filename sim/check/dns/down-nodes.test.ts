import { expect, test } from 'vitest';
import type { Health } from '../../../agent/plane/plane.ts';
import {
  addressOf,
  appliedZone,
  commitOf,
  exchangeOf,
  MACHINES,
  nodePlan,
  type Watched,
  watched,
  zoneVersion,
} from './dns.fixture.ts';
import { DOWN_MS_MAX, downNodesCheck } from './down-nodes.ts';
import { Outages } from './outages.ts';

const LATE_MS = DOWN_MS_MAX + 1;

interface Story {
  readonly it: Watched;
  /** After so many milliseconds, london names tokyo. */
  readonly named: (afterMs: number) => void;
  readonly serving: Set<string>;
  readonly cut: Set<string>;
  health: Health;
}

test.each([
  {
    when: 'tokyo is well',
    story: ({ named }: Story) => named(LATE_MS),
  },
  {
    when: 'it has not been down for long',
    story: ({ named, serving }: Story) => {
      serving.delete('tokyo');
      named(DOWN_MS_MAX);
    },
  },
  {
    when: 'it was back in between',
    story: ({ it, named, serving }: Story) => {
      serving.delete('tokyo');
      step(it, DOWN_MS_MAX);
      serving.add('tokyo');
      step(it, 1);
      serving.delete('tokyo');
      named(DOWN_MS_MAX);
    },
  },
  {
    when: 'london has only just begun to look',
    story: ({ it, named, serving }: Story) => {
      serving.delete('tokyo');
      serving.delete('london');
      step(it, LATE_MS);
      serving.add('london');
      step(it, 0);
      named(DOWN_MS_MAX);
    },
  },
  {
    when: 'london has only just heard of it',
    story: ({ it, named, serving }: Story) => {
      serving.delete('tokyo');
      it.check.applied?.(appliedZone(zoneVersion(5), [nodePlan('london')]));
      step(it, LATE_MS);
      it.check.applied?.(appliedZone(zoneVersion(5)));
      named(DOWN_MS_MAX);
    },
  },
  {
    when: 'it is another machine of that name, of which london has only just heard',
    story: ({ it, named, serving }: Story) => {
      serving.delete('tokyo');
      step(it, LATE_MS);
      const nodes = [nodePlan('london'), nodePlan('tokyo', { uid: 'another' })];
      it.check.applied?.(appliedZone(zoneVersion(5), nodes));
      named(DOWN_MS_MAX);
    },
  },
  {
    when: 'all others look down, too',
    story: (story: Story) => {
      story.serving.delete('tokyo');
      story.health = { london: false };
      story.named(LATE_MS);
    },
  },
])('well: $when', ({ story }) => {
  expect(found(story)).toEqual([]);
});

test.each([
  {
    when: 'it is dead',
    story: ({ named, serving }: Story) => {
      serving.delete('tokyo');
      named(LATE_MS);
    },
  },
  {
    when: 'it is cut off',
    story: ({ named, cut }: Story) => {
      cut.add('tokyo>london');
      named(LATE_MS);
    },
  },
])('INV-20: $when', ({ story }) => {
  expect(found(story)).toEqual([
    'INV-20: london names tokyo for blog.example.test, out of its reach since 6000 ms, though london is well',
  ]);
});

function found(tell: (story: Story) => void): readonly string[] {
  const serving = new Set(['london', 'tokyo']);
  const cut = new Set<string>();
  const story = { serving, cut, health: {} as Health };
  const it = watched((ports) =>
    downNodesCheck({
      ...ports,
      machines: MACHINES,
      healthAt: () => story.health,
      outages: new Outages({
        nodes: ['london', 'tokyo'],
        nameservers: ['london'],
        servedBy: (node) => (serving.has(node) ? node : undefined),
        reaches: (from, to) => !cut.has(`${from}>${to}`),
        changes: () => cut.size,
        nowMs: ports.nowMs,
      }),
    }),
  );
  it.check.committed?.(commitOf(zoneVersion(5)));
  it.check.applied?.(appliedZone(zoneVersion(5)));
  step(it, 0);
  it.nowMs = 6_000;
  const named = (afterMs: number): void => {
    step(it, 0);
    it.nowMs += afterMs;
    it.check.asked?.(exchangeOf({}, { answers: [addressOf('tokyo')] }));
  };
  tell(Object.assign(story, { it, named }));
  return it.found;
}

function step(it: Watched, ms: number): void {
  const look = (): void => {
    for (const { name } of MACHINES) it.check.touched?.(name);
    it.check.stepped?.();
  };
  look();
  it.nowMs += ms;
  look();
}
