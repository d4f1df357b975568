import { parseName } from '../../../api/rdata/name.ts';
import { DnsType } from '../../../runtime/dns/client.ts';
import { hostWire, keyTagOf } from '../../../runtime/dns/dnssec.ts';
import { isDsOf, type SignatureVerdict, verifyRrsig } from '../../../runtime/dns/dnssec-verify.ts';
import type { DnssecFacts, ExpectedZone, ParentFacts, ServerFacts } from './facts.ts';
import { compare, type Finding, problem, TELL_REGISTRAR, WAIT } from './finding.ts';

const DAY_MS = 86_400_000;
/** Nameservers sign anew what has less than four days left. */
const LEFT_MS_MIN = 3 * DAY_MS;
/** Whoever sends more, to be kept busy with, is not heard to the end. */
const KEYS_MAX = 16;
const SIGNATURES_MAX = 16;
const UPDATE = 'update sub there, or look at b8sctl describe zone';
const CLOCKS = 'compare the clocks of that machine and of this one; both need NTP';

/** What a parent holds of the keys: a DS without its key makes every validating resolver refuse the zone. */
export function judgeDs(
  expected: ExpectedZone,
  zone: string,
  seen: readonly string[] | undefined,
): readonly Finding[] {
  const { origin, ds: wanted, phase } = expected;
  if (seen === undefined)
    return [{ verdict: 'unknown', message: `${zone} did not say its DS records of ${origin}` }];
  if (phase === 'withdrawing') return [judgeWithdrawal(expected, zone, seen)];
  if (wanted.length === 0 && seen.length === 0) return [];
  if (wanted.length === 0 && phase === 'signing') {
    const message = `${zone} has DS records for ${origin} too early: who holds older answers, without signatures, refuses them`;
    return [problem(message, 'it passes by itself; next time wait for the DS in status.ds')];
  }
  if (wanted.length === 0) {
    const message = `${zone} has DS records for ${origin}, which is not signed: validating resolvers refuse it`;
    return [problem(message, `let the registrar remove DS ${seen.join('; ')}`)];
  }
  const tell = tellOf(expected, zone);
  if (seen.length === 0) {
    const message = `${origin} is signed, and ${zone} has no DS record for it: nobody can tell`;
    return [problem(message, tell)];
  }
  const finding = compare(`${zone} has DS for ${origin}:`, { seen, wanted, mend: tell });
  const tags = wanted.map((text) => Number(text.split(' ')[0])).toSorted((a, b) => a - b);
  const isSaid = expected.parentDs?.join() === tags.join();
  if (finding.verdict !== 'fine' || isSaid) return [finding];
  return [{ ...finding, mend: `say so: set spec.dnssec.parentDs to [${tags.join(', ')}]` }];
}

/** A parent zone that is served here is changed by its Zone, not by a registrar. */
export function tellOf({ zones }: ExpectedZone, parent: string): string {
  const name = zones.get(parent);
  return name === undefined ? TELL_REGISTRAR : `declare the lines below in the Zone ${name}`;
}

function judgeWithdrawal(
  { origin, parentDs }: ExpectedZone,
  zone: string,
  seen: readonly string[],
): Finding {
  if (seen.length > 0) {
    const message = `signing of ${origin} is to end, and ${zone} has DS ${seen.join('; ')}`;
    return problem(message, 'let the registrar remove every DS record; until then it stays signed');
  }
  const message = `${zone} has no DS records of ${origin}, of which signing is to end`;
  if (parentDs?.length === 0) return { verdict: 'fine', message };
  return { verdict: 'fine', message, mend: 'say so: set spec.dnssec.parentDs to []' };
}

/** Whether one nameserver signs with the keys of the zone, and the parent's DS lead to them. */
export function judgeSigning(
  expected: ExpectedZone,
  { name, server, dnssec }: ServerFacts,
  { parent, nowMs }: { readonly parent: ParentFacts; readonly nowMs: number },
): readonly Finding[] {
  if (dnssec === undefined) return [];
  const place = `${name} (${server.address})`;
  const { origin, keyTags } = expected;
  const wanted = keyTags.map(String);
  const keys = dnssec.keys.slice(0, KEYS_MAX).map(bytesOf);
  if (keys.length === 0) {
    return wanted.length === 0
      ? []
      : [problem(`${place} has no keys of ${origin}: it does not sign`, UPDATE)];
  }
  const seen = [...new Set(keys.map(keyTagOf))].toSorted((a, b) => a - b).map(String);
  const cds = wanted.length === 0 ? undefined : dnssec.cds;
  return [
    compare(`${place} has keys`, { seen, wanted, mend: WAIT }),
    ...judgeSignatures(expected, { place, dnssec, keys, ds: dsOf(parent), nowMs }),
    ...(cds === undefined || (cds.length === 0 && expected.cds.length === 0)
      ? []
      : [
          compare(`${place} asks the parent for DS`, {
            seen: cds,
            wanted: expected.cds,
            mend: WAIT,
          }),
        ]),
  ];
}

