import { expect, test } from 'vitest';
import { ChallengePlan } from '../../proto/gen/b8s/v1/plan.ts';
import { alpnProofs, edgeProofs, shownTokens } from './proofs.ts';

const digest = Buffer.alloc(32, 7);
const http = (host: string, token: string) => ({ host, token, keyAuthorization: `${token}.x` });
const alpn = (host: string, token: string) => ({ host, token, digest });

function plan(proofs: Partial<ChallengePlan>): ChallengePlan {
  return { ...ChallengePlan.fromPartial({}), ...proofs };
}

test('the proofs of all orders, sorted by token, their bytes being their own', () => {
  const proofs = edgeProofs([
    plan({ http: [http('b.test', 't3'), http('a.test', 't1')] }),
    plan({ http: [http('a.test', 't2')], alpn: [alpn('c.test', 't4')] }),
  ]);
  expect(proofs?.http.map(({ token }) => token)).toEqual(['t1', 't2', 't3']);
  expect(proofs?.alpn).toEqual([{ host: 'c.test', token: 't4', digest: Uint8Array.from(digest) }]);
  expect(proofs?.alpn[0]?.digest.buffer.byteLength).toBe(32);
});

test.each([
  { when: 'there are none', given: plan({}) },
  { when: 'a token is no part of a path', given: plan({ http: [http('a.test', '../x')] }) },
  { when: 'a token is empty', given: plan({ alpn: [alpn('a.test', '')] }) },
  {
    when: 'a digest is no SHA-256',
    given: plan({ alpn: [{ ...alpn('a.test', 't1'), digest: Buffer.alloc(31) }] }),
  },
])('nothing is put up when $when', ({ given }) => {
  expect(edgeProofs([given])).toBeUndefined();
});

test('of two proofs of a host TLS shows one, and says which', () => {
  const proofs = edgeProofs([
    plan({ alpn: [alpn('a.test', 't2'), alpn('b.test', 't3')], http: [http('a.test', 't4')] }),
    plan({ alpn: [alpn('a.test', 't1')], http: [http('a.test', 't5')] }),
  ]);
  const snapshot = { sites: [], certificates: [], httpsPort: 443, ...(proofs && { proofs }) };
  expect(alpnProofs(snapshot).get('a.test')?.token).toBe('t1');
  expect(shownTokens(snapshot)).toEqual(['t4', 't5', 't1', 't3']);
});
