import type {
  AcmeAccountRecord,
  AcmeOrderRecord,
  IssuanceRecord,
  RevocationRecord,
} from '../../../runtime/acme/records.ts';
import { recordKey } from '../../../runtime/store/keys.ts';
import type { Write } from '../../../runtime/store/store.ts';
import { SECOND_DIRECTORY } from '../../ca/simulated-ca.ts';
import type { Check, CheckPorts, Commit } from '../check.ts';

const ORDERS = recordKey('acmeOrder', '');
const COUNTS = recordKey('acmeCount', '');
const ACCOUNTS = recordKey('acmeAccount', '');
const ISSUANCES = recordKey('issuance', '');
const REVOCATIONS = recordKey('revocation', '');

/**
 * INV-30: an order is stored before the CA hears of it, and counted in the same write. So the CA
 * never has more orders for a set of names than were stored for it, whoever crashed when, and
 * whatever became of answers: dom's own count is never too small for the CA's limits.
 */
export function ordersCheck({ violated, reached }: Omit<CheckPorts, 'nowMs'>): Check {
  const sets = new Map<string, { stored: number; placed: number }>();
  /** Of orders, by their sealed keys: who wrote them last. */
  const writer = new Map<string, string>();
  /** Of orders whose answers were lost. */
  const lost = new Set<string>();
  const setOf = (names: readonly string[]): { stored: number; placed: number } => {
    const key = names.toSorted().join(' ');
    const known = sets.get(key) ?? { stored: 0, placed: 0 };
    sets.set(key, known);
    return known;
  };

  function noteOrder(
    before: AcmeOrderRecord | undefined,
    now: AcmeOrderRecord,
    process: string,
  ): number {
    const isNew = before === undefined || before.startedMs !== now.startedMs;
    const placings = now.placings - (isNew ? 0 : before.placings);
    setOf(now.names).stored += placings;
    if (before?.startedMs === now.startedMs && process !== writer.get(now.sealedKey))
      reached('order taken on by another process');
    writer.set(now.sealedKey, process);
    if (before?.phase === 'placing' && lost.has(now.url ?? ''))
      reached('order found whose answer was lost');
    return placings;
  }

  return {
    committed(commit) {
      const { writes } = commit.transaction;
      // Counts end, too: only a new one counts.
      const counts = writes.filter(
        ({ kind, key }) =>
          kind === 'put' && key.startsWith(COUNTS) && commit.before.get(key) === undefined,
      );
      let placings = 0;
      for (const write of writes) {
        if (write.kind === 'put' && write.key.startsWith(ORDERS))
          placings += noteOrder(
            valueBefore(commit, write),
            JSON.parse(write.value),
            commit.process,
          );
        for (const path of rarePaths(commit, write)) reached(path);
      }
      if (placings > counts.length)
        violated(30, `commit ${commit.revision} stores an order that is not counted`);
    },
    ordered({ directory, url, names, answer }) {
      if (answer === 'lost') lost.add(url);
      if (directory === SECOND_DIRECTORY) reached('order at another CA');
      const set = setOf(names);
      set.placed += 1;
      if (set.placed > set.stored)
        violated(
          30,
          `the CA has ${set.placed} orders for ${names.join(', ')}, of which ${set.stored} were stored before`,
        );
    },
    storeReplaced: () => undefined,
  };
}

/** What a write says has happened, of what seldom does. */
function rarePaths(commit: Commit, write: Write): readonly string[] {
  if (write.kind !== 'put') return [];
  const { key, value } = write;
  if (key.startsWith(COUNTS))
    return JSON.parse(value).kind === 'suggested' ? ['renewal that the CA wanted'] : [];
  if (key.startsWith(REVOCATIONS)) {
    const { revokedMs } = JSON.parse(value) as RevocationRecord;
    return revokedMs === undefined ? [] : ['certificate revoked on request'];
  }
  if (key.startsWith(ISSUANCES)) {
    const { failure, renewal } = JSON.parse(value) as IssuanceRecord;
    const was = valueBefore<IssuanceRecord>(commit, write)?.renewal;
    const isOther =
      was?.fingerprint === renewal?.fingerprint &&
      was?.window !== undefined &&
      was.window.startMs !== renewal?.window?.startMs;
    return [
      ...(failure?.reason === 'rateLimited' ? ['refused by a rate limit of the CA'] : []),
      ...(isOther ? ['renewal window replaced'] : []),
    ];
  }
  if (!key.startsWith(ACCOUNTS)) return [];
  const before = valueBefore<AcmeAccountRecord>(commit, write);
  const { sealedKey, failure } = JSON.parse(value) as AcmeAccountRecord;
  return [
    ...(before !== undefined && before.nextSealedKey === sealedKey
      ? ['account with another key']
      : []),
    ...(failure?.reason === 'rateLimited' ? ['refused by a rate limit of the CA'] : []),
  ];
}

function valueBefore<Value>({ before }: Commit, { key }: Write): Value | undefined {
  const item = before.get(key);
  return item === undefined ? undefined : (JSON.parse(item.value) as Value);
}
