import { describe, expect, test } from 'vitest';
import { exampleLines } from './lines.fixture.ts';
import { isLineKind, parseMoment } from './select.ts';
import { renderText, type TextOptions } from './text.ts';
import { renderWhy, violationOf } from './why.ts';

const lines = exampleLines();

test('the whole, with noise folded and the violation marked', () => {
  expect(renderText(lines)).toBe(`\
▌    0.000   dom    ▲ starts
▌    0.900   user-1 @ apply Site/blog
▌    1.000   dom    · audit verb=apply
▌    1.001   store  ● 7 by dom#1: +sites/default/blog
▌    1.003   dom    → london plan (1, 7): +site/default/blog, whole
▌    1.500   london ▲ starts
▌    1.600   london ← dom plan (1, 7): +site/default/blog, whole
             … 1 watched at once, 10 heartbeats
▌    2.000   london ! a blob could not be fetched error="no way" failures=2
▌    2.000·1 london ◆ plan (1, 7) is in effect
▌    2.100   tokyo  ▲ starts
▌    2.500   london » GET blog.test/: 503
█    2.500·1 world  █ INV-28: london was named and answers 503
`);
});

describe('narrowed', () => {
  const cases: readonly { when: string; options: TextOptions; count: number; has: string }[] = [
    { when: 'to hosts', options: { hosts: ['tokyo'] }, count: 2, has: 'tokyo' },
    { when: 'to kinds', options: { kinds: ['commits', 'user'] }, count: 3, has: '7 by dom#1' },
    {
      when: 'to noisy kinds: then they are wanted',
      options: { kinds: ['sends'] },
      count: 12,
      has: 'heartbeat',
    },
    { when: 'to a time', options: { fromMs: 1_000, toMs: 1_003 }, count: 5, has: '… 1 watched' },
    { when: 'to words, in any case', options: { grep: 'BLOB' }, count: 2, has: 'could not' },
    { when: 'to words in fields', options: { grep: 'no way' }, count: 2, has: 'could not' },
    { when: 'not at all', options: { noise: 'show' }, count: 23, has: 'heartbeat' },
  ];
  test.each(cases)('$when; the violation always stays', ({ options, count, has }) => {
    const text = renderText(lines, options);
    expect(text).toContain('INV-28');
    expect(text).toContain(has);
    expect(text.trimEnd().split('\n')).toHaveLength(count);
  });
});

test('long lines are cut', () => {
  const rows = renderText(lines, { columnsMax: 30 }).trimEnd().split('\n');
  expect(Math.max(...rows.map((row) => row.length))).toBe(30);
  expect(rows[4]).toBe('▌    1.003   dom    → london …');
});

test('colors are for terminals, and go around the same words', () => {
  const colored = renderText(lines, { color: 'ansi' });
  expect(colored).toContain('\u001b[1;41;97m');
  // oxlint-disable-next-line no-control-regex
  expect(colored.replaceAll(/\u001b\[[0-9;]*m/g, '')).toBe(renderText(lines));
});

test('why: the nearest causes, newest first, and what could be known', () => {
  expect(renderWhy(lines, violationOf(lines) ?? 0, { max: 6 })).toBe(`\
why #22: 6 of the 21 lines before it that may have had a part, newest first
    #22     2.500·1  world  █ INV-28: london was named and answers 503  ⇐ #21
    #21     2.500    london » GET blog.test/: 503
    #19     2.000·1  london ◆ plan (1, 7) is in effect
    #18     2.000    london ! a blob could not be fetched error="no way" failures=2
     #7     1.600    london ← dom plan (1, 7): +site/default/blog, whole  ⇐ #5
     #6     1.500    london ▲ starts
     #5     1.003    dom    → london plan (1, 7): +site/default/blog, whole
the last that could be known there of each other host:
     #5     1.003    dom    → london plan (1, 7): +site/default/blog, whole
    #21     2.500    london » GET blog.test/: 503
     #3     1.001    store  ● 7 by dom#1: +sites/default/blog
     #1     0.900    user-1 @ apply Site/blog
`);
});

test('there may be no violation', () => {
  expect(violationOf(lines.slice(0, 3))).toBeUndefined();
});

test.each([
  ['12s', 12_000],
  ['12', 12_000],
  ['1.5s', 1_500],
  ['1500ms', 1_500],
  ['2m', 120_000],
  ['s', undefined],
  ['-1s', undefined],
  ['12h', undefined],
])('the moment %s', (text, ms) => {
  expect(parseMoment(text)).toBe(ms);
});

test('kinds by name', () => {
  expect(isLineKind('commits')).toBe(true);
  expect(isLineKind('commit')).toBe(false);
});
