import { parseName, ROOT } from '../rdata/name.ts';
import { declaredTypeName } from '../rdata/types.ts';
import { relativeName } from '../records.ts';
import type { ZoneSpec } from '../zone.ts';
import type { ZoneFileMessage } from './entries.ts';
import type { FileRecord } from './file-records.ts';

/** As the schema of Zone bounds times to live and the other times of a zone, in seconds. */
const TTL_S_MAX = 86_400;
const INTERVAL_S_MAX = 2_147_483_647;

/** The nearest time to live that a Zone may declare. */
export function declaredTtl(ttlS: number): number {
  return Math.min(Math.max(ttlS, 1), TTL_S_MAX);
}

/** What a Zone says of its SOA; b8s keeps the serial. */
export function soaOf(record: FileRecord): {
  readonly soa: ZoneSpec['soa'];
  readonly notes: readonly ZoneFileMessage[];
} {
  const [, mailbox = '.', , ...times] = record.text.split(' ');
  const [refresh = 0, retry = 0, expire = 0, negative = 0] = times.map(Number);
  const soa = {
    ...(mailbox !== '.' && { mailbox: declaredMailbox(mailbox) }),
    refreshS: declaredInterval(refresh),
    retryS: declaredInterval(retry),
    expireS: declaredInterval(expire),
    negativeTtlS: declaredTtl(negative),
  };
  const taken = [soa.refreshS, soa.retryS, soa.expireS, soa.negativeTtlS];
  const notes = [refresh, retry, expire, negative].flatMap((given, index) => {
    const name = ['refresh', 'retry', 'expire', 'negative TTL'][index] ?? '';
    return given === taken[index]
      ? []
      : [changedNote(record, { name, given, taken: taken[index] })];
  });
  const { line, column } = record;
  const nobody = 'the SOA names no mailbox; hostmaster below the origin is taken';
  return {
    soa,
    notes: mailbox === '.' ? [{ line, column, message: nobody }, ...notes] : notes,
  };
}

/** What is no letter, digit or hyphen is escaped, so that it is clear that it is meant. */
function declaredMailbox(text: string): string {
  const mailbox = relativeName(parseName(text) ?? ROOT, ROOT);
  return mailbox.replaceAll(
    /[_/*@]/g,
    (byte) => `\\${String(byte.charCodeAt(0)).padStart(3, '0')}`,
  );
}

function declaredInterval(seconds: number): number {
  return Math.min(Math.max(seconds, 1), INTERVAL_S_MAX);
}

interface NameserverTtls {
  readonly defaultTtlS: number;
  readonly nameservers: readonly FileRecord[];
}

/** Times to live that the Zone has otherwise, one note for each that the file says. */
export function noteTtls(
  records: readonly FileRecord[],
  { defaultTtlS, nameservers }: NameserverTtls,
): readonly ZoneFileMessage[] {
  const apart = new Map<number, FileRecord>();
  const lowest = new Map<string, FileRecord>();
  const notes: ZoneFileMessage[] = [];
  for (const record of records) {
    const { ttlS } = record;
    if (ttlS !== declaredTtl(ttlS) && !apart.has(ttlS)) apart.set(ttlS, record);
    const key = `${record.type} ${record.owner}`;
    const known = lowest.get(key);
    if (known === undefined) lowest.set(key, record);
    else if (known.ttlS !== ttlS) {
      const message = `its ${declaredTypeName(record.type)} records have several TTLs; the lowest is taken for all (RFC 2181 §5.2)`;
      notes.push({ line: record.line, column: record.column, message });
    }
  }
  for (const [given, record] of apart) {
    notes.push(changedNote(record, { name: 'TTL', given, taken: declaredTtl(given) }));
  }
  const odd = nameservers.find(({ ttlS }) => declaredTtl(ttlS) !== declaredTtl(defaultTtlS));
  if (odd !== undefined) {
    const message = `the NS records of the zone get the TTL of the zone, ${declaredTtl(defaultTtlS)}`;
    notes.push({ line: odd.line, column: odd.column, message });
  }
  return notes;
}

function changedNote(
  { line, column }: FileRecord,
  change: { readonly name: string; readonly given: number; readonly taken: number | undefined },
): ZoneFileMessage {
  const message = `${change.name} ${change.given} is out of bounds; ${change.taken} is taken`;
  return { line, column, message };
}
