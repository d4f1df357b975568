import { RecordType } from './message/codes.ts';
import type { AskedQuestion } from './message/message.ts';
import { ROOT } from './message/name.ts';
import { positiveReply, type Reply } from './message/reply.ts';
import type { CompiledZone } from './zone/zone.ts';

/** What this server says of itself to whoever asks in class CHAOS (RFC 4892 §2). */
export interface ServerIdentity {
  /** For `version.bind` and `version.server`. */
  readonly version: string;
  /** For `id.server` and `hostname.bind`. */
  readonly name: string;
}

/** Undefined: not told here. */
export function identityReply(
  { name, type }: AskedQuestion,
  identity: ServerIdentity,
): Reply | undefined {
  const field = FIELDS.get(name);
  if (field === undefined || (type !== RecordType.TXT && type !== RecordType.ANY)) return undefined;
  const text = Buffer.from(identity[field]).subarray(0, 255);
  const record = { parts: [Buffer.of(text.length), text], text: `"${identity[field]}"` };
  const rrset = { type: RecordType.TXT, ttlS: 0, records: [record], targets: [] };
  return positiveReply([{ owner: name, rrset, zone: CHAOS, wildcard: undefined }]);
}

const FIELDS: ReadonlyMap<string, keyof ServerIdentity> = new Map([
  ['\x07version\x04bind', 'version'],
  ['\x07version\x06server', 'version'],
  ['\x02id\x06server', 'name'],
  ['\x08hostname\x04bind', 'name'],
]);

const NOTHING = { type: RecordType.SOA, ttlS: 0, records: [], targets: [] };
/** Nobody delegates it and nothing is looked up in it. */
const CHAOS: CompiledZone = {
  uid: '',
  name: 'chaos',
  origin: ROOT,
  serial: 0,
  nodes: new Map(),
  soa: NOTHING,
  negativeSoa: NOTHING,
  loans: [],
  signing: undefined,
  outcome: { uid: '', name: 'chaos', serial: 0, error: undefined },
};
