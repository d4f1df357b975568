import { recordKey } from '../runtime/store/keys.ts';
import type { AuthorityRecord } from '../runtime/store/records.ts';
import type { Store } from '../runtime/store/store.ts';
import type { Sealer } from '../runtime/tls/authority.ts';

const SEAL_CONTEXT = 'authority';

export interface CaMaterial {
  readonly caPem: string;
  readonly caKeyPem: string;
}

/**
 * The cluster's certificate authority: read from the store, or made at the very first start. Of
 * several doms that start at once, all end up with the same one.
 */
export async function ensureAuthority(
  store: Store,
  sealer: Sealer,
  generate: () => Promise<CaMaterial>,
): Promise<CaMaterial> {
  const key = recordKey('authority', 'ca');
  for (;;) {
    const item = await store.get(key);
    if (item !== undefined) return open(JSON.parse(item.value) as AuthorityRecord, sealer);
    const { caPem, caKeyPem } = await generate();
    const record: AuthorityRecord = { caPem, sealedKey: sealer.seal(caKeyPem, SEAL_CONTEXT) };
    await store.commit({
      guards: [{ key, modRevision: 0n }],
      writes: [{ kind: 'put', key, value: JSON.stringify(record) }],
    });
  }
}

function open({ caPem, sealedKey }: AuthorityRecord, sealer: Sealer): CaMaterial {
  try {
    return { caPem, caKeyPem: sealer.open(sealedKey, SEAL_CONTEXT) };
  } catch (cause) {
    throw new Error(
      "the CA's key in the store was sealed with another seal key: start dom with the seal.key of this cluster",
      { cause },
    );
  }
}
