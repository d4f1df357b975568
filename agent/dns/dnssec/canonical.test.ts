import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseZoneKey } from '../../../runtime/dns/dnssec.ts';
import { RecordType } from '../message/codes.ts';
import { type NameKey, parseName } from '../message/name.ts';
import { parseRecord } from '../zone/record-data.ts';
import type { Rrset } from '../zone/rrset.ts';
import { canonicalData, canonicalRrset, labelCount, nameWire } from './canonical.ts';
import { signatureRecord } from './signature.ts';
import { zoneKey } from './signed.fixture.ts';

function key(text: string): NameKey {
  const name = parseName(text);
  if (name === undefined) throw new Error(`${text} is no name`);
  return name;
}

function rrset(type: number, ...texts: string[]): Rrset {
  const records = texts.map((text) => parseRecord(type, text).data);
  return { type, ttlS: 3600, records, targets: [] };
}

/** Owner, type, class, TTL, then length and data. */
function row(owner: string, type: number, data: string): string {
  const name = nameWire(key(owner)).toString('hex');
  const head = Buffer.from([type >> 8, type & 0xff, 0, 1, 0, 0, 0x0e, 0x10, 0, data.length / 2]);
  return `${name}${head.toString('hex')}${data}`;
}

describe('RFC 4034 §6.3: records in the order of their data, each once', () => {
  test.each([
    {
      when: 'addresses as bytes, not as numbers in a text',
      type: RecordType.A,
      texts: ['192.0.2.100', '192.0.2.20', '10.0.0.1', '192.0.2.20'],
      data: ['0a000001', 'c0000214', 'c0000264'],
    },
    {
      when: 'what ends first comes first',
      type: RecordType.TXT,
      texts: ['"ab"', '"a"', '"b"'],
      // The length of the text is its first byte.
      data: ['0161', '0162', '026162'],
    },
    {
      when: 'names whole and in lower case (§6.2)',
      type: RecordType.MX,
      texts: ['10 MAIL.Example.', '5 a.example.'],
      data: ['000501610765 78616d706c6500', '000a046d61696c076578616d706c6500'],
    },
  ])('$when', ({ type, texts, data }) => {
    const canonical = canonicalRrset({ owner: key('WWW.example'), rrset: rrset(type, ...texts) });
    const rows = data.map((each) => row('www.example', type, each.replaceAll(' ', '')));
    expect(canonical.toString('hex')).toBe(rows.join(''));
  });
});

test.each([
  {
    type: RecordType.SRV,
    parts: ['000100020003', '03575757024142'],
    lower: '000100020003 03777777 026162',
  },
  {
    type: RecordType.NAPTR,
    parts: ['00640032', '0153', '0753495053524d41', '00', '034b4559', '00'],
    lower: '00640032 0153 0753495053524d41 00 036b6579 00',
  },
  // RFC 6840 §5.1: what is not in the list stays as it is, and so do texts.
  { type: RecordType.TXT, parts: ['0341424344'], lower: '0341424344' },
])('names that are bytes in lower case, of type $type', ({ type, parts, lower }) => {
  const record = { parts: parts.map((part) => Buffer.from(part, 'hex')), text: '' };
  expect(canonicalData(type, record).toString('hex')).toBe(lower.replaceAll(' ', ''));
});

test.each([
  { name: '.', labels: 0 },
  { name: 'example', labels: 1 },
  { name: 'a.b.example', labels: 3 },
  { name: '*.example', labels: 1 },
  { name: 'a.*.example', labels: 3 },
])('RFC 4034 §3.1.3: $name has $labels labels', ({ name, labels }) => {
  expect(labelCount(key(name))).toBe(labels);
});

describe('RFC 6605 §6.1: the example', () => {
  const publicKey = Buffer.from(
    'GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==',
    'base64',
  );
  const entry = { owner: key('www.example.net'), rrset: rrset(RecordType.A, '192.0.2.1') };
  const canonical = canonicalRrset(entry);
  const validity = {
    inceptionS: Date.UTC(2010, 7, 12, 10, 4, 39) / 1000,
    expirationS: Date.UTC(2010, 8, 9, 10, 4, 39) / 1000,
  };
  const signing = {
    ...({ keyTag: 55_648, publicKey, role: 'active', ds: 'wanted' } as const),
    privateKey: parseZoneKey(zoneKey('any').privatePem),
  };

  test('its signature is one of what we would have signed', () => {
    let signed: Uint8Array = new Uint8Array();
    const input = { entry, canonical, origin: key('example.net'), key: signing, validity };
    const { text } = signatureRecord(input, (data) => {
      signed = data;
      return new Uint8Array(64);
    });
    expect(text).toMatch(/^A 13 3 3600 1284026679 1281607479 55648 example.net. /);
    const signature = Buffer.from(
      'qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw==',
      'base64',
    );
    const [x, y] = [publicKey.subarray(0, 32), publicKey.subarray(32)].map((half) =>
      half.toString('base64url'),
    );
    const jwk = { kty: 'EC', crv: 'P-256', x, y } as never;
    const ecdsa = {
      key: createPublicKey({ key: jwk, format: 'jwk' }),
      dsaEncoding: 'ieee-p1363',
    } as const;
    expect(verify('sha256', signed, ecdsa, signature)).toBe(true);
  });
});