interface Signed {
  readonly place: string;
  readonly dnssec: DnssecFacts;
  readonly keys: readonly Uint8Array[];
  /** At the parent. */
  readonly ds: readonly string[];
  readonly nowMs: number;
}

/** From the parent's DS to the keys, and from those to the data (RFC 4035 §5.2, §5.3). */
function judgeSignatures(
  { origin }: ExpectedZone,
  { place, dnssec, keys, ds, nowMs }: Signed,
): readonly Finding[] {
  const wire = hostWire(origin);
  const trusted = keys.filter((key) => ds.some((each) => isDsOf(each, wire, key) !== false));
  if (ds.length > 0 && trusted.length === 0) {
    const message = `no DS of the parent is of a key of ${place}: validating resolvers refuse its answers`;
    return [problem(message, TELL_REGISTRAR)];
  }
  const soa = dnssec.soa === undefined ? undefined : soaData(dnssec.soa);
  const best = (type: DnsType, records: readonly Uint8Array[], by: readonly Uint8Array[]) =>
    bestOf(
      (type === DnsType.SOA ? dnssec.soaSignatures : dnssec.keySignatures)
        .slice(0, SIGNATURES_MAX)
        .map((rrsig) =>
          verifyRrsig({ origin: wire, type, records }, { rrsig: bytesOf(rrsig), keys: by }, nowMs),
        ),
    );
  const overKeys = best(DnsType.DNSKEY, dnssec.keys.map(bytesOf), ds.length > 0 ? trusted : keys);
  const overSoa = soa === undefined ? undefined : best(DnsType.SOA, [soa], keys);
  return [
    judgeSignature(`${place} signs the keys`, overKeys, nowMs),
    ...(overSoa === undefined ? [] : [judgeSignature(`${place} signs the zone`, overSoa, nowMs)]),
  ];
}

/** One good signature is enough (RFC 4035 §5.3.3). */
function bestOf(verdicts: readonly SignatureVerdict[]): SignatureVerdict {
  const byKind = (kind: SignatureVerdict['kind']): SignatureVerdict | undefined =>
    verdicts.find((verdict) => verdict.kind === kind);
  return byKind('good') ?? byKind('unknown') ?? byKind('bad') ?? { kind: 'bad', why: 'is missing' };
}

function judgeSignature(what: string, verdict: SignatureVerdict, nowMs: number): Finding {
  switch (verdict.kind) {
    case 'unknown':
      return { verdict: 'unknown', message: `${what} with an algorithm that is not known here` };
    case 'bad':
      return problem(`${what}, but the signature ${verdict.why}`, CLOCKS);
    case 'good': {
      const until = `${new Date(verdict.untilMs).toISOString().slice(0, 16)}Z`;
      const message = `${what} with key ${verdict.keyTag}, good until ${until}`;
      if (verdict.untilMs - nowMs < LEFT_MS_MIN)
        return problem(`${message}, which is soon`, CLOCKS);
      return { verdict: 'fine', message };
    }
  }
}

/** What the first nameserver of the parent that said anything said. */
function dsOf(parent: ParentFacts): readonly string[] {
  if (parent.kind === 'unknown') return [];
  const said = parent.servers.map(({ seen }) => (seen.kind === 'answered' ? seen.ds : undefined));
  return said.find((ds) => ds !== undefined) ?? [];
}

/** In canonical form; undefined: a name of it is none. */
function soaData(text: string): Uint8Array | undefined {
  const [primary = '', mailbox = '', ...numbers] = text.split(' ');
  const names = [primary, mailbox].map(parseName);
  if (names.includes(undefined)) return undefined;
  const fixed = Buffer.alloc(4 * numbers.length);
  for (const [index, number] of numbers.entries()) fixed.writeUInt32BE(Number(number), 4 * index);
  return Buffer.concat([...names.map((key) => Buffer.from(`${key}\0`, 'latin1')), fixed]);
}

function bytesOf(hex: string): Uint8Array {
  return Buffer.from(hex, 'hex');
}
