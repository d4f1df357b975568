import { createHash, sign } from 'node:crypto';
import { dnskeyRdata, generateZoneKey, hostWire, keyTagOf, parseZoneKey } from './dnssec.ts';
import type { OriginSet } from './dnssec-verify.ts';

/** A key of a zone, the same for the same seed. */
export interface FixtureKey {
  readonly rdata: Uint8Array;
  readonly keyTag: number;
  readonly publicKey: Uint8Array;
  readonly privatePem: string;
}

export function fixtureKey(seed: string): FixtureKey {
  const bytes = (count: number): Uint8Array =>
    createHash('sha256').update(seed).digest().subarray(0, count);
  const { publicKey, privatePem } = generateZoneKey({ next: () => 0, bytes });
  const rdata = dnskeyRdata(publicKey);
  return { rdata, keyTag: keyTagOf(rdata), publicKey, privatePem };
}

/** Data of an RRSIG record; `given` replaces what it says, before it is signed. */
export function signSet(
  set: OriginSet,
  { key, nowMs, labels = 2 }: { key: FixtureKey; nowMs: number; labels?: number },
  given: {
    readonly fromS?: number;
    readonly untilS?: number;
    readonly algorithm?: number;
    readonly signer?: string;
  } = {},
): Buffer {
  const nowS = Math.floor(nowMs / 1000);
  const { fromS = -3600, untilS = 7 * 86_400, algorithm = 13, signer } = given;
  const head = Buffer.alloc(18);
  head.writeUInt16BE(set.type, 0);
  head[2] = algorithm;
  head[3] = labels;
  head.writeUInt32BE(300, 4);
  head.writeUInt32BE((nowS + untilS) % 2 ** 32, 8);
  head.writeUInt32BE((nowS + fromS) % 2 ** 32, 12);
  head.writeUInt16BE(key.keyTag, 16);
  const whole = Buffer.concat([head, signer === undefined ? set.origin : hostWire(signer)]);
  const rows = set.records.toSorted(Buffer.compare).flatMap((record) => {
    const fixed = Buffer.alloc(10);
    fixed.writeUInt16BE(set.type, 0);
    fixed.writeUInt16BE(1, 2);
    fixed.writeUInt32BE(300, 4);
    fixed.writeUInt16BE(record.length, 8);
    return [set.origin, fixed, record];
  });
  const signed = Buffer.concat([whole, ...rows]);
  const how = { key: parseZoneKey(key.privatePem), dsaEncoding: 'ieee-p1363' } as const;
  return Buffer.concat([whole, sign('sha256', signed, how)]);
}
