import { expect, test } from 'vitest';
import { scopeOf } from './scope.ts';

test('a scope ends with its parent, for the same reason', () => {
  const parent = new AbortController();
  const { signal } = scopeOf(parent.signal);
  const reason = new Error('stopped');
  parent.abort(reason);
  expect(signal.reason).toBe(reason);
});

test('a scope of what is over already is over', () => {
  expect(scopeOf(AbortSignal.abort(new Error('stopped'))).signal.aborted).toBe(true);
});

test('a scope that has ended leaves its parent alone, and is left alone', () => {
  const parent = new AbortController();
  const scope = scopeOf(parent.signal);
  scope.end();
  expect(scope.signal.aborted).toBe(true);
  expect(parent.signal.aborted).toBe(false);
  const { reason } = scope.signal;
  parent.abort(new Error('stopped'));
  expect(scope.signal.reason).toBe(reason);
});

test('a scope can be aborted for a reason of its own', () => {
  const scope = scopeOf(new AbortController().signal);
  scope.abort(new Error('too late'));
  scope.end();
  expect(scope.signal.reason).toEqual(new Error('too late'));
});

test('scopes of one parent end in the order in which they began, but for those that are done', () => {
  const parent = new AbortController();
  const ended: string[] = [];
  const scopes = ['first', 'second', 'third'].map((name) => {
    const scope = scopeOf(parent.signal);
    scope.signal.addEventListener('abort', () => ended.push(name));
    return scope;
  });
  scopes[1]?.end();
  parent.abort(new Error('stopped'));
  expect(ended).toEqual(['second', 'first', 'third']);
});
