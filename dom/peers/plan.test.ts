import { describe, expect, test } from 'vitest';
import { type Candidate, PEER_LIMITS, type PeersScene, planPeers } from './plan.ts';

const MB = 1024 * 1024;
const limits = { uploadsMax: 3, freeBytes: 16 * MB, fanout: 2, peersMax: 3 };
const edge = (node: string, depth = 0, load = 0): Candidate => ({ node, depth, load });
const busy = { nodes: 3, bytes: 99 * MB };
const scene = (more: Partial<PeersScene>): PeersScene => ({
  ...{ missingBytes: 33 * MB, sending: busy, candidates: [edge('amsterdam')] },
  ...more,
});

interface Case {
  readonly when: string;
  readonly scene: PeersScene;
  readonly from: readonly string[];
}

const CASES: readonly Case[] = [
  { when: 'dom sends to nobody', scene: scene({ sending: { nodes: 0, bytes: 0 } }), from: [] },
  {
    when: 'dom sends to one less than it may',
    scene: scene({ sending: { nodes: 2, bytes: 999 * MB } }),
    from: [],
  },
  { when: 'dom sends to as many as it may', scene: scene({}), from: ['amsterdam'] },
  {
    when: 'all together is little, to the byte',
    scene: scene({ missingBytes: 6 * MB, sending: { nodes: 30, bytes: 10 * MB } }),
    from: [],
  },
  {
    when: 'it is a byte more than little',
    scene: scene({ missingBytes: 6 * MB + 1, sending: { nodes: 30, bytes: 10 * MB } }),
    from: ['amsterdam'],
  },
  { when: 'nobody has it, dom sends to one more', scene: scene({ candidates: [] }), from: [] },
  {
    when: 'several have it, those that few fetch from come first, then by name',
    scene: scene({ candidates: [edge('paris', 0, 1), edge('rome'), edge('oslo')] }),
    from: ['oslo', 'rome', 'paris'],
  },
  {
    when: 'one is nearer to dom, it comes first as long as it is not full',
    scene: scene({ candidates: [edge('oslo', 1), edge('paris', 0, 1)] }),
    from: ['paris', 'oslo'],
  },
  {
    when: 'the one that is nearer to dom is full, it comes last',
    scene: scene({ candidates: [edge('oslo', 1), edge('paris', 0, 2)] }),
    from: ['oslo', 'paris'],
  },
  {
    when: 'all are full, the least full comes first',
    scene: scene({ candidates: [edge('oslo', 0, 5), edge('paris', 3, 2)] }),
    from: ['paris', 'oslo'],
  },
  {
    when: 'there are many, a few are named',
    scene: scene({ candidates: ['e', 'd', 'c', 'b', 'a'].map((name) => edge(name)) }),
    from: ['a', 'b', 'c'],
  },
];

describe('a node fetches from', () => {
  test.each(CASES)('$when: $from', ({ scene: given, from }) => {
    expect(planPeers(given, limits).map(({ node }) => node)).toEqual(from);
  });

  test('the limits that are written in docs/content.md', () => {
    expect(PEER_LIMITS).toEqual(limits);
  });
});
