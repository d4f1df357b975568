import type { Violation } from '../kind.ts';
import { API_VERSION } from '../object.ts';
import { isWithin, type NameKey, nameText, parseName, ROOT } from '../rdata/name.ts';
import { declaredTypeName, typeNumber } from '../rdata/types.ts';
import { relativeName } from '../records.ts';
import { ZONE_RECORDS_MAX, type Zone, type ZoneRecord, type ZoneSpec, zoneKind } from '../zone.ts';
import type { ZoneFileMessage } from './entries.ts';
import { type FileRecord, readRecords } from './file-records.ts';
import { declaredTtl, noteTtls, soaOf } from './times.ts';

/** What of a Zone a zone file says. */
export type ZoneFileSpec = Pick<ZoneSpec, 'origin' | 'ttl' | 'records' | 'nameservers' | 'soa'>;

export type ZoneFileOutcome =
  | {
      readonly kind: 'zone';
      readonly spec: ZoneFileSpec;
      /** What the Zone says otherwise than the file, by line. */
      readonly notes: readonly ZoneFileMessage[];
    }
  /** By line, at most `MESSAGES_MAX`. */
  | { readonly kind: 'errors'; readonly errors: readonly ZoneFileMessage[] };

/** How long the text of a zone file may be, in UTF-16 units. */
export const ZONE_FILE_LENGTH_MAX = 32 * 1024 * 1024;

/** How many messages of one kind are told; more help nobody. */
export const MESSAGES_MAX = 100;

/**
 * The spec of a Zone from a zone file (RFC 1035 §5). `origin`, if it is not in the file, is what
 * names without a final dot are relative to. Never throws; all errors come together.
 */
export function parseZoneFile(
  text: string,
  { origin }: { readonly origin?: string } = {},
): ZoneFileOutcome {
  if (text.length > ZONE_FILE_LENGTH_MAX) {
    const message = `the file is longer than ${ZONE_FILE_LENGTH_MAX} characters; divide it into zones of subdomains`;
    return errors([{ line: 1, column: 1, message }]);
  }
  const given = origin === undefined ? undefined : parseName(origin);
  if (origin !== undefined && given === undefined) {
    return errors([{ line: 1, column: 1, message: `the origin "${origin}" is not a name` }]);
  }
  const file = readRecords(text, given);
  const soa = file.records.find(({ type }) => type === SOA);
  if (soa === undefined) {
    // A wrong line may have been meant to be it.
    return errors(file.errors.length > 0 ? file.errors : [{ line: 1, column: 1, message: NO_SOA }]);
  }
  const wrong = [...file.errors, ...originErrors(file.records, soa, given)];
  if (wrong.length > 0) return errors(wrong);
  return zoneOf({ ...file, soa, defaultTtlS: file.defaultTtlS ?? soa.ttlS });
}

/** Records that are not of this zone. */
function originErrors(
  records: readonly FileRecord[],
  soa: FileRecord,
  origin: NameKey | undefined,
): readonly ZoneFileMessage[] {
  if (origin !== undefined && soa.owner !== origin) {
    return [{ ...placeOf(soa), message: soaElsewhere(soa.owner, origin) }];
  }
  return records.flatMap((record) => {
    if (!isWithin(record.owner, soa.owner)) return [strayError(record, soa.owner)];
    // A transfer that was printed ends with the SOA that it began with (RFC 5936 §2.2).
    const isSecond = record.owner !== soa.owner || record.text !== soa.text;
    return record.type === SOA && isSecond ? [{ ...placeOf(record), message: SECOND_SOA }] : [];
  });
}

const SOA = typeNumber('SOA') ?? 0;
const NS = typeNumber('NS') ?? 0;
const NO_SOA =
  'the zone has no SOA record; begin with @ IN SOA ns1.example.com. hostmaster.example.com. 1 1h 10m 2w 5m';
const SECOND_SOA = 'a zone has one SOA record, at its top; remove this one';

/** The classic slip: `example.com SOA`, without a dot, within example.com. */
function soaElsewhere(owner: NameKey, origin: NameKey): string {
  const [is, says] = [nameText(owner), nameText(origin)];
  const mend = is.endsWith(`.${says}`) ? 'write @, or the name with a final dot' : 'correct one';
  return `the SOA is of ${is}., and the zone is to be ${says}.; ${mend}`;
}

interface File {
  readonly soa: FileRecord;
  readonly records: readonly FileRecord[];
  readonly defaultTtlS: number;
  readonly notes: readonly ZoneFileMessage[];
}

/** Records of one name and type, as one set in the order of the file. */
interface Draft {
  readonly records: readonly [FileRecord, ...FileRecord[]];
  readonly set: ZoneRecord;
}

function zoneOf(file: File): ZoneFileOutcome {
  const { soa, records } = file;
  const isOwn = ({ type, owner }: FileRecord) => type === NS && owner === soa.owner;
  const drafts = draftsOf(file, (record) => record.type !== SOA && !isOwn(record));
  const nameservers = nameserversOf(records.filter(isOwn), soa);
  const times = soaOf(soa);
  const spec: ZoneFileSpec = {
    origin: soa.owner === ROOT ? '.' : nameText(soa.owner),
    ttl: declaredTtl(file.defaultTtlS),
    records: drafts.map(({ set }) => set),
    ...(nameservers.length > 0 && { nameservers: nameservers.map(({ name }) => name) }),
    soa: times.soa,
  };
  const places = { soa, drafts, nameservers: nameservers.map(({ record }) => record) };
  const wrong = errorsOf(spec, places);
  if (wrong.length > 0) return errors(wrong);
  const apart = noteTtls(records, {
    defaultTtlS: file.defaultTtlS,
    nameservers: places.nameservers,
  });
  return { kind: 'zone', spec, notes: byLine([...file.notes, ...times.notes, ...apart]) };
}

