import { expect, test } from 'vitest';
import { validateObject } from '../validate.ts';
import type { ZoneRecord, ZoneSpec } from '../zone.ts';
import { parseZoneFile } from './parse.ts';
import { writeZoneFile } from './write.ts';

const EXTRAS = { serial: 2_026_112_100, nameservers: ['ns1.example.net'], added: [], comments: [] };

type Draw = (below: number) => number;

/** Numbers from a seed (an LCG of Numerical Recipes): each failure can be seen again. */
function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function pick<Item>(draw: Draw, items: readonly [Item, ...Item[]]): Item {
  return items[draw(items.length)] ?? items[0];
}

function hex(draw: Draw, bytes: number): string {
  return Array.from({ length: bytes }, () => draw(256).toString(16).padStart(2, '0')).join('');
}

function label(draw: Draw): string {
  const odd = ['\\032', '\\.', '\\;', '\\"', '\\000', '\\255', '\\064', '\\(', '\\$'] as const;
  const plain = () => pick(draw, ['a', 'b', 'z', '0', '9', 'x-y', '_u', 'q/r']);
  const parts = Array.from({ length: 1 + draw(4) }, () =>
    draw(8) === 0 ? pick(draw, odd) : plain(),
  );
  return parts.join('');
}

function name(draw: Draw): string {
  const labels = Array.from({ length: 1 + draw(3) }, () => label(draw)).join('.');
  return pick(draw, [labels, `${label(draw)}`, `${labels}.example.net.`, '@']).replace(
    /^(.*[^.].*\..*[^.])$/,
    '$1.',
  );
}

function text(draw: Draw): string {
  const characters = [
    'a',
    ' ',
    ';',
    '(',
    ')',
    '\\"',
    '\\\\',
    '\\200',
    '\\009',
    '@',
    '$',
    '=',
    'ü',
  ] as const;
  const string = () => Array.from({ length: draw(20) }, () => pick(draw, characters)).join('');
  return Array.from({ length: 1 + draw(3) }, () => `"${string()}"`).join(' ');
}

const VALUES: Readonly<Record<string, (draw: Draw) => string>> = {
  A: (draw) => `192.0.2.${1 + draw(250)}`,
  AAAA: (draw) => `2001:db8::${(1 + draw(65_000)).toString(16)}`,
  CAA: (draw) => `${draw(256)} issue ${text(draw).split('" "')[0]?.replace(/"?$/, '"')}`,
  DS: (draw) => `${draw(65_536)} 13 2 ${hex(draw, 32)}`,
  HTTPS: (draw) =>
    pick(draw, [
      `0 ${name(draw)}`,
      `${1 + draw(9)} . alpn=h2,h3 port=${draw(65_536)} key700=a\\200b`,
    ]),
  MX: (draw) => `${draw(65_536)} ${name(draw)}`,
  NAPTR: (draw) => `${draw(9)} ${draw(9)} "S" "SIP+D2U" "" ${name(draw)}`,
  NS: name,
  PTR: name,
  SRV: (draw) => `${draw(9)} ${draw(9)} ${draw(65_536)} ${name(draw)}`,
  SSHFP: (draw) => `4 2 ${hex(draw, 32)}`,
  SVCB: (draw) => `1 ${name(draw)} ipv4hint=192.0.2.1 mandatory=ipv4hint`,
  TLSA: (draw) => `3 1 1 ${hex(draw, 32)}`,
  TXT: (draw) => pick(draw, [text(draw), 'v=spf1 -all', 'x'.repeat(255), 'a;b(c)']),
  TYPE65280: (draw) => `\\# 4 ${hex(draw, 4)}`,
};

/** A Zone that `apply` takes: what it refuses of what was drawn is left out. */
function zoneOf(seed: number): ZoneSpec {
  const draw = drawFrom(seed);
  const types = Object.keys(VALUES);
  const records: ZoneRecord[] = Array.from({ length: 30 }, () => {
    const type = types[draw(types.length)] ?? 'A';
    const values = Array.from({ length: 1 + draw(3) }, () => VALUES[type]?.(draw) ?? '');
    const owner = draw(10) === 0 ? '*' : name(draw).replace(/example\.net\.$/, 'x.example.com.');
    return {
      name: owner,
      type,
      ...(draw(2) === 0 && { ttl: 1 + draw(86_400) }),
      values: [...new Set(values)],
    };
  });
  records.push(
    { name: 'only-alias', type: 'ALIAS', values: ['a.example.net.'] },
    { name: 'only-cname', type: 'CNAME', values: ['@'] },
  );
  const object = (kept: readonly ZoneRecord[]) => ({
    apiVersion: 'b8s.dev/v1',
    kind: 'Zone',
    metadata: { name: 'z' },
    spec: {
      origin: 'example.com',
      ttl: 1 + draw(86_400),
      records: kept,
      nameservers: ['ns1.example.net', 'ns2.example.com'],
    },
  });
  for (let kept: readonly ZoneRecord[] = records; ; ) {
    const outcome = validateObject(object(kept));
    if (outcome.kind === 'valid') return outcome.object.spec as ZoneSpec;
    const wrong = new Set(
      outcome.violations.map(({ path }) => Number(/\[(\d+)\]/.exec(path)?.[1])),
    );
    expect(wrong.has(Number.NaN), JSON.stringify(outcome.violations)).toBe(false);
    kept = kept.filter((_, index) => !wrong.has(index));
  }
}

const SEEDS = 80;

test('a zone that has been a file is the same after it was a file again', () => {
  let total = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const file = writeZoneFile(zoneOf(seed), EXTRAS);
    const once = parseZoneFile(file);
    if (once.kind === 'errors')
      throw new Error(`seed ${seed}: ${JSON.stringify(once.errors)}\n${file}`);
    const again = parseZoneFile(writeZoneFile(once.spec, EXTRAS));
    expect(again, `seed ${seed}`).toEqual({ kind: 'zone', spec: once.spec, notes: [] });
    // Nothing was lost on the first way, either.
    const count = (spec: ZoneSpec) =>
      spec.records.reduce((sum, { values }) => sum + values.length, 0);
    expect(writeZoneFile(once.spec, EXTRAS), `seed ${seed}`).toBe(file);
    expect(once.spec.records.length, `seed ${seed}`).toBe(zoneOf(seed).records.length);
    total += count(once.spec);
  }
  expect(total).toBeGreaterThan(20 * SEEDS);
});

test('a spec that came from a file is one that apply takes', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const outcome = parseZoneFile(writeZoneFile(zoneOf(seed), EXTRAS));
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
  const files = Array.from({ length: 10 }, (_, index) => writeZoneFile(zoneOf(index + 1), EXTRAS));
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
