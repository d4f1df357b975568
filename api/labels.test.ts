import { expect, test } from 'vitest';
import { labelKeyProblem, labelValueProblem, matchesLabels, parseLabelSelector } from './labels.ts';

const labels = { app: 'blog', tier: 'front', 'example.com/zone': 'eu', empty: '' };

test.each([
  { selector: '', matches: true },
  { selector: 'app=blog', matches: true },
  { selector: 'app==blog', matches: true },
  { selector: 'app=shop', matches: false },
  { selector: 'app!=shop', matches: true },
  { selector: 'missing!=shop', matches: true },
  { selector: 'app', matches: true },
  { selector: 'missing', matches: false },
  { selector: '!missing', matches: true },
  { selector: '!app', matches: false },
  { selector: 'tier in (front, back)', matches: true },
  { selector: 'tier in (back)', matches: false },
  { selector: 'tier notin (back)', matches: true },
  { selector: 'missing notin (back)', matches: true },
  { selector: 'example.com/zone=eu', matches: true },
  { selector: 'empty=', matches: true },
  { selector: 'constructor', matches: false },
  { selector: 'app=blog,tier!=back,app,!missing, tier in (front,back)', matches: true },
  { selector: 'app=blog,tier=back', matches: false },
])('"$selector" matches: $matches', ({ selector, matches }) => {
  const outcome = parseLabelSelector(selector);
  expect(outcome.kind === 'selector' && matchesLabels(outcome.requirements, labels)).toBe(matches);
});

test.each([
  { selector: 'a=b,', part: '' },
  { selector: 'a=b c', part: 'a=b c' },
  { selector: 'a in (b', part: 'a in (b' },
  { selector: '=b', part: '=b' },
  { selector: '!', part: '!' },
])('"$selector" is refused', ({ selector, part }) => {
  expect(parseLabelSelector(selector)).toEqual({
    kind: 'error',
    message: `label selector "${part}": write it as key=value, key!=value, key, !key, key in (a,b) or key notin (a,b)`,
  });
});

test('keys and values are those of Kubernetes', () => {
  const problem = (key: string): boolean => labelKeyProblem(key) !== undefined;
  expect(['a', 'A_b.c-1', 'example.com/a'].filter(problem)).toEqual([]);
  expect(
    ['', '-a', 'a/b/c', '/a', 'Ex/a', 'x'.repeat(64), '__proto__'].filter((key) => !problem(key)),
  ).toEqual([]);
  expect(labelValueProblem('x'.repeat(63))).toBeUndefined();
  expect(labelValueProblem('x'.repeat(64))).toMatch(/64 characters long; a label has at most 63/);
  expect(labelValueProblem('a b')).toMatch(/^must be letters/);
});
