import { describe, expect, test } from 'vitest';
import type { Random } from '../random.ts';
import { virtualClock } from '../test-clock.ts';
import { authorityCases } from './authority.case.ts';
import {
  encodeFakeRequest,
  fakeAuthority,
  fakeKey,
  fakePublicKey,
  parseFakeCertificate,
} from './fake-authority.ts';
import { certificateFingerprint } from './pem.ts';

describe('the fake authority', () => {
  const random = countingRandom();
  authorityCases({
    make: async (clock) => fakeAuthority({ clock, random }),
    publicKeyOf: fakePublicKey,
    read(chainPem) {
      const certificate = parseFakeCertificate(chainPem);
      return {
        ...certificate,
        fingerprint: certificateFingerprint(chainPem),
        chainsTo: (caPem) => parseFakeCertificate(caPem).publicKey === certificate.issuer,
      };
    },
    async request(fault) {
      const { publicKey } = fakeKey(random);
      if (fault === 'garbage') return { csr: Buffer.from('garbage'), publicKey };
      const strength = fault === 'weak key' ? 'weak' : 'strong';
      const signedBy = fault === 'foreign signature' ? 'another' : publicKey;
      return { csr: encodeFakeRequest({ publicKey, strength, signedBy }), publicKey };
    },
  });

  test('the same random numbers give the same certificates', async () => {
    const chains = [];
    for (let run = 0; run < 2; run += 1) {
      const authority = fakeAuthority({ clock: virtualClock(), random: countingRandom() });
      const identity = { kind: 'user', name: 'ada', role: 'admin' } as const;
      chains.push(await authority.issueClient({ identity, lifetimeMs: 1000 }));
    }
    expect(chains[0]).toEqual(chains[1]);
  });
});

function countingRandom(): Random {
  let count = 0;
  return {
    next: () => 0.5,
    bytes(length) {
      const bytes = Buffer.alloc(length);
      count += 1;
      if (length >= 4) bytes.writeUInt32BE(count, length - 4);
      return bytes;
    },
  };
}
