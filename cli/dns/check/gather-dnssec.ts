import { type DnsServer, DnsType } from '../../../runtime/dns/client.ts';
import { askWhole, type GatherOptions, ignoreDnsError, textsOf } from './ask.ts';
import type { DnssecFacts } from './facts.ts';

/** Asks one nameserver for its keys and signatures; undefined: it did not say. */
export async function gatherDnssec(
  origin: string,
  server: DnsServer,
  options: GatherOptions,
): Promise<DnssecFacts | undefined> {
  const asked = { name: origin, server, recursion: 'unwished' } as const;
  const [keys, soa, cds] = await Promise.all(
    [DnsType.DNSKEY, DnsType.SOA, DnsType.CDS].map((type) =>
      askWhole({ ...asked, type }, options).catch(ignoreDnsError),
    ),
  );
  if (keys === undefined || soa === undefined) return undefined;
  const at = (type: DnsType): { name: string; type: DnsType } => ({ name: origin, type });
  return {
    keys: textsOf(keys.answer, at(DnsType.DNSKEY)),
    keySignatures: textsOf(keys.answer, at(DnsType.RRSIG)),
    soa: textsOf(soa.answer, at(DnsType.SOA))[0],
    soaSignatures: textsOf(soa.answer, at(DnsType.RRSIG)),
    cds: cds && textsOf(cds.answer, at(DnsType.CDS)),
  };
}
