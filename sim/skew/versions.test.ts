import { expect, test } from 'vitest';
import { seededRandom } from '../engine/random.ts';
import { Trace } from '../engine/trace.ts';
import { PRESENT } from '../hosts/code.ts';
import { Versions } from './versions.ts';

const STARTS = 40;
const OLDER = { ...PRESENT, version: 'older' };

function start(older: typeof OLDER | undefined): Versions {
  const trace = new Trace(() => 0, { keep: 'hash' });
  const random = seededRandom('versions');
  return new Versions({ older, nodes: new Set(['london']), random, trace });
}

function drawn(versions: Versions, host: string): string {
  const names = Array.from({ length: STARTS }, () => versions.next(host).version);
  return names.filter((name, index) => name !== names[index - 1]).join(' ');
}

test('a dom goes there and back, a node only there', () => {
  const versions = start(OLDER);
  expect(drawn(versions, 'dom')).toContain('present older present');
  expect(drawn(versions, 'london')).toMatch(/^(older )?present$/);
  expect(versions.count).toBe('several');
});

test('once the upgrade is over nothing older is started, and what still runs is named', () => {
  const versions = start(OLDER);
  while (versions.next('dom') === PRESENT);
  expect(versions.finish()).toEqual(['dom']);
  expect(drawn(versions, 'dom')).toBe('present');
  expect(versions.finish()).toEqual([]);
});

test('without another version all run the present one', () => {
  const versions = start(undefined);
  expect(drawn(versions, 'dom')).toBe('present');
  expect(versions.count).toBe('one');
});
