import { recordKey } from '../../../runtime/store/keys.ts';
import type { ZoneRecord } from '../../../runtime/store/records.ts';
import type { Check, CheckPorts } from '../check.ts';
import type { NodeAtRest } from '../objects/node-orphans.ts';
import type { StoreHistory } from '../store-history.ts';

const CHALLENGE = '_acme-challenge.';

export interface ProofsParts {
  readonly history: StoreHistory;
  /** Those that are connected. */
  readonly nodes: () => readonly NodeAtRest[];
}

/**
 * INV-32, at rest, when every order has come to an end, well or badly: no order is left, no zone
 * holds a proof, neither in the store nor at a nameserver, and no edge shows one.
 */
export function proofsCheck(
  { violated }: Pick<CheckPorts, 'violated'>,
  { history, nodes }: ProofsParts,
): Check {
  return {
    rested() {
      for (const { key } of history.list(recordKey('acmeOrder', ''), history.head))
        violated(32, `${key} is left`);
      for (const { key, value } of history.list(recordKey('zone', ''), history.head)) {
        const { records } = JSON.parse(value) as ZoneRecord;
        for (const name of proofsIn(records)) violated(32, `${key} still holds ${name}`);
      }
      for (const { node, snapshot } of nodes()) {
        const { http = [], alpn = [] } = snapshot.edge.proofs ?? {};
        for (const { host } of [...http, ...alpn])
          violated(32, `${node} still shows a proof for ${host}`);
        for (const { records } of snapshot.dns.zones)
          for (const name of proofsIn(records)) violated(32, `${node} still serves ${name}`);
      }
    },
  };
}

function proofsIn(records: readonly { readonly name: string }[]): readonly string[] {
  return records.flatMap(({ name }) => (name.startsWith(CHALLENGE) ? [name] : []));
}
