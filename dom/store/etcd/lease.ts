import type { Etcd3 } from 'etcd3';
import type { LeaseId } from '../../../runtime/store/store.ts';
import { CALL_DEADLINE_MS } from './connection.ts';
import { isTokenEnded } from './errors.ts';

/**
 * Renews a lease once. etcd offers this as a stream only; etcd3's own keepalive notices a lost
 * lease after twice its time, so the caller keeps time instead.
 */
export async function renewLease(client: Etcd3, lease: LeaseId): Promise<'renewed' | 'expired'> {
  try {
    return await renewOnce(client, lease);
  } catch (error) {
    if (!isTokenEnded(error)) throw error;
    // etcd3 logs in again for calls but not for streams: make one.
    await client.leaseClient.leaseTimeToLive({ ID: lease });
    return await renewOnce(client, lease);
  }
}

async function renewOnce(client: Etcd3, lease: LeaseId): Promise<'renewed' | 'expired'> {
  const deadline = Date.now() + CALL_DEADLINE_MS;
  const stream = await client.leaseClient.leaseKeepAlive({ deadline });
  try {
    return await new Promise((resolve, reject) => {
      stream.on('data', ({ TTL }) => resolve(BigInt(TTL) > 0n ? 'renewed' : 'expired'));
      stream.on('error', reject);
      stream.on('end', () => reject(new Error('etcd ended the stream without an answer')));
      stream.write({ ID: lease });
    });
  } finally {
    stream.cancel();
  }
}
