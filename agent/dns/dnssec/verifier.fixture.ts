import { createHash, createPublicKey, verify } from 'node:crypto';

/**
 * A validator written from RFC 4033 to 4035 and 6840 for tests alone: it shares no code with what
 * signs, reads the bytes by itself, and believes nothing but the DS records that it is given.
 */

/** A record as it came. Names: labels as Latin-1 text, in lower case. */
export interface WireRecord {
  readonly owner: readonly string[];
  readonly type: number;
  readonly ttlS: number;
  /** With names in it whole, in lower case where the canonical form has them so. */
  readonly data: Buffer;
}

export interface WireReply {
  readonly rcode: number;
  readonly truncated: boolean;
  readonly authoritative: boolean;
  /** DO and CO, as they came back. */
  readonly ednsFlags: number;
  readonly question: { readonly name: readonly string[]; readonly type: number };
  readonly answer: readonly WireRecord[];
  readonly authority: readonly WireRecord[];
  readonly additional: readonly WireRecord[];
}

/** Where names are in the data of each type, before and after which there is anything. */
const NAMES_IN_DATA: Readonly<Record<number, { readonly before: number; readonly names: number }>> =
  {
    2: { before: 0, names: 1 },
    5: { before: 0, names: 1 },
    6: { before: 0, names: 2 },
    12: { before: 0, names: 1 },
    15: { before: 2, names: 1 },
    33: { before: 6, names: 1 },
  };

export function readReply(bytes: Uint8Array): WireReply {
  const message = Buffer.from(bytes);
  const flags = message.readUInt16BE(2);
  const question = readLabels(message, 12);
  let at = question.end + 4;
  let ednsFlags = 0;
  const sections = [6, 8, 10].map((countAt) => {
    const records: WireRecord[] = [];
    for (let left = message.readUInt16BE(countAt); left > 0; left -= 1) {
      const name = readLabels(message, at);
      const type = message.readUInt16BE(name.end);
      const ttlS = message.readUInt32BE(name.end + 4);
      const start = name.end + 10;
      at = start + message.readUInt16BE(name.end + 8);
      if (type === 41) ednsFlags = ttlS & 0xffff;
      else
        records.push({ owner: name.labels, type, ttlS, data: wholeData(message, type, start, at) });
    }
    return records;
  });
  if (at !== message.length) throw new Error('bytes are left over');
  const [answer = [], authority = [], additional = []] = sections;
  return {
    rcode: flags & 15,
    truncated: (flags & 0x0200) !== 0,
    authoritative: (flags & 0x0400) !== 0,
    ednsFlags,
    question: { name: question.labels, type: message.readUInt16BE(question.end) },
    ...{ answer, authority, additional },
  };
}

function wholeData(message: Buffer, type: number, start: number, end: number): Buffer {
  const layout = NAMES_IN_DATA[type];
  if (layout === undefined) return message.subarray(start, end);
  const parts: Buffer[] = [message.subarray(start, start + layout.before)];
  let at = start + layout.before;
  for (let left = layout.names; left > 0; left -= 1) {
    const name = readLabels(message, at);
    parts.push(wire(name.labels));
    at = name.end;
  }
  return Buffer.concat([...parts, message.subarray(at, end)]);
}

function readLabels(
  message: Buffer,
  start: number,
): { readonly labels: readonly string[]; readonly end: number } {
  const labels: string[] = [];
  let at = start;
  let end: number | undefined;
  for (;;) {
    const length = message.readUInt8(at);
    if (length >= 0xc0) {
      end ??= at + 2;
      at = message.readUInt16BE(at) & 0x3fff;
    } else if (length === 0) {
      return { labels, end: end ?? at + 1 };
    } else {
      labels.push(message.toString('latin1', at + 1, at + 1 + length).toLowerCase());
      at += 1 + length;
    }
  }
}

export function wire(labels: readonly string[]): Buffer {
  const parts = labels.map((label) =>
    Buffer.concat([Buffer.of(label.length), Buffer.from(label, 'latin1')]),
  );
  return Buffer.concat([...parts, Buffer.of(0)]);
}

export function dotted(labels: readonly string[]): string {
  return labels.join('.');
}

