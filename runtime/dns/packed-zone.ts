import { BinaryReader } from '@bufbuild/protobuf/wire';
import {
  GeoName,
  RecordSet,
  type TransferPlan,
  type ZoneKey,
  ZonePlan,
} from '../../proto/gen/b8s/v1/plan.ts';
import { fieldTag, skipField, takeFields } from '../session/wire-fields.ts';

/**
 * A zone's plan that stays as it came: bytes, which all threads share. As objects a million records
 * take ten times the memory, in each thread once more, and all of it has to be looked through
 * whenever V8 collects garbage. What is said of the zone as a whole is read at once; its records
 * and geo names are made anew at each look, and whoever looks often keeps what it needs.
 *
 * Errors: the constructor throws an Error where the bytes are no message; a look at records or geo
 * names does where those are none.
 */
export class PackedZone implements ZonePlan {
  readonly bytes: Uint8Array;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly origin: string;
  readonly serial: number;
  readonly primaryNameserver: string;
  readonly mailbox: string;
  readonly refreshS: number;
  readonly retryS: number;
  readonly expireS: number;
  readonly negativeTtlS: number;
  readonly keys: readonly ZoneKey[];
  readonly transfer: TransferPlan | undefined;
  #nameservers: readonly RecordSet[] | undefined;

  /** `bytes`: a ZonePlan. Copied, unless threads can share them. */
  constructor(bytes: Uint8Array) {
    const head = ZonePlan.decode(takeFields(bytes, [RECORD_SET, GEO_NAME]).rest);
    this.bytes = shared(bytes);
    this.uid = head.uid;
    this.namespace = head.namespace;
    this.name = head.name;
    this.origin = head.origin;
    this.serial = head.serial;
    this.primaryNameserver = head.primaryNameserver;
    this.mailbox = head.mailbox;
    this.refreshS = head.refreshS;
    this.retryS = head.retryS;
    this.expireS = head.expireS;
    this.negativeTtlS = head.negativeTtlS;
    this.keys = head.keys;
    this.transfer = head.transfer;
  }

  /**
   * The NS set of the origin and the addresses that its names have here, read once and kept: who is
   * a nameserver of the zone is asked at every change of a plan.
   */
  get nameservers(): readonly RecordSet[] {
    this.#nameservers ??= nameserversIn(this);
    return this.#nameservers;
  }

  get records(): readonly RecordSet[] {
    return Array.from(this.placedRecords(), ({ set }) => set);
  }

  get geoNames(): readonly GeoName[] {
    const names: GeoName[] = [];
    const reader = new BinaryReader(this.bytes);
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag === GEO_NAME) names.push(GeoName.decode(reader, reader.uint32()));
      else skipField(reader, tag);
    }
    return names;
  }

  /** With where each lies in the bytes, for `recordSetAt`. */
  *placedRecords(): Generator<{ readonly place: number; readonly set: RecordSet }> {
    const reader = new BinaryReader(this.bytes);
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      const place = reader.pos;
      if (tag === RECORD_SET) yield { place, set: RecordSet.decode(reader, reader.uint32()) };
      else skipField(reader, tag);
    }
  }

  recordSetAt(place: number): RecordSet {
    const reader = new BinaryReader(this.bytes);
    reader.pos = place;
    return RecordSet.decode(reader, reader.uint32());
  }
}

/** The same zone as bytes; itself where it is packed already. */
export function packZone(zone: ZonePlan): PackedZone {
  return zone instanceof PackedZone ? zone : new PackedZone(ZonePlan.encode(zone).finish());
}

/** `ZonePlan.records` and `ZonePlan.geo_names`. */
const RECORD_SET = fieldTag(12);
const GEO_NAME = fieldTag(13);

function nameserversIn({ origin, records }: ZonePlan): readonly RecordSet[] {
  const set = records.find(({ name, type }) => type === 'NS' && name === origin);
  if (set === undefined) return [];
  const wanted = new Set(set.values.map((value) => value.replace(/\.$/, '').toLowerCase()));
  const isAddress = ({ name, type }: RecordSet): boolean =>
    (type === 'A' || type === 'AAAA') && wanted.has(name);
  return [set, ...records.filter(isAddress)];
}

function shared(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer instanceof SharedArrayBuffer) return bytes;
  const own = new Uint8Array(new SharedArrayBuffer(bytes.length));
  own.set(bytes);
  return own;
}
