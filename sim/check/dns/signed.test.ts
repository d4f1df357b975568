import type packet from 'dns-packet';
import { expect, test } from 'vitest';
import type { DnsQuery } from '../../load/dns-query.ts';
import type { DnsExchange } from '../check.ts';
import {
  addressOf,
  appliedZone,
  BLOG,
  commitOf,
  exchangeOf,
  soaOf,
  watched,
  zoneVersion,
} from './dns.fixture.ts';
import { signedCheck } from './signed.ts';

const NOW_S = 1_800_000_000;
const KEY = { keyTag: 4711, publicKey: '', role: 'active', ds: 'wanted' } as const;
const DO: Partial<DnsQuery> = { sizeBytes: 1232, proof: 'wanted' };
const NOWHERE = { name: 'nowhere.example.test', type: 16 };
const DENIED = { name: NOWHERE.name, covers: 'NSEC' } as const;
const SOA_SIGNED = { name: 'example.test', covers: 'SOA' } as const;

test.each([
  { when: 'a signed answer', of: answer([signature()]) },
  { when: 'a signed denial', of: denial([signature(DENIED), signature(SOA_SIGNED)]) },
  {
    when: 'no proof, as nobody asked for any',
    of: exchangeOf({}, { answers: [addressOf('tokyo')] }),
  },
  { when: 'nothing of what is cut', of: answer([], { flags: 0x0200 }) },
  { when: 'a clock that was set back since', of: answer([signature({ fromS: NOW_S + 3_600 })]) },
])('well: $when', ({ of }) => {
  expect(found(of)).toEqual([]);
});

test.each([
  { when: 'an answer without a signature', of: answer([]) },
  { when: 'the signature of another type', of: answer([signature({ covers: 'TXT' })]) },
  { when: 'the signature of another name', of: answer([signature({ name: 'docs.example.test' })]) },
  { when: 'a key that the version does not have', of: answer([signature({ keyTag: 4712 })]) },
  { when: 'another zone as signer', of: answer([signature({ signer: 'test' })]) },
  { when: 'what is over', of: answer([signature({ untilS: NOW_S - 10_000 })]) },
  { when: 'what is yet to come', of: answer([signature({ fromS: NOW_S + 10_000 })]) },
  { when: 'a denial that is half signed', of: denial([signature(SOA_SIGNED)]) },
  {
    when: 'a denial without proof',
    of: exchangeOf(
      { ...NOWHERE, ...DO },
      withOpt({ authorities: [soaOf(5), signature(SOA_SIGNED)] }),
    ),
  },
  {
    when: 'proof that nobody asked for',
    of: exchangeOf({}, { answers: [addressOf('tokyo'), signature()] }),
  },
])('INV-23: $when', ({ of }) => {
  expect(found(of)).toEqual([expect.stringMatching(/^INV-23/)]);
});

test('of a zone that is not signed nothing is proved', () => {
  const one = found(answer([]), []);
  const other = found(answer([signature()]), []);
  expect(one).toEqual([]);
  expect(other).toEqual([expect.stringMatching(/that nobody asked for$/)]);
});

function found(exchange: DnsExchange, keys: readonly (typeof KEY)[] = [KEY]): readonly string[] {
  const it = watched((ports) => signedCheck({ ...ports, wallMsAt: () => 1000 * NOW_S }));
  const version = zoneVersion(5, { keys });
  it.check.committed?.(commitOf(version));
  it.check.applied?.(appliedZone(version));
  it.check.asked?.(exchange);
  return it.found;
}

function answer(
  signatures: readonly packet.Answer[],
  { flags = 0 }: { readonly flags?: number } = {},
): DnsExchange {
  return exchangeOf(DO, withOpt({ flags, answers: [addressOf('tokyo'), ...signatures] }));
}

function denial(signatures: readonly packet.Answer[]): DnsExchange {
  const nsec = { nextDomain: `\0.${NOWHERE.name}`, rrtypes: ['RRSIG', 'NSEC'] };
  const proof = { type: 'NSEC', name: NOWHERE.name, ttl: 60, data: nsec } as packet.Answer;
  return exchangeOf(
    { ...NOWHERE, ...DO },
    withOpt({ authorities: [soaOf(5), proof, ...signatures] }),
  );
}

function withOpt(sections: Parameters<typeof exchangeOf>[1]): Parameters<typeof exchangeOf>[1] {
  const opt = { type: 'OPT', name: '.', udpPayloadSize: 1232, flags: 0, options: [] } as never;
  return { ...sections, additionals: [opt] };
}

interface Signed {
  readonly name: string;
  readonly covers: packet.RecordType;
  readonly keyTag: number;
  readonly signer: string;
  readonly fromS: number;
  readonly untilS: number;
}

function signature(changes: Partial<Signed> = {}): packet.Answer {
  const { name, covers, keyTag, signer, fromS, untilS }: Signed = {
    ...{ name: BLOG.name, covers: 'A', keyTag: 4711, signer: 'example.test' },
    ...{ fromS: NOW_S - 60, untilS: NOW_S + 86_400, ...changes },
  };
  return {
    ...{ type: 'RRSIG', name, ttl: 30 },
    data: {
      ...{ typeCovered: covers, algorithm: 13, labels: 3, originalTTL: 30 },
      ...{ expiration: untilS, inception: fromS, keyTag, signersName: signer },
      signature: Buffer.alloc(64),
    },
  };
}
