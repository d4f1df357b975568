import { expect, test } from 'vitest';
import { validateObject } from '../validate.ts';

import { parseZoneFile, type ZoneFileSpec } from './parse.ts';
import { drawFrom, pick, randomZone } from './random-zone.fixture.ts';
import { writeZoneFile } from './write.ts';

const EXTRAS = { serial: 2_026_112_100, nameservers: ['ns1.example.net'], added: [], comments: [] };

const SEEDS = 80;

test('a zone that has been a file is the same after it was a file again', () => {
  let total = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const file = writeZoneFile(randomZone(seed), EXTRAS);
    const once = parseZoneFile(file);
    if (once.kind === 'errors')
      throw new Error(`seed ${seed}: ${JSON.stringify(once.errors)}\n${file}`);
    const again = parseZoneFile(writeZoneFile(once.spec, EXTRAS));
    expect(again, `seed ${seed}`).toEqual({ kind: 'zone', spec: once.spec, notes: [] });
    // Nothing was lost on the first way, either.
    const count = (spec: ZoneFileSpec) =>
      spec.records.reduce((sum, { values }) => sum + values.length, 0);
    expect(writeZoneFile(once.spec, EXTRAS), `seed ${seed}`).toBe(file);
    expect(once.spec.records.length, `seed ${seed}`).toBe(randomZone(seed).records.length);
    total += count(once.spec);
  }
  expect(total).toBeGreaterThan(20 * SEEDS);
});

test('a spec that came from a file is one that apply takes', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const outcome = parseZoneFile(writeZoneFile(randomZone(seed), EXTRAS));
    const spec = outcome.kind === 'zone' ? outcome.spec : undefined;
    const object = { apiVersion: 'b8s.dev/v1', kind: 'Zone', metadata: { name: 'z' }, spec };
    expect(validateObject(object), `seed ${seed}`).toMatchObject({ kind: 'valid' });
  }
});

test('whatever the text, nothing is thrown, and each error has its line', () => {
  const pieces = [
    '(',
    ')',
    '"',
    '\\',
    ';',
    '\n',
    '\r\n',
    ' ',
    '$TTL ',
    '$ORIGIN ',
    '@',
    '\\#',
    '.',
    '\0',
    'IN',
    '\t',
    '\\0',
    '999999',
    '=',
    'ü',
    ',',
    'SOA',
  ] as const;
  const draw = drawFrom(4);
  const files = Array.from({ length: 10 }, (_, index) =>
    writeZoneFile(randomZone(index + 1), EXTRAS),
  );
  let zones = 0;
  for (let seed = 1; seed <= 1000; seed += 1) {
    let file = files[seed % files.length] ?? '';
    for (let change = draw(4); change >= 0; change -= 1) {
      const at = draw(file.length);
      const length = draw(3) === 0 ? draw(60) : draw(3);
      const piece = draw(2) === 0 ? '' : pick(draw, pieces);
      file = file.slice(0, at) + piece + file.slice(at + length);
    }
    const outcome = parseZoneFile(file, { origin: 'example.com' });
    zones += outcome.kind === 'zone' ? 1 : 0;
    const messages = outcome.kind === 'zone' ? outcome.notes : outcome.errors;
    const lines = file.split('\n');
    for (const { line, column, message } of messages) {
      expect(line, message).toBeGreaterThan(0);
      expect(line, message).toBeLessThanOrEqual(lines.length);
      expect(column, message).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 1);
      expect(message).not.toBe('');
    }
    if (outcome.kind === 'zone') expect(() => writeZoneFile(outcome.spec, EXTRAS)).not.toThrow();
  }
  expect(zones).toBeGreaterThan(100);
});

test('10,000 records are read well within a second', () => {
  const records = Array.from({ length: 10_000 }, (_, index) => {
    const values = [`A 192.0.${index >> 8}.${index & 255}`, 'TXT "v=spf1 -all"', 'MX 10 mail'];
    return `host-${index} 300 IN ${values[index % 3]}\n`;
  });
  const file = `$TTL 300\n@ SOA ns1 h 1 1h 1h 1h 60\n${records.join('')}`;
  // Of the processor, so that other work on the machine does not count.
  const before = process.cpuUsage();
  const outcome = parseZoneFile(file, { origin: 'example.com' });
  const took = process.cpuUsage(before);
  expect(outcome.kind === 'zone' && outcome.spec.records.length).toBe(10_000);
  expect((took.user + took.system) / 1000).toBeLessThan(1000);
});
