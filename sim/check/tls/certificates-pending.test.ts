import { expect, test } from 'vitest';
import { memoryStore } from '../../../runtime/store/memory-store.ts';
import { virtualClock } from '../../../runtime/test-clock.ts';
import { nothingWished } from '../../load/wish.ts';
import { pendingOnCertificates } from './certificates-pending.ts';

const REVOCATION = { certificate: { namespace: 'default', name: 'shop', uid: 'u' } };
const failure = { reason: 'unauthorized', message: 'of another account', nextTryMs: 1 };

test.each<{ when: string; record: object; inUse?: string; waiting: readonly string[] }>([
  {
    when: 'nobody was told',
    record: REVOCATION,
    waiting: ['the CA to revoke ab12 of Certificate shop'],
  },
  {
    when: 'the CA refuses',
    record: { ...REVOCATION, failure },
    waiting: ['the CA to revoke ab12 of Certificate shop: of another account'],
  },
  { when: 'it is done', record: { ...REVOCATION, revokedMs: 1 }, waiting: [] },
  { when: 'it is in use again', record: REVOCATION, inUse: 'ab12', waiting: [] },
])('what a world waits for that was to be revoked: $when', async ({ record, inUse, waiting }) => {
  const store = memoryStore({ clock: virtualClock() });
  const put = async (key: string, value: object): Promise<unknown> =>
    await store.commit({
      guards: [],
      writes: [{ kind: 'put', key: `/b8s/system/${key}`, value: JSON.stringify(value) }],
    });
  await put('revocation/ab12', record);
  await put('material/u', { fingerprint: inUse ?? 'another' });
  expect(await pendingOnCertificates({ store, wish: nothingWished() }, 0)).toEqual(waiting);
});
