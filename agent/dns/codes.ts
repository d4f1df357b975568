/** Record types by number (RFC 1035 §3.2.2, RFC 3596, RFC 2782, RFC 8659). */
export const RecordType = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
  CAA: 257,
} as const;

export const CLASS_IN = 1;

/** Response codes (RFC 1035 §4.1.1); those above 15 need EDNS (RFC 6891 §9). */
export const Rcode = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;

export type Rcode = (typeof Rcode)[keyof typeof Rcode];

/** `0` → `"NOERROR"`. */
export function rcodeText(rcode: Rcode): string {
  return Object.entries(Rcode).find(([, code]) => code === rcode)?.[0] ?? `RCODE${rcode}`;
}

/** `"AAAA"` → 28; undefined: not a type that this server knows. */
export function recordTypeOf(text: string): number | undefined {
  return Object.entries(RecordType).find(([name]) => name === text)?.[1];
}
