import { expect, test } from 'vitest';
import { comparable, patternOf, typedOf } from './documents.ts';

test('a script has its commands, with what goes on below them', () => {
  const lines = ['# first', 'one', 'two \\', '  more', "cat > x <<'EOF'", 'a', 'EOF', 'three'];
  const typed = typedOf({ language: 'sh', line: 10, lines });
  expect(typed.map(({ command, line }) => `${line} ${command}`)).toEqual([
    '11 one',
    '12 two \\\n  more',
    "14 cat > x <<'EOF'\na\nEOF",
    '17 three',
  ]);
});

test('a session has its commands with what they show', () => {
  const typed = typedOf({ language: 'console', line: 5, lines: ['$ a', 'x', 'y', '$ b'] });
  expect(typed).toEqual([
    { command: 'a', line: 5, seen: ['x', 'y'] },
    { command: 'b', line: 8, seen: [] },
  ]);
});

test.each([
  { seen: ['NAME   AGE', 'blog   …'], real: 'NAME    AGE\nblog    12m\n', fits: true },
  { seen: ['NAME   AGE', 'blog   …'], real: 'NAME    AGE\nshop    12m\n', fits: false },
  { seen: ['…', 'done'], real: 'a\nb\ndone\n', fits: true },
  { seen: ['…', 'done'], real: 'done\n', fits: true },
  { seen: ['done'], real: 'a\ndone\n', fits: false },
  { seen: ['a (b)? …'], real: 'a (b)? c\n', fits: true },
  { seen: ['sha256-…: 1 file'], real: '\nsha256-ab: 1 file\n', fits: true },
])('$seen is seen in $real: $fits', ({ seen, real, fits }) => {
  expect(patternOf(seen).test(comparable(real))).toBe(fits);
});
