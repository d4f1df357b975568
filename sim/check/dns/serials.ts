import { isDeepStrictEqual } from 'node:util';
import type { ZoneRecord } from '../../../runtime/store/records.ts';
import { TYPE_SOA } from '../../load/dns-client.ts';
import type { Check, CheckPorts } from '../check.ts';
import { replyOf } from './exchange.ts';
import { ZONES_PREFIX } from './served-zones.ts';

const SERIALS = 2 ** 32;

/**
 * INV-22, by origin: the serial of what dom writes never decreases, and other data has another
 * serial, also where the Zone is deleted and declared again: resolvers know of origins, not of
 * Zones. By nameserver: nor does the serial that it answers, until the machine is set up anew.
 */
export function serialsCheck({ violated }: CheckPorts): Check {
  const written = new Map<string, ZoneRecord>();
  /** By nameserver and origin. */
  const answered = new Map<string, number>();
  return {
    committed({ revision, transaction }) {
      for (const write of transaction.writes) {
        if (write.kind !== 'put' || !write.key.startsWith(ZONES_PREFIX)) continue;
        const record = JSON.parse(write.value) as ZoneRecord;
        const last = written.get(record.origin);
        written.set(record.origin, record);
        const problem = last === undefined ? undefined : problemOf(last, record);
        if (problem !== undefined)
          violated(22, `commit ${revision} of ${record.origin}: ${problem}`);
      }
    },
    asked(exchange) {
      const { nameserver } = exchange;
      const reply = replyOf(exchange);
      if (reply === undefined) return;
      const { answer, authority } = reply;
      for (const { name, type, text } of [...answer, ...authority]) {
        if (type !== TYPE_SOA) continue;
        const key = `${nameserver} ${name}`;
        const [last, serial] = [answered.get(key), Number(text)];
        if (last !== undefined && isBefore(serial, last))
          violated(22, `${nameserver} answers serial ${serial} of ${name} after ${last}`);
        answered.set(key, serial);
      }
    },
    installed(node) {
      for (const key of [...answered.keys()]) if (key.startsWith(`${node} `)) answered.delete(key);
    },
  };
}

function problemOf(last: ZoneRecord, next: ZoneRecord): string | undefined {
  if (isBefore(next.serial, last.serial)) return `serial ${next.serial} after ${last.serial}`;
  const isSame = isDeepStrictEqual(dataOf(next), dataOf(last));
  if (isSame || next.serial !== last.serial) return undefined;
  return `other data, and still serial ${next.serial}`;
}

/** What resolvers can see of it. */
function dataOf({ serial: _, generation: __, zoneUid: ___, ...data }: ZoneRecord): object {
  return data;
}

/** RFC 1982 §3.2. */
function isBefore(one: number, other: number): boolean {
  const distance = (other - one + SERIALS) % SERIALS;
  return distance > 0 && distance < SERIALS / 2;
}
