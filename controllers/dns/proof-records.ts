import { recordNameProblem } from '../../api/names.ts';
import { canonicalValue, isWithin } from '../../api/records.ts';
import type { RecordSetRecord } from '../../runtime/store/records.ts';
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
 *
 * A name that a wildcard stood for answers as before: once there is something below it, the wildcard
 * stands for it no longer (RFC 4592 §2.2.2), so what that holds is written out (`unhide`).
 */
export function withProofs<Given extends Sets>(
  given: Given,
  { origin, hosts, proofs }: ProofFacts,
): Given {
  const texts = proofs.filter((proof) => proof.kind === 'text');
  if (texts.length === 0) return given;
  const sets = new Map(given.records.map((set) => [keyOf(set), set]));
  const problems = [...given.problems];
  const placedSets: RecordSetRecord[] = [];
  for (const { name, value } of texts) {
    const outcome = placed(sets, { name, value, origin });
    if (typeof outcome === 'object') placedSets.push(outcome);
    if (typeof outcome === 'object') sets.set(keyOf(outcome), outcome);
    else problems.push(`${name} TXT, a proof for a certificate, is left out, for ${outcome}`);
  }
  const before = new Set(given.records.map(({ name }) => name));
  unhide(sets, { origin, names: new Set([...before, ...hosts]), placed: placedSets });
  const records = [...sets.keys()].toSorted().flatMap((key) => sets.get(key) ?? []);
  return { ...given, records, problems };
}

export interface ProofFacts {
  readonly origin: string;
  /** Names that lead to edges. */
  readonly hosts: ReadonlySet<string>;
  readonly proofs: readonly ZoneProof[];
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
  // Others choose where aliases lead, and no nameserver takes a zone with a name that is none.
  const wrong = recordNameProblem(name);
  if (wrong !== undefined) return `its name ${wrong}`;
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
  return [name, ...namesAbove(name, origin)].find(
    (each) => each !== origin && sets.has(`${each} NS`),
  );
}

/**
 * Writes out what wildcards hold for the names above a proof that are only there because of it, and
 * for all that may be asked for below those.
 */
function unhide(
  sets: Map<string, RecordSetRecord>,
  given: {
    readonly origin: string;
    /** Of the zone without proofs. */
    readonly names: ReadonlySet<string>;
    readonly placed: readonly RecordSetRecord[];
  },
): void {
  const { origin, placed } = given;
  const wildcards = Map.groupBy(
    [...sets.values()].filter(({ name }) => name.startsWith('*.')),
    ({ name }) => name,
  );
  if (wildcards.size === 0) return;
  const taken = new Set([...given.names, ...placed.map(({ name }) => name)]);
  const existing = new Set([origin]);
  for (const name of given.names)
    for (const each of [name, ...namesAbove(name, origin)]) existing.add(each);
  for (const { name } of placed) {
    const above = existing.has(name) ? [] : namesAbove(name, origin);
    const made = above.filter((each) => !existing.has(each));
    const encloser = above.find((each) => existing.has(each)) ?? origin;
    const held = made.length === 0 ? [] : (wildcards.get(`*.${encloser}`) ?? []);
    for (const owner of made.flatMap((each) => [each, `*.${each}`])) {
      if (taken.has(owner)) continue;
      for (const set of held) sets.set(keyOf({ ...set, name: owner }), { ...set, name: owner });
    }
  }
}

/** From the nearest to the last one below the origin. */
function namesAbove(name: string, origin: string): readonly string[] {
  const above: string[] = [];
  for (let at = parentOf(name); at !== origin && at !== ''; at = parentOf(at)) above.push(at);
  return above;
}

/** Of the last label: empty. */
function parentOf(name: string): string {
  const dot = name.indexOf('.');
  return dot < 0 ? '' : name.slice(dot + 1);
}

function keyOf({ name, type }: RecordSetRecord): string {
  return `${name} ${type}`;
}
