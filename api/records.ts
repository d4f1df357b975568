import { ipv4Problem, ipv6Problem, isIpv4, isIpv6 } from './address.ts';
import { recordNameProblem } from './names.ts';
import { parseTxtStrings } from './txt.ts';
import type { RecordType } from './zone.ts';

/**
 * A name in a zone, whole, in lower case and without a final dot. `@` is the origin, a name with a
 * final dot is whole already (the root is empty), any other is relative to the origin.
 */
export function absoluteName(name: string, origin: string): string {
  const lower = name.toLowerCase();
  if (lower === '@') return origin;
  return lower.endsWith('.') ? lower.slice(0, -1) : `${lower}.${origin}`;
}

/** Whether a whole name is the origin or below it. */
export function isWithin(name: string, origin: string): boolean {
  return name === origin || name.endsWith(`.${origin}`);
}

/** What is wrong with the name of a record; undefined: nothing. */
export function ownerProblem(name: string, origin: string): string | undefined {
  if (name === '') return 'is empty; write "@" for the origin itself';
  const whole = absoluteName(name, origin);
  if (!name.endsWith('.') && isWithin(name.toLowerCase(), origin)) {
    const relative = name.slice(0, -origin.length - 1) || '@';
    return `would mean ${whole}.; write "${relative}", or "${name}." with a final dot`;
  }
  if (!isWithin(whole, origin)) return `lies outside the zone; it must end in .${origin}.`;
  return recordNameProblem(whole);
}

/** What is wrong with the value of a record in presentation format; undefined: nothing. */
export function valueProblem(type: RecordType, value: string, origin: string): string | undefined {
  return VALUE_PROBLEMS[type](value, origin);
}

type ValueProblem = (value: string, origin: string) => string | undefined;

const VALUE_PROBLEMS: Readonly<Record<RecordType, ValueProblem>> = {
  A: (value) =>
    isIpv6(value) ? 'is an IPv6 address; those go into a record of type AAAA' : ipv4Problem(value),
  AAAA: (value) =>
    isIpv4(value) ? 'is an IPv4 address; those go into a record of type A' : ipv6Problem(value),
  CAA: caaProblem,
  CNAME: targetProblem,
  MX: mxProblem,
  NS: targetProblem,
  SRV: srvProblem,
  TXT: (value) => {
    const outcome = parseTxtStrings(value);
    return outcome.kind === 'error' ? outcome.message : undefined;
  },
};

function mxProblem(value: string, origin: string): string | undefined {
  const [preference, exchange, ...rest] = value.split(/\s+/);
  if (exchange === undefined || rest.length > 0 || !isUint16(preference)) {
    return 'must be a preference and a mail server, e.g. 10 mail.example.net.';
  }
  return exchange === '.' ? undefined : targetProblem(exchange, origin);
}

/** RFC 2782. */
function srvProblem(value: string, origin: string): string | undefined {
  const [priority, weight, port, target, ...rest] = value.split(/\s+/);
  const numbers = [priority, weight, port];
  if (target === undefined || rest.length > 0 || !numbers.every(isUint16)) {
    return 'must be priority, weight, port and target, e.g. 0 5 5060 sip.example.net.';
  }
  return target === '.' ? undefined : targetProblem(target, origin);
}

/** RFC 8659 §4.1. */
function caaProblem(value: string): string | undefined {
  const [, flags, tag, issuer] = /^(\d{1,3})\s+(\S+)\s+("(?:[^"\\]|\\.)*"|\S+)$/.exec(value) ?? [];
  if (flags === undefined || tag === undefined || issuer === undefined) {
    return 'must be flags, tag and value, e.g. 0 issue "letsencrypt.org"';
  }
  if (Number(flags) > 255) return `flags ${flags} must be at most 255; 0 is usual`;
  return /^[a-z0-9]{1,15}$/i.test(tag)
    ? undefined
    : `tag "${tag}" must be issue, issuewild or iodef`;
}

function isUint16(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,5}$/.test(text) && Number(text) <= 65_535;
}

/** A name that a record points at. */
function targetProblem(target: string, origin: string): string | undefined {
  if (/\s/.test(target) || target === '') return 'must be one name, e.g. web.example.net.';
  const bare = target.replace(/\.$/, '');
  if (isIpv4(bare) || isIpv6(bare)) return 'is an address, and a name is needed';
  // "mail.example.net" without a final dot is the classic slip: it would mean a name in this zone.
  if (target.includes('.') && !target.endsWith('.')) {
    const whole = absoluteName(target, origin);
    return `needs a final dot: write ${target}. (or ${whole}. for the name in this zone)`;
  }
  return recordNameProblem(absoluteName(target, origin));
}
