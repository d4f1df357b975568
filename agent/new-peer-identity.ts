import type { Clock } from '../runtime/clock.ts';
import { PEER_KEY_BYTES, PEER_SERVER_NAME } from '../runtime/content/peer-url.ts';
import type { PeerIdentity } from '../runtime/content/peers.ts';
import { selfSignedIdentity } from '../runtime/node/tls/self-signed.ts';
import type { Random } from '../runtime/random.ts';

/** Nobody looks at its dates: it is known by its fingerprint, for as long as this process runs. */
const CERTIFICATE_MS = 365 * 86_400_000;

/** What this process answers other nodes with: a certificate and a key that nothing else knows. */
export function newPeerIdentity(
  clock: Pick<Clock, 'nowMs'>,
  random: Pick<Random, 'bytes'>,
): PeerIdentity {
  const nowMs = clock.nowMs();
  const identity = selfSignedIdentity({
    name: PEER_SERVER_NAME,
    notBeforeMs: nowMs - CERTIFICATE_MS,
    notAfterMs: nowMs + CERTIFICATE_MS,
    serialNumber: random.bytes(16),
  });
  return { ...identity, key: Uint8Array.from(random.bytes(PEER_KEY_BYTES)) };
}