/** RFC 4034 §6.1: by labels from the right, each as bytes. Negative: `one` comes first. */
export function compareNames(one: readonly string[], other: readonly string[]): number {
  const [a, b] = [one.toReversed(), other.toReversed()];
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    const order = Buffer.compare(
      Buffer.from(a[index] ?? '', 'latin1'),
      Buffer.from(b[index] ?? '', 'latin1'),
    );
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** A DS record: key tag, algorithm, digest type, digest. */
export interface TrustedDs {
  readonly keyTag: number;
  readonly digest: string;
}

/** The public keys of a zone, once its DNSKEY reply is seen to follow from a DS record. */
export function trustKeys(
  reply: WireReply,
  ds: readonly TrustedDs[],
  nowS: number,
): readonly WireRecord[] {
  const keys = reply.answer.filter(({ type }) => type === 48);
  const anchors = keys.filter((key) => ds.some((each) => isDigestOf(each, key)));
  if (anchors.length === 0) throw new Error('no key follows from the DS records');
  const faults = faultOfSet(keys, reply.answer, anchors, nowS);
  if (faults !== undefined) throw new Error(`DNSKEY: ${faults}`);
  return keys;
}

function isDigestOf({ keyTag, digest }: TrustedDs, key: WireRecord): boolean {
  const hash = createHash('sha256').update(wire(key.owner)).update(key.data).digest('hex');
  return hash === digest.toLowerCase() && keyTag === tagOf(key.data);
}

function tagOf(data: Buffer): number {
  let sum = 0;
  for (let at = 0; at < data.length; at += 2) sum += data.readUInt8(at) * 256 + (data[at + 1] ?? 0);
  return (sum + Math.floor(sum / 65_536)) % 65_536;
}

/** What is wrong with a reply, rrset by rrset; empty: all of it is signed as it must be. */
export function faultsOf(
  reply: WireReply,
  keys: readonly WireRecord[],
  nowS: number,
): readonly string[] {
  const origin = keys[0]?.owner ?? [];
  return [reply.answer, reply.authority].flatMap((section) => {
    const sets = Map.groupBy(
      section.filter(({ type }) => type !== 46),
      ({ owner, type }) => `${dotted(owner)} ${type}`,
    );
    return [...sets].flatMap(([name, set]) => {
      const isCut = set[0]?.type === 2 && dotted(set[0].owner) !== dotted(origin);
      const fault = isCut ? faultOfCut(set, section) : faultOfSet(set, section, keys, nowS);
      return fault === undefined ? [] : [`${name}: ${fault}`];
    });
  });
}

/** The NS rrset of a delegation is the child's to sign (RFC 4035 §2.2). */
function faultOfCut(
  set: readonly WireRecord[],
  section: readonly WireRecord[],
): string | undefined {
  return signaturesOf(set, section).length === 0 ? undefined : 'is signed by the parent';
}

function faultOfSet(
  set: readonly WireRecord[],
  section: readonly WireRecord[],
  keys: readonly WireRecord[],
  nowS: number,
): string | undefined {
  const signatures = signaturesOf(set, section);
  if (signatures.length === 0) return 'has no signature';
  const faults = signatures.map((signature) => faultOfSignature(signature, set, keys, nowS));
  return faults.includes(undefined) ? undefined : faults.join(' and ');
}

function signaturesOf(
  [first]: readonly WireRecord[],
  section: readonly WireRecord[],
): readonly WireRecord[] {
  return section.filter(
    ({ owner, type, data }) =>
      type === 46 &&
      first !== undefined &&
      dotted(owner) === dotted(first.owner) &&
      data.readUInt16BE(0) === first.type,
  );
}

/** RFC 4035 §5.3. */
function faultOfSignature(
  { data, ttlS }: WireRecord,
  set: readonly WireRecord[],
  keys: readonly WireRecord[],
  nowS: number,
): string | undefined {
  const [first] = set;
  if (first === undefined) return 'covers nothing';
  const signer = readLabels(data, 18);
  const origin = keys[0]?.owner ?? [];
  const originalTtlS = data.readUInt32BE(4);
  const labels = data.readUInt8(3);
  const own = first.owner[0] === '*' ? first.owner.length - 1 : first.owner.length;
  if (dotted(signer.labels) !== dotted(origin)) return 'is signed by another zone';
  if (labels > own) return 'has too many labels';
  if (labels < own) return 'is of a wildcard, and nothing proves that there is no closer match';
  if (set.some((record) => record.ttlS > originalTtlS)) return 'has a greater TTL than was signed';
  if (set.some((record) => record.ttlS !== ttlS)) return 'has another TTL than its signature';
  if (data.readUInt32BE(8) < nowS) return 'has ended';
  if (data.readUInt32BE(12) > nowS) return 'has not begun';
  const key = keys.find((each) => tagOf(each.data) === data.readUInt16BE(16));
  if (key === undefined || key.data[3] !== data[2]) return 'is of no known key';
  const signed = Buffer.concat([data.subarray(0, signer.end), canonical(set, originalTtlS)]);
  const good = verify(
    'sha256',
    signed,
    { key: publicKey(key.data.subarray(4)), dsaEncoding: 'ieee-p1363' },
    data.subarray(signer.end),
  );
  return good ? undefined : 'has a false signature';
}

function canonical(set: readonly WireRecord[], ttlS: number): Buffer {
  const sorted = set.toSorted((one, other) => Buffer.compare(one.data, other.data));
  const rows = sorted.flatMap(({ owner, type, data }) => {
    const fixed = Buffer.alloc(10);
    fixed.writeUInt16BE(type, 0);
    fixed.writeUInt16BE(1, 2);
    fixed.writeUInt32BE(ttlS, 4);
    fixed.writeUInt16BE(data.length, 8);
    return [wire(owner), fixed, data];
  });
  return Buffer.concat(rows);
}

function publicKey(point: Buffer): ReturnType<typeof createPublicKey> {
  const [x, y] = [point.subarray(0, 32), point.subarray(32)].map((half) =>
    half.toString('base64url'),
  );
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y } as never, format: 'jwk' });
}

/** `owner next types` of the only NSEC record; undefined: there is not exactly one. */
export function nsecOf(
  section: readonly WireRecord[],
):
  | { readonly owner: string; readonly next: readonly string[]; readonly types: readonly number[] }
  | undefined {
  const [nsec, ...more] = section.filter(({ type }) => type === 47);
  if (nsec === undefined || more.length > 0) return undefined;
  const next = readLabels(nsec.data, 0);
  const types: number[] = [];
  for (let at = next.end; at < nsec.data.length; at += 2 + nsec.data.readUInt8(at + 1)) {
    const window = nsec.data.readUInt8(at);
    const bytes = nsec.data.subarray(at + 2, at + 2 + nsec.data.readUInt8(at + 1));
    for (const [index, byte] of bytes.entries())
      for (let bit = 0; bit < 8; bit += 1)
        if ((byte & (0x80 >> bit)) !== 0) types.push(256 * window + 8 * index + bit);
  }
  return { owner: dotted(nsec.owner), next: next.labels, types };
}
