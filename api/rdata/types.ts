/** The types that can be declared by name, sorted. */
export const RECORD_TYPES = [
  ...['A', 'AAAA', 'ALIAS', 'CAA', 'CNAME', 'DS', 'HTTPS', 'MX', 'NAPTR', 'NS', 'PTR', 'SRV'],
  ...['SSHFP', 'SVCB', 'TLSA', 'TXT'],
] as const;

/** Record types by number (IANA "Resource Record (RR) TYPEs"): what zone files may name. */
const NUMBERS: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  NULL: 10,
  PTR: 12,
  HINFO: 13,
  MINFO: 14,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  SIG: 24,
  KEY: 25,
  AAAA: 28,
  LOC: 29,
  NXT: 30,
  SRV: 33,
  NAPTR: 35,
  KX: 36,
  CERT: 37,
  DNAME: 39,
  OPT: 41,
  APL: 42,
  DS: 43,
  SSHFP: 44,
  IPSECKEY: 45,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  DHCID: 49,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  SMIMEA: 53,
  HIP: 55,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  CSYNC: 62,
  ZONEMD: 63,
  SVCB: 64,
  HTTPS: 65,
  SPF: 99,
  EUI48: 108,
  EUI64: 109,
  URI: 256,
  CAA: 257,
  // No type of the registry, but of RFC 6895's private range, as other servers number it: its
  // answers are the addresses of another name.
  ALIAS: 65_401,
};

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(NUMBERS).map(([name, number]) => [number, name]),
);

/** The number of a type by its name, in any case, or as `TYPE65280` (RFC 3597 §5). */
export function typeNumber(name: string): number | undefined {
  const upper = name.toUpperCase();
  if (Object.hasOwn(NUMBERS, upper)) return NUMBERS[upper];
  const digits = /^TYPE(0|[1-9]\d{0,4})$/.exec(upper)?.[1];
  const number = digits === undefined ? Number.NaN : Number(digits);
  return number <= 0xffff ? number : undefined;
}

/** `28` → `AAAA`, `65280` → `TYPE65280`. */
export function typeName(number: number): string {
  return NAMES.get(number) ?? `TYPE${number}`;
}

/** As manifests call a type: those that cannot be declared by name go by number. */
export function declaredTypeName(number: number): string {
  const name = typeName(number);
  return RECORD_TYPES.some((each) => each === name) ? name : `TYPE${number}`;
}

/** What b8s makes by itself, from its keys and from what is declared (RFC 4034, RFC 7344). */
const OWN_TYPES: ReadonlySet<string> = new Set([
  ...['CDNSKEY', 'CDS', 'DNSKEY', 'KEY', 'NSEC', 'NSEC3', 'NSEC3PARAM', 'NXT', 'RRSIG', 'SIG'],
  // A digest of a whole version of the zone, which has other contents here.
  'ZONEMD',
]);

/** Whether records of the type follow from others, so that nobody needs to write them down. */
export function isOwnType(number: number): boolean {
  return OWN_TYPES.has(typeName(number));
}

/** Why records of a type cannot be declared, as the end of a sentence; undefined: they can. */
export function typeProblem(number: number): string | undefined {
  const name = typeName(number);
  if (isOwnType(number)) return 'is made by b8s itself for a signed zone; leave it out';
  if (name === 'SOA') return 'is made by b8s from spec.soa; write its numbers there';
  if (name === 'DNAME') {
    return 'would rename a whole subtree, which is not done here; declare a CNAME for each name';
  }
  // RFC 6895 §3.1: what asks, and what speaks about messages.
  const isMeta = number === 0 || name === 'OPT' || (number >= 128 && number <= 255);
  return isMeta ? 'is no type of data that a zone can hold' : undefined;
}
