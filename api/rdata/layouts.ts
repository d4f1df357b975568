import { hex, ipv4, ipv6 } from './binary.ts';
import type { Field } from './field.ts';
import { ROOT, readName } from './name.ts';
import { name } from './names.ts';
import { number, seconds } from './numbers.ts';
import { svcParams } from './svc-params.ts';
import { restText, string, strings, tag } from './texts.ts';

/** What the data of a type consists of. */
export interface Layout {
  /** Completes "must be"; with an example. */
  readonly shape: string;
  readonly fields: readonly Field[];
  /** What is wrong with data whose fields are each right, as the end of a sentence. */
  readonly problemOf?: (wire: Buffer) => string | undefined;
}

const oneName = 'one name, e.g. web.example.net.';

const serviceBinding: Layout = {
  shape: 'priority, target and parameters, e.g. 1 . alpn=h2,h3',
  fields: [number('priority', 2), name('target', { wire: 'plain', role: 'target' }), svcParams],
  problemOf: aliasModeProblem,
};

/** Each type that is known by its fields, by name. Others are opaque bytes (RFC 3597). */
export const LAYOUTS: Readonly<Record<string, Layout>> = {
  A: { shape: 'one IPv4 address, e.g. 192.0.2.10', fields: [ipv4] },
  AAAA: { shape: 'one IPv6 address, e.g. 2001:db8::10', fields: [ipv6] },
  ALIAS: { shape: oneName, fields: [name('target', { wire: 'plain', role: 'target' })] },
  // RFC 8659 §4.1; the longest tag is the limit of those that are registered.
  CAA: {
    shape: 'flags, tag and value, e.g. 0 issue "letsencrypt.org"',
    fields: [
      number('flags', 1),
      tag('tag', { charactersMax: 15, known: 'issue, issuewild or iodef' }),
      restText('value'),
    ],
  },
  CNAME: { shape: oneName, fields: [name('target', { wire: 'compressed' })] },
  // RFC 4034 §5.1.
  DS: {
    shape: 'key tag, algorithm, digest type and digest, e.g. 20326 13 2 e06d44b8…',
    fields: [
      number('key tag', 2),
      number('algorithm', 1, { words: algorithms() }),
      number('digest type', 1),
      hex('digest'),
    ],
    problemOf: (wire) => digestProblem(wire.subarray(4), { 1: 20, 2: 32, 4: 48 }[wire[3] ?? 0]),
  },
  HTTPS: serviceBinding,
  MX: {
    shape: 'a preference and a mail server, e.g. 10 mail.example.net.',
    fields: [number('preference', 2), name('mail server', { wire: 'compressed', role: 'target' })],
  },
  // RFC 3403 §4.1.
  NAPTR: {
    shape:
      'order, preference, flags, services, regexp and replacement, e.g. 100 10 "S" "SIP+D2U" "" _sip._udp.example.net.',
    fields: [
      number('order', 2),
      number('preference', 2),
      string('flags'),
      string('services'),
      string('regexp'),
      name('replacement', { wire: 'plain' }),
    ],
    problemOf: naptrProblem,
  },
  NS: { shape: oneName, fields: [name('name server', { wire: 'compressed', role: 'target' })] },
  PTR: { shape: oneName, fields: [name('target', { wire: 'compressed' })] },
  // Only in zone files: b8s keeps the serial.
  SOA: {
    shape: 'name server, mailbox, serial, refresh, retry, expire and negative TTL',
    fields: [
      name('name server', { wire: 'compressed' }),
      name('mailbox', { wire: 'compressed' }),
      number('serial', 4),
      ...['refresh', 'retry', 'expire', 'negative TTL'].map(seconds),
    ],
  },
  // RFC 2782: the target must not be compressed.
  SRV: {
    shape: 'priority, weight, port and target, e.g. 0 5 5060 sip.example.net.',
    fields: [
      ...['priority', 'weight', 'port'].map((label) => number(label, 2)),
      name('target', { wire: 'plain', role: 'target' }),
    ],
  },
  // RFC 4255 §3.1, RFC 6594.
  SSHFP: {
    shape: 'algorithm, fingerprint type and fingerprint, e.g. 4 2 a87f1b68…',
    fields: [number('algorithm', 1), number('fingerprint type', 1), hex('fingerprint')],
    problemOf: (wire) => digestProblem(wire.subarray(2), { 1: 20, 2: 32 }[wire[1] ?? 0]),
  },
  SVCB: serviceBinding,
  // RFC 6698 §2.1.
  TLSA: {
    shape: 'usage, selector, matching type and certificate data, e.g. 3 1 1 92003ba3…',
    fields: [
      number('usage', 1),
      number('selector', 1),
      number('matching type', 1),
      hex('certificate data'),
    ],
    problemOf: (wire) => digestProblem(wire.subarray(3), { 1: 32, 2: 64 }[wire[2] ?? 0]),
  },
  TXT: { shape: 'text, e.g. v=spf1 -all', fields: [strings('text')] },
};

/** RFC 4034 appendix A.1 allows a mnemonic in place of the number. */
function algorithms(): ReadonlyMap<string, number> {
  return new Map([
    ['RSASHA1', 5],
    ['RSASHA1-NSEC3-SHA1', 7],
    ['RSASHA256', 8],
    ['RSASHA512', 10],
    ['ECDSAP256SHA256', 13],
    ['ECDSAP384SHA384', 14],
    ['ED25519', 15],
    ['ED448', 16],
  ]);
}

function digestProblem(digest: Buffer, bytes: number | undefined): string | undefined {
  if (bytes === undefined || bytes === digest.length) return undefined;
  return `has a digest of ${digest.length} bytes, and this type has ${bytes}; copy it whole`;
}

/** RFC 9460 §2.4.2: an alias says only where to go on. */
function aliasModeProblem(wire: Buffer): string | undefined {
  const isAlias = wire.readUInt16BE(0) === 0;
  const params = readName(wire, 2)?.end ?? wire.length;
  return isAlias && params < wire.length
    ? 'has parameters, which priority 0 (an alias) must not have; remove them, or write priority 1'
    : undefined;
}

function naptrProblem(wire: Buffer): string | undefined {
  const flagsEnd = 5 + (wire[4] ?? 0);
  const servicesEnd = flagsEnd + 1 + (wire[flagsEnd] ?? 0);
  const regexpEnd = servicesEnd + 1 + (wire[servicesEnd] ?? 0);
  if (!/^[a-z0-9]*$/i.test(wire.toString('latin1', 5, flagsEnd))) {
    return 'has flags that are not letters and digits, e.g. "S"';
  }
  const hasReplacement = readName(wire, regexpEnd)?.key !== ROOT;
  return hasReplacement && regexpEnd > servicesEnd + 1
    ? 'has a regexp and a replacement, of which one must be empty: "" or .'
    : undefined;
}
