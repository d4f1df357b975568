import { expect, test } from 'vitest';
import { unifiedDiff } from './unified-diff.ts';

function diff(from: string, to: string): string {
  return unifiedDiff({ name: 'a', text: from }, { name: 'b', text: to });
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => `${index + 1}\n`);

test.each([
  { when: 'nothing changed', from: 'x\ny\n', to: 'x\ny\n', shown: '' },
  { when: 'all is new', from: '', to: 'x\n', shown: '--- a\n+++ b\n@@ -0,0 +1 @@\n+x\n' },
  { when: 'all is gone', from: 'x\n', to: '', shown: '--- a\n+++ b\n@@ -1 +0,0 @@\n-x\n' },
  {
    when: 'a line changed between others',
    from: 'a\nb\nc\n',
    to: 'a\nB\nc\n',
    shown: '--- a\n+++ b\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n',
  },
])('a diff when $when', ({ from, to, shown }) => {
  expect(diff(from, to)).toBe(shown);
});

test('changes far apart are hunks of their own, near ones share one', () => {
  const from = numbers(30);
  const to = from.with(1, 'two\n').with(5, 'six\n').with(25, 'twenty-six\n');
  expect(diff(from.join(''), to.join('')).match(/^@@.*@@$/gm)).toEqual([
    '@@ -1,9 +1,9 @@',
    '@@ -23,7 +23,7 @@',
  ]);
});
