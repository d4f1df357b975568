import { typeNumber } from '../../../api/rdata/types.ts';

/** Record types by number, as far as something here treats them apart (IANA "RR TYPEs"). */
export const RecordType = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  NAPTR: 35,
  OPT: 41,
  DS: 43,
  SSHFP: 44,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  TLSA: 52,
  CDS: 59,
  CDNSKEY: 60,
  SVCB: 64,
  HTTPS: 65,
  NXNAME: 128,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
  CAA: 257,
  /** Of the private range: a name whose addresses are those of another one. Never on the wire. */
  ALIAS: 65_401,
} as const;

export const CLASS_IN = 1;
export const CLASS_CHAOS = 3;
export const CLASS_ANY = 255;

/** Response codes (RFC 1035 §4.1.1); those above 15 need EDNS (RFC 6891 §9). */
export const Rcode = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
  BADCOOKIE: 23,
} as const;

export type Rcode = (typeof Rcode)[keyof typeof Rcode];

/** `0` → `"NOERROR"`. */
export function rcodeText(rcode: Rcode): string {
  return Object.entries(Rcode).find(([, code]) => code === rcode)?.[0] ?? `RCODE${rcode}`;
}

/** `"AAAA"` → 28, `"TYPE65280"` → 65280; undefined: no type. */
export function recordTypeOf(text: string): number | undefined {
  return TYPES.get(text) ?? typeNumber(text);
}

const TYPES: ReadonlyMap<string, number> = new Map(Object.entries(RecordType));