function draftsOf(file: File, isWanted: (record: FileRecord) => boolean): readonly Draft[] {
  const wanted = file.records.filter(isWanted);
  const sets = Map.groupBy(wanted, ({ owner, type }) => `${type} ${owner}`);
  return [...sets.values()].flatMap((all) => {
    // RFC 2181 §5: the same record twice is one record.
    const [first, ...rest] = new Map(all.map((record) => [record.text, record])).values();
    if (first === undefined) return [];
    // RFC 2181 §5.2: one set has one time to live; the lowest cannot hurt.
    const ttlS = all.reduce((lowest, record) => Math.min(lowest, record.ttlS), Infinity);
    return [{ records: [first, ...rest], set: setOf([first, ...rest], { ...file, ttlS }) }];
  });
}

function setOf(
  records: readonly [FileRecord, ...FileRecord[]],
  { soa, defaultTtlS, ttlS }: File & { readonly ttlS: number },
): ZoneRecord {
  const [{ owner, type }] = records;
  const ttl = declaredTtl(ttlS);
  return {
    name: relativeName(owner, soa.owner),
    type: declaredTypeName(type),
    ...(ttl !== declaredTtl(defaultTtlS) && { ttl }),
    values: records.map(({ text }) => declaredValue(text)),
  };
}

/** Text that is plain is easier to read without quotes. */
function declaredValue(text: string): string {
  return /^"([^"\\ ](?:[^"\\]*[^"\\ ])?)"$/.exec(text)?.[1] ?? text;
}

/** The primary of the SOA first, if it is among them: b8s names the first one there. */
function nameserversOf(
  records: readonly FileRecord[],
  soa: FileRecord,
): readonly { readonly name: string; readonly record: FileRecord }[] {
  const primary = soa.text.split(' ')[0];
  const all = records.map((record) => ({ name: record.text.replace(/\.$/, ''), record }));
  const first = all.filter(({ record }) => record.text === primary);
  const unique = new Map([...first, ...all].map((each) => [each.name, each]));
  return [...unique.values()];
}

interface Places {
  readonly soa: FileRecord;
  readonly drafts: readonly Draft[];
  readonly nameservers: readonly FileRecord[];
}

/** What the kind Zone forbids, told by the lines of the file. */
function errorsOf(spec: ZoneFileSpec, places: Places): readonly ZoneFileMessage[] {
  const metadata = { name: '', uid: '', creationTimestamp: '', generation: 0, resourceVersion: '' };
  const whole = zoneKind.normalize(spec) as ZoneSpec;
  const zone: Zone = { apiVersion: API_VERSION, kind: 'Zone', metadata, spec: whole };
  const tooMany = spec.records.length > ZONE_RECORDS_MAX ? [TOO_MANY_SETS] : [];
  const wide = places.drafts.flatMap(({ records: [first], set }) =>
    set.values.length > VALUES_MAX ? [{ ...placeOf(first), message: TOO_MANY_VALUES }] : [],
  );
  const servers = places.nameservers[NAMESERVERS_MAX];
  return [
    ...tooMany.map((message) => ({ ...placeOf(places.soa), message })),
    ...(servers === undefined ? [] : [{ ...placeOf(servers), message: TOO_MANY_NAMESERVERS }]),
    ...wide,
    ...zoneKind.rules(zone).map((violation) => located(violation, places)),
  ];
}

/** As the schema of Zone bounds them. */
const VALUES_MAX = 1000;
const NAMESERVERS_MAX = 13;
const TOO_MANY_SETS = `the zone has more than ${ZONE_RECORDS_MAX} record sets; make zones of its subdomains`;
const TOO_MANY_VALUES = `more than ${VALUES_MAX} records of one name and type are not possible; remove some`;
const TOO_MANY_NAMESERVERS = `more than ${NAMESERVERS_MAX} name servers are not possible; remove some`;

/** A violation says `spec.records[3].values[1]`: that is a line, too. */
function located({ path, message }: Violation, places: Places): ZoneFileMessage {
  const [, list, index = '0', value = '0'] =
    /^spec\.(records|nameservers)\[(\d+)\](?:\.values\[(\d+)\])?/.exec(path) ?? [];
  const records = places.drafts[Number(index)]?.records;
  const record =
    list === 'records'
      ? (records?.[Number(value)] ?? records?.[0])
      : places.nameservers[Number(index)];
  const said = message.replaceAll(/records\[(\d+)\]/g, (_, other: string) => {
    return `the record of line ${places.drafts[Number(other)]?.records[0].line ?? '?'}`;
  });
  const what = { records: '', nameservers: 'name server ' }[list ?? ''] ?? 'SOA ';
  return { ...placeOf(record ?? places.soa), message: `${what}${said}` };
}

function strayError(record: FileRecord, origin: NameKey): ZoneFileMessage {
  const message = `${nameText(record.owner)}. lies outside the zone ${nameText(origin)}.; move it into its own zone, or check for a final dot too much`;
  return { ...placeOf(record), message };
}

function placeOf({ line, column }: FileRecord): { readonly line: number; readonly column: number } {
  return { line, column };
}

function errors(all: readonly ZoneFileMessage[]): ZoneFileOutcome {
  return { kind: 'errors', errors: byLine(all) };
}

function byLine(messages: readonly ZoneFileMessage[]): readonly ZoneFileMessage[] {
  const sorted = messages.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const more = sorted.length - MESSAGES_MAX;
  const last = sorted[MESSAGES_MAX];
  if (last === undefined) return sorted;
  return [...sorted.slice(0, MESSAGES_MAX), { ...last, message: `and ${more} more like these` }];
}
