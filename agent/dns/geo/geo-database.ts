import { Reader, type Response } from 'mmdb-lib';
import { formatAddress, parseAddress } from './address.ts';
import { geoFacts } from './geo-record.ts';
import type { Locate } from './geography.ts';

/**
 * A geography database in MaxMind DB format (version 2), as GeoLite2 City (`location.latitude`) and
 * DB-IP City (`latitude`) lay it out. `bytes` may lie over a SharedArrayBuffer; nothing is copied.
 * `source` names it for people, e.g. by digest. Throws when the bytes are no such database.
 */
export function openGeoDatabase({
  source,
  bytes,
}: {
  readonly source: string;
  readonly bytes: Uint8Array;
}): Locate {
  const reader = readerOf(source, bytes);
  const knowsIpv6 = reader.metadata.ipVersion === 6;
  return (address) => {
    const binary = typeof address === 'string' ? parseAddress(address) : address;
    // In a tree of 32 bits an IPv6 address would be found by its first half: a wrong place.
    if (binary === undefined || (binary.length === 16 && !knowsIpv6)) return undefined;
    try {
      const [record, prefixBits] = reader.getWithPrefixLength(formatAddress(binary));
      const facts = geoFacts(record);
      return facts === undefined ? undefined : { ...facts, prefixBits, source };
    } catch {
      // A damaged record is an unknown place: the client still gets an answer.
      return undefined;
    }
  };
}

function readerOf(source: string, bytes: Uint8Array): Reader<Response> {
  try {
    return new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (cause) {
    throw new Error(`read ${source} as a MaxMind DB`, { cause });
  }
}
