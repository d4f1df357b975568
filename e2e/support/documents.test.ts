import { expect, test } from 'vitest';
import { callsOf, comparable, patternOf, typedOf } from './documents.ts';

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

test('a script has commands that go on within quotes, but not for those of a comment', () => {
  const lines = [
    "b8sctl patch x -p '",
    '  spec: { ttl: 60 }   # it is',
    "'",
    "one   # don't",
    'two',
  ];
  const typed = typedOf({ language: 'sh', line: 1, lines });
  expect(typed.map(({ line }) => line)).toEqual([1, 4, 5]);
});

test.each([
  { line: 'b8sctl get sites -o json | jq .x', calls: [['get', 'sites', '-o', 'json']] },
  {
    line: 'bin/b8sctl patch site/a -p \'{"a": 1}\' # it is',
    calls: [['patch', 'site/a', '-p', '{"a": 1}']],
  },
  {
    line: 'b8sctl plan -o p.json && b8sctl apply --plan p.json',
    calls: [
      ['plan', '-o', 'p.json'],
      ['apply', '--plan', 'p.json'],
    ],
  },
  { line: 'b8sctl user create ci > ci-config 2> notes', calls: [['user', 'create', 'ci']] },
  { line: 'B8SCONFIG=x b8sctl get a \\\n  -w', calls: [['get', 'a', '-w']] },
  { line: 'b8sctl diff --ref "$BRANCH" > a', calls: [['diff', '--ref', '$BRANCH']] },
  { line: 'source <(b8sctl completion bash)', calls: [['completion', 'bash']] },
  { line: 'echo b8sctl get', calls: [] },
])('what b8sctl is called with in: $line', ({ line, calls }) => {
  expect(callsOf(line)).toEqual(calls);
});
