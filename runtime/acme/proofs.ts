import type { AcmeOrderRecord, ProofRecord } from './records.ts';

/** A proof that is to be put up now, with the name that it is for, without `*.`. */
export interface ProofUp {
  readonly name: string;
  readonly proof: ProofRecord;
}

/** Pure: what a CA must be able to see for this order by now, in the order's order. */
export function proofsUp(order: AcmeOrderRecord): readonly ProofUp[] {
  return order.authorizations.flatMap(({ name, state, proof }) =>
    proof !== undefined && (state === 'proposed' || state === 'asked') ? [{ name, proof }] : [],
  );
}
