import { expect, test } from 'vitest';
import type { Check } from '../check.ts';
import {
  type BoundsPorts,
  boundsCheck,
  DIALS_PER_DOM_MAX,
  EXCESS_FRAMES_MAX,
  FETCHES_PER_DOM_MAX,
  NODE_FRAMES_MAX,
  PERIOD_MS,
} from './bounds.ts';

const dial = { from: 'london', process: 'london#1', to: 'dom-1', service: 'session' } as const;
const frame = { node: 'london', nodeUid: 'u', dom: 'dom-1#1', bytes: new Uint8Array() } as const;

test('so many dials of each dom within a period, and as many again in the next', () => {
  const { check, violations, pass } = start({ doms: 2 });
  for (const _ of [1, 2]) {
    repeat(2 * DIALS_PER_DOM_MAX, () => check.called?.(dial));
    check.called?.({ ...dial, process: 'london#2' });
    expect(violations).toEqual([]);
    pass(PERIOD_MS);
  }
  repeat(2 * DIALS_PER_DOM_MAX + 1, () => check.called?.(dial));
  expect(violations).toEqual([
    'INV-6 london#1 asks for session 17 times within 10000 ms: at most 16',
  ]);
});

test('each blob is counted by itself', () => {
  const { check, violations } = start({ doms: 1 });
  const fetch = (digest: string) => check.called?.({ ...dial, service: 'blobs', digest });
  repeat(FETCHES_PER_DOM_MAX, () => fetch('one'));
  fetch('other');
  expect(violations).toEqual([]);
  fetch('one');
  expect(violations.length).toBe(1);
});

test('frames of a node, and fewer of them at rest', () => {
  const { check, violations } = start({ doms: 1 });
  const say = () => check.sent?.({ ...frame, from: 'sub' });
  repeat(NODE_FRAMES_MAX, say);
  expect(violations).toEqual([]);
  void check.settled?.();
  repeat(9, say);
  expect(violations).toEqual([]);
  say();
  expect(violations[0]).toMatch(/^INV-6 london says something 10 times/);
});

test('at rest nobody dials, but for one who was removed', () => {
  const { check, violations } = start({ doms: 1 });
  void check.settled?.();
  check.called?.(dial);
  expect(violations).toEqual([]);
  check.called?.(dial);
  expect(violations.length).toBe(1);
});

test('at rest what cannot be had is hardly asked for, unless it is found damaged only then', () => {
  const { check, violations } = start({ doms: 1 });
  const fetch = (digest: string) => check.called?.({ ...dial, service: 'blobs', digest });
  const damaged = (host: string, digest: string) => {
    const message = 'a blob is damaged and is fetched again';
    check.logged?.(host, { level: 'error', message, fields: { digest } });
  };
  damaged('london', 'old');
  void check.settled?.();
  damaged('london', 'new');
  damaged('paris', 'other');
  repeat(FETCHES_PER_DOM_MAX, () => fetch('new'));
  for (const digest of ['old', 'other']) repeat(4, () => fetch(digest));
  expect(violations).toEqual([]);
  for (const digest of ['new', 'old', 'other']) fetch(digest);
  expect(violations.length).toBe(3);
});

test('frames for a peer that takes none', () => {
  const { check, violations, pile } = start({ doms: 1 });
  pile(EXCESS_FRAMES_MAX);
  check.stepped?.();
  expect(violations).toEqual([]);
  pile(EXCESS_FRAMES_MAX + 1);
  check.stepped?.();
  expect(violations).toEqual(['INV-39 19 frames were sent to a peer that does not take any']);
});

function start({ doms }: { readonly doms: number }) {
  const violations: string[] = [];
  let [nowMs, excess] = [0, 0];
  const ports: BoundsPorts = {
    violated: (number, what) => void violations.push(`INV-${number} ${what}`),
    reached: () => undefined,
    nowMs: () => nowMs,
    doms: () => doms,
    excessFrames: () => excess,
  };
  const check: Check = boundsCheck(ports);
  const pass = (ms: number) => void (nowMs += ms);
  const pile = (frames: number) => void (excess = frames);
  return { check, violations, pass, pile };
}

function repeat(count: number, action: () => void): void {
  for (let left = count; left > 0; left -= 1) action();
}
