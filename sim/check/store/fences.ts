import { EPOCH_KEY, kindPrefix, LEADER_KEY, recordKey } from '../../../runtime/store/keys.ts';
import type { Transaction } from '../../../runtime/store/store.ts';
import type { Check, CheckPorts } from '../check.ts';
import type { StoreHistory } from '../store-history.ts';

/**
 * INV-15: a deposed dom's write is refused at the store. Each commit carries the epoch, epochs only
 * grow (who leads may write its own once more), and nothing takes effect but what the process sent that
 * wrote the newest one.
 */
export function fencesCheck(
  { violated, reached }: Pick<CheckPorts, 'violated' | 'reached'>,
  history: StoreHistory,
): Check {
  let epoch = 0n;
  /** Who wrote it; undefined: nobody yet. */
  let leader: string | undefined;
  return {
    committed({ revision, transaction, process }) {
      if (isCallOfHost(transaction)) return;
      const { guards, writes } = transaction;
      const guard = guards.find(({ key }) => key === EPOCH_KEY);
      if (guard === undefined) violated(15, `commit ${revision} does not carry its epoch`);
      const write = writes.find(({ key }) => key === EPOCH_KEY);
      if (write === undefined) {
        if (process !== leader)
          violated(15, `commit ${revision} of ${process}, while ${leader} leads epoch ${epoch}`);
        return;
      }
      const next = write.kind === 'put' ? epochOf(write.value) : 0n;
      const isRenewed = next === epoch && process === leader;
      if (isRenewed) reached('fence renewed after a write in doubt');
      else if (next <= epoch) violated(15, `epoch ${next} comes after ${epoch}`);
      if (leader !== undefined && leader !== process) reached('another dom took over');
      epoch = next;
      leader = process;
    },
    stored(event) {
      if (event.kind !== 'refused') return;
      const { guards, writes } = event.transaction;
      // Who only campaigns has nothing to lose.
      if (writes.some(({ key }) => key === LEADER_KEY)) return;
      const isFenced = guards.some(
        ({ key, modRevision }) =>
          (key === EPOCH_KEY || key === LEADER_KEY) &&
          (history.get(key, event.revision)?.modRevision ?? 0n) !== modRevision,
      );
      if (isFenced) reached('fenced write refused');
    },
  };
}

/**
 * Any dom takes the call of a Git host, and asks for a look by it: that is no decision of a leader. Each
 * key must be as it was read.
 */
function isCallOfHost({ guards, writes }: Transaction): boolean {
  const isAsking = writes.every(({ key }) => key.startsWith(REPOSITORIES) || key.startsWith(CALLS));
  const isRead = writes.every(({ key }) => guards.some((each) => each.key === key));
  return isAsking && isRead && writes.some(({ key }) => key.startsWith(CALLS));
}

const REPOSITORIES = kindPrefix('Repository');
const CALLS = recordKey('repositoryHook', '');

function epochOf(value: string): bigint {
  return BigInt((JSON.parse(value) as { epoch: string }).epoch);
}
