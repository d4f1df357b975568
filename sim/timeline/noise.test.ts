import { describe, expect, test } from 'vitest';
import type { LineKind, TraceLine } from '../engine/trace.ts';
import { noiseOf } from './noise.ts';

type Told = Partial<TraceLine> & { readonly kind: LineKind; readonly what: string };

describe('what is left out at first', () => {
  const cases: readonly { when: string; lines: readonly Told[]; noise: readonly unknown[] }[] = [
    {
      when: 'heartbeats',
      lines: [
        { kind: 'sends', what: '→ dom heartbeat' },
        { kind: 'receives', what: '← dom heartbeat' },
      ],
      noise: ['heartbeats', 'heartbeats'],
    },
    {
      when: 'reports that say the same again, each way for itself',
      lines: ['a', 'a', 'b', 'a'].map((word) => ({
        kind: 'sends',
        what: `→ dom report: ${word}`,
      })),
      noise: [undefined, 'reports as before', undefined, undefined],
    },
    {
      when: 'reconciling that comes to nothing special',
      lines: ['settled', 'recheck', 'failed'].map((outcome) => ({
        ...{ kind: 'decides', level: 'info', what: 'reconciled', fields: { outcome } },
      })),
      noise: ['reconciled', 'reconciled', undefined],
    },
    {
      when: 'debug lines, and no others',
      lines: (['debug', 'info', 'warn'] as const).map((level) => ({
        ...{ kind: 'decides', level, what: 'audit' },
      })),
      noise: ['debug lines', undefined, undefined],
    },
    {
      when: 'watches that show a commit at once',
      lines: [
        { kind: 'commits', what: '7 by dom#1: x', host: 'store', atMs: 0 },
        { kind: 'watches', what: '7: x', atMs: 50, causes: [0] },
        { kind: 'watches', what: '7: x', atMs: 51, causes: [0] },
      ],
      noise: [undefined, 'watched at once', undefined],
    },
    {
      when: 'commits that are refused once more',
      lines: ['a', 'a', 'b'].map((key) => ({
        kind: 'watches',
        what: `its commit is refused: ${key}`,
      })),
      noise: [undefined, 'refused as before', undefined],
    },
    {
      when: 'names that are answered as somebody was answered not long ago',
      lines: [
        { kind: 'serves', what: '192.0.2.1 asks blog.test A: 198.18.0.1', atMs: 0 },
        { kind: 'serves', what: '192.0.2.2 asks blog.test A: 198.18.0.1', atMs: 1_000 },
        { kind: 'serves', what: '192.0.2.2 asks blog.test A: 198.18.0.2', atMs: 2_000 },
        { kind: 'serves', what: '192.0.2.2 asks blog.test A: 198.18.0.1', atMs: 90_000 },
        { kind: 'serves', what: '192.0.2.2 asks nonsense: FORMERR', atMs: 90_000 },
      ],
      noise: [undefined, 'answers as before', undefined, undefined, 'answers to nonsense'],
    },
    {
      when: 'pages, until one changes or the site turns',
      lines: [
        'GET blog.test/: 200 "a"',
        'GET blog.test/about: 200 "b"',
        'GET blog.test/: 200 "c"',
        'GET blog.test/about: 503 ',
        'GET blog.test/: 503 ',
      ].map((what) => ({ kind: 'serves', what })),
      noise: [undefined, 'answers as before', undefined, undefined, undefined],
    },
  ];
  test.each(cases)('$when', ({ lines, noise }) => {
    expect(noiseOf(lines.map(line))).toEqual(noise);
  });
});

test('what broke an invariant at once is no noise, nor the answer that led there', () => {
  const lines: readonly Told[] = [
    { kind: 'sends', what: '→ dom heartbeat' },
    { kind: 'receives', what: '← dom heartbeat', causes: [0] },
    { kind: 'serves', what: '192.0.2.1 asks nonsense: x' },
    { kind: 'serves', what: 'GET blog.test/: 503 ', causes: [2] },
    { kind: 'violation', what: 'INV-1', causes: [1, 3] },
  ];
  const noises = ['heartbeats', undefined, undefined, undefined, undefined];
  expect(noiseOf(lines.map(line))).toEqual(noises);
});

function line(told: Told): TraceLine {
  return { atMs: 0, tick: 0, host: 'london', causes: [], ...told };
}
