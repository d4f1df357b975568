import {
  type DnsRecord,
  type DnsReply,
  type DnsSignature,
  TYPE_NSEC,
} from '../../load/dns-client.ts';
import type { Check, CheckPorts } from '../check.ts';
import { queryOf, replyOf } from './exchange.ts';
import { isSigned, ZoneHistory } from './served-zones.ts';

export interface SignedPorts extends CheckPorts {
  /** A node's own idea of the time, milliseconds since 1970. */
  readonly wallMsAt: (node: string) => number;
}

const REFUSED = 5;
const SERVFAIL = 2;
/** A clock may have been set since the signature was made, forward or back. */
const CLOCK_S = 2 * 3600;

/**
 * INV-23, of signed zones: whoever asks for proof (DO) gets a signature of all that the answer says,
 * and of what there is not, by keys of the version that is served, and good by the nameserver's own
 * clock (RFC 4035 §3.1). Nobody else is sent any (RFC 3225 §3), nor of a zone that is not signed.
 */
export function signedCheck({ violated, reached, wallMsAt }: SignedPorts): Check {
  const history = new ZoneHistory();
  return {
    committed: (commit) => history.committed(commit),
    applied: (applied) => void history.applied(applied),
    installed: (node) => history.installed(node),
    asked(exchange) {
      const { nameserver, name, type } = exchange;
      if (name === '' || exchange.reply === undefined) return;
      const [asked, reply] = [queryOf(exchange), replyOf(exchange)];
      if (asked === undefined || reply === undefined) return;
      const zone = history.zoneOf(nameserver, name);
      if (reply.form === 'cut' || reply.rcode === REFUSED || reply.rcode === SERVFAIL) return;
      const wrong = (what: string): void =>
        violated(23, `${nameserver} answers for ${name} type ${type}: ${what}`);
      if (zone === undefined || !isSigned(zone) || asked.proof === undefined) {
        const proofs = [...reply.authority, ...reply.answer].filter(isProof);
        if (reply.signatures.length + proofs.length > 0) wrong('proof that nobody asked for');
        return;
      }
      const keyTags = (zone.keys ?? []).map(({ keyTag }) => keyTag);
      const nowS = Math.floor(wallMsAt(nameserver) / 1000);
      const bad = reply.signatures.find((each) => !isGood(each, { ...zone, keyTags, nowS }));
      if (bad !== undefined)
        return wrong(
          `a signature by ${bad.signer} ${bad.keyTag} from ${bad.fromS} to ${bad.untilS}`,
        );
      const bare = unsigned(reply);
      if (bare !== undefined) return wrong(`${bare.name} type ${bare.type} without a signature`);
      if (reply.answer.length === 0 && !reply.authority.some(isProof))
        return wrong('nothing, and no proof of it');
      reached(reply.answer.length === 0 ? 'signed denial' : 'signed answer');
    },
  };
}

function isGood(
  { signer, keyTag, fromS, untilS }: DnsSignature,
  by: { readonly origin: string; readonly keyTags: readonly number[]; readonly nowS: number },
): boolean {
  const isInTime = fromS <= by.nowS + CLOCK_S && by.nowS - CLOCK_S <= untilS;
  return signer === by.origin && by.keyTags.includes(keyTag) && isInTime;
}

/** The first record that no signature is for. */
function unsigned({ answer, authority, signatures }: DnsReply): DnsRecord | undefined {
  const find = (section: 'answer' | 'authority', records: readonly DnsRecord[]) =>
    records.find(
      (record) =>
        !signatures.some(
          (each) =>
            each.section === section && each.name === record.name && each.covers === record.type,
        ),
    );
  return find('answer', answer) ?? find('authority', authority);
}

function isProof({ type }: DnsRecord): boolean {
  return type === TYPE_NSEC;
}
