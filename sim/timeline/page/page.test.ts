import { describe, expect, test } from 'vitest';
import { LINE_KINDS, type TraceLine } from '../../engine/trace.ts';
import { laneOrder } from '../html.ts';
import { exampleLines } from '../lines.fixture.ts';
import { packLines } from '../page-data.ts';
import { Edges } from './edges.ts';
import { parseFilter } from './filter.ts';
import { evenLayout, pxOfLine, rowAtLine, rowAtPx, timeLayout } from './layout.ts';
import { messageOf, type Run, readRun } from './run.ts';
import { type Choice, FIRST_CHOICE, RELATION, relationsTo, viewOf } from './view.ts';

const run = runOf(exampleLines());

describe('the run', () => {
  test('has lanes, words, and the violation', () => {
    expect(run.hosts).toEqual(['user-1', 'dom', 'store', 'london', 'tokyo', 'world']);
    expect(run.violation).toBe(22);
    expect(run.words[8]).toBe('dom heartbeat  (never arrives)');
    expect(run.kinds).not.toContain('crashes');
  });

  test('knows when hosts were not as they should be', () => {
    const states = runOf([
      line('london', 'starts'),
      line('london', 'pauses'),
      line('london', 'crashes'),
      line('network', 'fault', 'london is cut off'),
      line('network', 'fault', 'no longer: london is cut off'),
      line('london', 'starts'),
      line('tokyo', 'starts'),
      line('tokyo', 'crashes'),
      line('tokyo', 'world'),
    ]).states.map(({ lane, state, from, to }) => [lane, state, from, to].join(' '));
    expect(states).toEqual([
      '0 down 0 0',
      '0 paused 1 2',
      '0 cut off 3 4',
      '0 down 2 5',
      '1 down 0 6',
      '1 down 7 8',
    ]);
  });

  test('tells messages from what was merely known', () => {
    expect(messageOf(run, 7)).toBe(5);
    expect(messageOf(run, 4)).toBe(3);
    expect(messageOf(run, 2)).toBeUndefined();
    expect(messageOf(run, 21)).toBeUndefined();
  });
});

describe('a filter', () => {
  test.each([
    ['', 23],
    ['blog', 6],
    ['BLOG plan', 2],
    ['heartbeat', 10],
    ['-heartbeat', 13],
    ['host:tok,user', 2],
    ['host:london -heartbeat kind:decides,serves', 2],
    ['/^store/', 1],
    ['/(/', 0],
    ['-', 2],
  ])('%s', (text, count) => {
    const isFound = parseFilter(text, run);
    expect(run.lines.filter((_, number) => isFound(number))).toHaveLength(count);
  });
});

describe('where lines are', () => {
  const numbers = [0, 1, 5, 8];

  test('evenly, with gaps for pauses', () => {
    const layout = evenLayout(run.lines, numbers, 20);
    const y = [...layout.y];
    expect(y[0]).toBe(24);
    expect([...layout.gaps]).toEqual([
      [1, 900],
      [3, 697],
    ]);
    expect((y[2] ?? 0) - (y[1] ?? 0)).toBe(20);
    expect((y[1] ?? 0) - (y[0] ?? 0)).toBeGreaterThan(30);
    expect(layout.heightPx).toBeGreaterThan(y[3] ?? 0);
  });

  test('in time, and never higher than a browser can draw', () => {
    const layout = timeLayout(run.lines, numbers, 1);
    expect([...layout.y].map((y) => y - (layout.y[0] ?? 0))).toEqual([0, 900, 1_003, 1_700]);
    expect(timeLayout(run.lines, numbers, 1e9).heightPx).toBeLessThan(13_000_000);
  });

  test('to be found by line and by height', () => {
    const layout = evenLayout(run.lines, numbers, 20);
    expect([0, 2, 5, 9].map((number) => rowAtLine(layout, number))).toEqual([0, 2, 2, 4]);
    expect([0, 25, 1e6].map((px) => rowAtPx(layout, px))).toEqual([0, 1, 4]);
    expect(pxOfLine(layout, 6)).toBe(layout.y[3]);
    expect(pxOfLine(layout, 9)).toBe(layout.heightPx);
  });
});

describe('what is shown', () => {
  test.each<[string, Partial<Choice>, readonly number[]]>([
    ['at first', {}, [0, 1, 2, 3, 5, 6, 7, 18, 19, 20, 21, 22]],
    ['with a filter', { filter: 'store' }, [3, 22]],
    ['with noise', { noise: 'show', filter: 'host:dom' }, [0, 2, 4, 5, 22]],
    ['without hosts', { hiddenHosts: new Set(['london', 'dom']) }, [1, 3, 20, 22]],
    [
      'without kinds',
      { hiddenKinds: new Set(['starts', 'serves'] as const), filter: 'host:london,tokyo' },
      [7, 18, 19, 22],
    ],
    ['the past', { scope: 'past', selected: 5 }, [0, 1, 2, 3, 5, 22]],
    ['the future', { scope: 'future', selected: 7 }, [7, 18, 19, 21, 22]],
    ['the causes', { scope: 'why', selected: 19 }, [0, 1, 2, 3, 5, 6, 7, 18, 19, 22]],
    ['what is selected, though it is noise', { selected: 9, filter: 'store' }, [3, 9, 22]],
  ])('%s', (_, change, numbers) => {
    const { layout, counts } = viewOf(run, { ...FIRST_CHOICE, ...change });
    expect(layout.numbers).toEqual(numbers);
    expect(counts.get('violation')).toBe(1);
  });

  test('what is hidden by its kind is counted', () => {
    const hiddenKinds = new Set(['starts'] as const);
    expect(viewOf(run, { ...FIRST_CHOICE, hiddenKinds }).counts.get('starts')).toBe(3);
  });

  test('what lines are to the selected one', () => {
    const relations = relationsTo(run, 5);
    expect([3, 5, 7, 6].map((number) => relations[number])).toEqual([
      ...[RELATION.past, RELATION.self, RELATION.future, RELATION.none],
    ]);
    expect(relationsTo(run, undefined).every((each) => each === RELATION.none)).toBe(true);
  });
});

test('arrows are found by the rows that they pass, each once', () => {
  const lines = [
    line('dom', 'sends', '→ london x'),
    ...Array.from({ length: 500 }, () => line('tokyo', 'world')),
    { ...line('london', 'receives', '← dom x'), causes: [0] },
  ];
  const long = runOf(lines);
  const { edges, layout } = viewOf(long, { ...FIRST_CHOICE });
  expect(edges).toBeInstanceOf(Edges);
  const last = layout.numbers.length - 1;
  expect([...edges.between(200, 260)]).toEqual([{ fromRow: 0, toRow: last }]);
  expect([...edges.between(0, last)]).toHaveLength(1);
});

function runOf(lines: readonly TraceLine[]): Run {
  const hosts = laneOrder([...new Set(lines.map(({ host }) => host))]);
  const kinds = LINE_KINDS;
  const story = { title: 'seed 7', failure: undefined, replay: '', facts: [], faults: [] };
  return readRun({ story, hosts, kinds, lines: packLines(lines, { hosts, kinds }) });
}

function line(host: string, kind: TraceLine['kind'], what = ''): TraceLine {
  return { atMs: 0, tick: 0, host, kind, what, causes: [] };
}
