import type { ChallengePlan } from '../../proto/gen/b8s/v1/plan.ts';
import { type ProofUp, proofsUp } from '../../runtime/acme/proofs.ts';
import type { World } from '../../runtime/store/world.ts';
import type { ViewEntry } from './view-entry.ts';

/** The proofs that every edge puts up, of each order that has some: the CA may come to any. */
export function challengeEntries(world: World): readonly ViewEntry[] {
  return world
    .records('acmeOrder')
    .flatMap(([uid, { value, modRevision }]): readonly ViewEntry[] => {
      const proofs = proofsUp(value).filter(({ proof }) => proof.type !== 'dns-01');
      if (proofs.length === 0) return [];
      const key = `challenge/${uid}`;
      return [
        {
          key,
          version: String(modRevision),
          make: () => ({
            key,
            object: { $case: 'challenge', value: challengePlan(uid, proofs) },
          }),
        },
      ];
    });
}

function challengePlan(uid: string, proofs: readonly ProofUp[]): ChallengePlan {
  return {
    uid,
    http: proofs.flatMap(({ name: host, proof }) => {
      if (proof.type !== 'http-01') return [];
      const { token, keyAuthorization } = proof;
      return [{ host, token, keyAuthorization }];
    }),
    alpn: proofs.flatMap(({ name: host, proof }) => {
      if (proof.type !== 'tls-alpn-01') return [];
      return [{ host, token: proof.token, digest: Buffer.from(proof.digest, 'hex') }];
    }),
  };
}
