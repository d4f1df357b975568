import { canonicalValue, isWithin } from '../../api/records.ts';
import type { RecordSetRecord } from '../../runtime/records.ts';
import type { ZoneProof } from './zone-proofs.ts';

/** Resolvers forget a proof at once: the next one of its name is another. */
export const PROOF_TTL_S = 1;

interface Sets {
  /** Sorted by name, then type. */
  readonly records: readonly RecordSetRecord[];
  readonly problems: readonly string[];
}

/**
 * The record sets of a zone with what CAs look for (RFC 8555 §8.4), beside the texts of the same
 * name that a person declared. Whatever else was declared is left as it is: nobody would find a
 * proof below a delegation or at an alias, and that is a problem for a person.
 */
export function withProofs<Given extends Sets>(
  given: Given,
  origin: string,
  proofs: readonly ZoneProof[],
): Given {
  const texts = proofs.filter((proof) => proof.kind === 'text');
  if (texts.length === 0) return given;
  const sets = new Map(given.records.map((set) => [keyOf(set), set]));
  const problems = [...given.problems];
  for (const { name, value } of texts) {
    const outcome = placed(sets, { name, value, origin });
    if (typeof outcome === 'object') sets.set(keyOf(outcome), outcome);
    else problems.push(`${name} TXT, a proof for a certificate, is left out, for ${outcome}`);
  }
  const records = [...sets.keys()].toSorted().flatMap((key) => sets.get(key) ?? []);
  return { ...given, records, problems };
}

/** The set with the proof in it; a string says why it cannot be there. */
function placed(
  sets: ReadonlyMap<string, RecordSetRecord>,
  {
    name,
    value,
    origin,
  }: { readonly name: string; readonly value: string; readonly origin: string },
): RecordSetRecord | string {
  if (!isWithin(name, origin)) return `it lies outside of ${origin}`;
  const cut = cutAbove(sets, name, origin);
  if (cut !== undefined) return `${cut} is delegated away: declare the record there`;
  if (sets.has(`${name} CNAME`)) return 'it has a CNAME: remove that, or lead it to a zone of ours';
  const outcome = canonicalValue('TXT', value, origin);
  if (outcome.kind === 'error') return `its value ${outcome.message}`;
  const known = sets.get(`${name} TXT`);
  const values = [...new Set([...(known?.values ?? []), outcome.value])];
  // One set has one time to live, the lowest (RFC 2181 §5.2).
  return { name, type: 'TXT', ttlS: PROOF_TTL_S, values };
}

/** The delegation that hides a name; undefined: none does. */
function cutAbove(
  sets: ReadonlyMap<string, RecordSetRecord>,
  name: string,
  origin: string,
): string | undefined {
  // A dot that is escaped ends no label, and such a name has no delegation anyway.
  for (let at = name; at !== origin && at !== ''; at = at.slice(at.indexOf('.') + 1)) {
    if (sets.has(`${at} NS`)) return at;
    if (!at.includes('.')) return undefined;
  }
  return undefined;
}

function keyOf({ name, type }: RecordSetRecord): string {
  return `${name} ${type}`;
}
