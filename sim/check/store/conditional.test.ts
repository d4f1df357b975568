import { expect, test } from 'vitest';
import type { Guard, Write } from '../../../runtime/store/store.ts';
import { conditionalCheck } from './conditional.ts';

const SITE = '/b8s/sites/default/blog';
const put = (key: string): Write => ({ kind: 'put', key, value: '{}' });
const guard = (key: string, modRevision = 1n): Guard => ({ key, modRevision });

test.each<{ when: string; guards: readonly Guard[]; writes: readonly Write[] }>([
  { when: 'an object is changed as it was read', guards: [guard(SITE)], writes: [put(SITE)] },
  { when: 'it is created where nothing was', guards: [guard(SITE, 0n)], writes: [put(SITE)] },
  {
    when: 'history is written with it',
    guards: [guard(SITE)],
    writes: [put(SITE), put('/b8s-history/sites/default/blog/1')],
  },
])('innocent when $when', ({ guards, writes }) => {
  expect(violations(guards, writes)).toEqual([]);
});

test.each<{ when: string; guards: readonly Guard[]; writes: readonly Write[] }>([
  { when: 'an object is overwritten', guards: [], writes: [put(SITE)] },
  { when: 'an object is deleted', guards: [], writes: [{ kind: 'delete', key: SITE }] },
  {
    when: 'another key was read',
    guards: [guard('/b8s-epoch'), guard('/b8s/sites/default/docs')],
    writes: [put(SITE)],
  },
  { when: 'a record is overwritten', guards: [], writes: [put('/b8s/system/host/a.example')] },
  { when: 'the epoch is overwritten', guards: [], writes: [put('/b8s-epoch')] },
])('guilty when $when', ({ guards, writes }) => {
  expect(violations(guards, writes)).toEqual([expect.stringMatching(/^INV-16: .*whatever/)]);
});

function violations(guards: readonly Guard[], writes: readonly Write[]): readonly string[] {
  const found: string[] = [];
  const violated = (number: number, what: string): void =>
    void found.push(`INV-${number}: ${what}`);
  const transaction = { guards, writes };
  const commit = { revision: 2n, transaction, before: new Map(), process: 'dom#1' };
  conditionalCheck({ violated }).committed?.(commit);
  return found;
}
