import { createHash } from 'node:crypto';
import { RecentMap } from '../../../runtime/recent-map.ts';
import { RecordType } from '../message/codes.ts';
import type { Rrset } from '../zone/rrset.ts';
import type { Entry } from '../zone/zone.ts';
import { canonicalRrset } from './canonical.ts';
import type { SignPort } from './ecdsa.ts';
import { isKeyType, type Signers, type ZoneSigning } from './keys.ts';
import { isFresh, signatureRecord, type Validity, validityAt } from './signature.ts';

/** Signatures that are kept of what zones hold, and of sets of addresses. Each takes about 1 KB. */
export const SIGNATURES_MAX = 8192;
/** And of names that were only asked for: whoever asks for many pushes out nothing but these. */
export const PASSING_SIGNATURES_MAX = 2048;

/** An rrset of a signed zone. */
export type SignedEntry = Entry & { readonly zone: { readonly signing: ZoneSigning } };

interface Signed {
  readonly rrset: Rrset;
  readonly validity: Validity;
}

/**
 * Makes signatures when they are first asked for, and keeps them by what they sign: an rrset that
 * stays the same in a new version of its zone, and each set of addresses, is signed once.
 *
 * Guarantees: bounded memory, whatever is asked for; never a signature that has ended, or is about
 * to, by the time that is handed in.
 */
export class Signatures {
  readonly #sign: SignPort;
  readonly #lasting = new RecentMap<string, Signed>(SIGNATURES_MAX);
  readonly #passing = new RecentMap<string, Signed>(PASSING_SIGNATURES_MAX);
  /** Of rrsets that stand in a zone, at their own names: found without a look at what they hold. */
  readonly #standing = new WeakMap<Rrset, Signed>();

  constructor(sign: SignPort) {
    this.#sign = sign;
  }

  /** The RRSIG rrset of an rrset: one record for each key that signs it. */
  of(entry: SignedEntry, nowMs: number): Rrset {
    const stands = standsInZone(entry);
    const known = stands ? this.#standing.get(entry.rrset) : undefined;
    if (known !== undefined && isFresh(known.validity, nowMs)) return known.rrset;
    const signed = this.#find(entry, nowMs);
    if (stands) this.#standing.set(entry.rrset, signed);
    return signed.rrset;
  }

  #find(entry: SignedEntry, nowMs: number): Signed {
    const { rrset, zone, wildcard } = entry;
    const signers = isKeyType(rrset.type) ? zone.signing.entering : zone.signing.active;
    const kept = wildcard === undefined ? this.#lasting : this.#passing;
    const content = contentOf(entry, signers);
    const known = kept.get(content);
    if (known !== undefined && isFresh(known.validity, nowMs)) return known;
    const signed = this.#make(entry, signers, nowMs);
    kept.set(content, signed);
    return signed;
  }

  #make(entry: SignedEntry, { keys }: Signers, nowMs: number): Signed {
    const { rrset, zone } = entry;
    const canonical = canonicalRrset(entry);
    // The same for the same content: nothing here is left to chance but the signature itself.
    const share = createHash('sha256').update(canonical).digest().readUInt32BE(0) / 2 ** 32;
    const validity = validityAt(nowMs, share);
    const records = keys.map((key) =>
      signatureRecord({ entry, canonical, origin: zone.origin, key, validity }, this.#sign),
    );
    return {
      rrset: { type: RecordType.RRSIG, ttlS: rrset.ttlS, records, targets: [] },
      validity,
    };
  }
}

/** What is longer is kept by its digest. */
const CONTENT_LENGTH_MAX = 512;

/** All that a signature depends on but the time, as a text that nothing else has. */
function contentOf({ owner, rrset }: SignedEntry, { id }: Signers): string {
  let content = `${id},${rrset.type},${rrset.ttlS},${owner.length},${owner}`;
  for (const { parts } of rrset.records) {
    content += `,${parts.length}`;
    for (const part of parts) {
      const text = typeof part === 'string' ? part : latin1(part);
      content += `${typeof part === 'string' ? 'n' : 'b'}${text.length},${text}`;
    }
  }
  if (content.length <= CONTENT_LENGTH_MAX) return content;
  return createHash('sha256').update(content, 'latin1').digest('latin1');
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** Not made for this answer: the same object is there for the next one, too. */
function standsInZone({ owner, rrset, zone, wildcard }: SignedEntry): boolean {
  if (wildcard !== undefined) return false;
  return zone.nodes.get(owner)?.rrsets.get(rrset.type) === rrset || rrset === zone.negativeSoa;
}
