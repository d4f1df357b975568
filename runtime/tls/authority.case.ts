import { describe, expect, test } from 'vitest';
import { type VirtualClock, virtualClock } from '../test-clock.ts';
import { type CertificateAuthority, identityUri, parseIdentityUri } from './authority.ts';

/** What a case wants to know of a certificate, read by other means than the authority's own. */
export interface CertificateFacts {
  readonly commonName: string;
  /** DNS names and addresses, in order. */
  readonly names: readonly string[];
  readonly uris: readonly string[];
  readonly usage: 'server' | 'client';
  /** Whether the CA's key signed it, as the CA's text says. */
  readonly chainsTo: (caPem: string) => boolean;
  readonly serialNumber: string;
  readonly fingerprint: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly publicKey: string;
}

export interface AuthorityUnderTest {
  readonly make: (clock: VirtualClock) => Promise<CertificateAuthority>;
  readonly read: (chainPem: string) => CertificateFacts;
  /** The public half of a private key, in the words of `CertificateFacts.publicKey`. */
  readonly publicKeyOf: (keyPem: string) => string;
  /** A node's request, with extensions and names that dom must not copy. */
  readonly request: (
    fault: 'none' | 'weak key' | 'foreign signature' | 'garbage',
  ) => Promise<{ readonly csr: Uint8Array; readonly publicKey: string }>;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const LONDON = { kind: 'node', name: 'london', uid: '0f3a-11' } as const;
const ADMIN = { kind: 'user', name: 'ada', role: 'admin' } as const;

/** The contract of `CertificateAuthority`: every implementation passes it. */
export function authorityCases({ make, read, publicKeyOf, request }: AuthorityUnderTest): void {
  test.each([{ keyType: 'ecdsa-p256' }, { keyType: 'rsa-2048' }] as const)(
    'a server certificate ($keyType) holds its names, and the key belongs to it',
    async ({ keyType }) => {
      const authority = await make(virtualClock());
      const names = ['blog.example.com', '*.example.com', '127.0.0.1'];
      const issued = await authority.issueServer({ names, keyType, lifetimeMs: DAY_MS });
      const facts = read(issued.chainPem);
      expect(facts).toMatchObject({ names, uris: [], usage: 'server' });
      expect(facts.chainsTo(authority.caPem)).toBe(true);
      expect(facts.publicKey).toBe(publicKeyOf(issued.keyPem));
    },
  );

  test.each([{ identity: LONDON }, { identity: ADMIN }])(
    'a client certificate says who it speaks for: $identity.kind',
    async ({ identity }) => {
      const authority = await make(virtualClock());
      const issued = await authority.issueClient({ identity, lifetimeMs: DAY_MS });
      const facts = read(issued.chainPem);
      expect(facts).toMatchObject({ commonName: identity.name, names: [], usage: 'client' });
      expect(facts.uris.map(parseIdentityUri)).toEqual([identity]);
      expect(facts.publicKey).toBe(publicKeyOf(issued.keyPem));
    },
  );

  test('of a request only the public key is taken', async () => {
    const authority = await make(virtualClock());
    const { csr, publicKey } = await request('none');
    const signed = await authority.signRequest({ csr, identity: LONDON, lifetimeMs: DAY_MS });
    const facts = read(signed.chainPem);
    expect(facts).toMatchObject({ commonName: 'london', names: [], usage: 'client', publicKey });
    expect(facts.uris).toEqual([identityUri(LONDON)]);
    expect(facts.chainsTo(authority.caPem)).toBe(true);
  });

  test.each([
    { fault: 'weak key', message: 'weak or unknown key' },
    { fault: 'foreign signature', message: 'not signed with its own key' },
    { fault: 'garbage', message: 'is not PKCS #10' },
  ] as const)('a request with $fault is refused', async ({ fault, message }) => {
    const authority = await make(virtualClock());
    const { csr } = await request(fault);
    const signing = authority.signRequest({ csr, identity: LONDON, lifetimeMs: DAY_MS });
    await expect(signing).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message),
    });
  });

  test('what is said of a certificate is what stands in it', async () => {
    const clock = virtualClock();
    const authority = await make(clock);
    const issued = await authority.issueClient({ identity: ADMIN, lifetimeMs: DAY_MS });
    const { notBeforeMs, notAfterMs, fingerprint, serialNumber } = issued;
    const said = { notBeforeMs, notAfterMs, fingerprint, serialNumber };
    expect(read(issued.chainPem)).toMatchObject(said);
    expect(notAfterMs).toBe(clock.nowMs() + DAY_MS);
    expect(notBeforeMs).toBe(clock.nowMs() - 5 * 60 * 1000);
    expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(serialNumber).toMatch(/^[0-7][0-9a-f]{31}$/);
  });

  test('serial numbers do not repeat', async () => {
    const authority = await make(virtualClock());
    const serials = new Set<string>();
    for (let count = 0; count < 20; count += 1) {
      const issued = await authority.issueClient({ identity: LONDON, lifetimeMs: DAY_MS });
      serials.add(issued.serialNumber);
    }
    expect(serials.size).toBe(20);
  });

  describe('the CA', () => {
    test('is known by its hash', async () => {
      const authority = await make(virtualClock());
      expect(authority.caHash).toBe(`sha256:${read(authority.caPem).fingerprint}`);
    });

    test('vouches for nothing of another CA', async () => {
      const [ours, theirs] = [await make(virtualClock()), await make(virtualClock())];
      const issued = await theirs.issueClient({ identity: ADMIN, lifetimeMs: DAY_MS });
      expect(read(issued.chainPem).chainsTo(ours.caPem)).toBe(false);
    });

    test('signs nothing that would outlive it', async () => {
      const authority = await make(virtualClock());
      const lifetimeMs = 100 * 365 * DAY_MS;
      const issued = await authority.issueClient({ identity: ADMIN, lifetimeMs });
      expect(issued.notAfterMs).toBe(read(authority.caPem).notAfterMs);
    });
  });
}
