import { kindPrefix, recordKey } from '../../../runtime/store/keys.ts';
import type { SessionRecord } from '../../../runtime/store/records.ts';
import type { Check, CheckPorts } from '../check.ts';
import type { ObjectChanges } from '../objects/object-changes.ts';
import { News, seenBy } from '../seen.ts';

/** A session that was about to open when its Node went may be written so much later. */
export const OPENS_LATE_MS_MAX = 30_000;
/**
 * From when a process of dom knows that a Node is gone until it says nothing more to it. At once,
 * but the process may stand still for some twenty seconds in between.
 */
export const CLOSES_MS_MAX = 22_000;

const NODES_PREFIX = kindPrefix('Node');
const SESSIONS_PREFIX = recordKey('session', '');

interface Revocation {
  readonly node: string;
  readonly atMs: number;
  readonly news: News;
}

/**
 * INV-36: after the deletion of a Node no session opens for its uid, beyond what was under way, and
 * the open one closes: no process of dom that has seen the deletion, be it the leader of then or a
 * later one, sends it another frame after `CLOSES_MS_MAX`.
 */
export function revocationsCheck(
  { violated, nowMs }: Pick<CheckPorts, 'nowMs' | 'violated'>,
  changes: ObjectChanges,
): Check {
  /** By uid. */
  const revoked = new Map<string, Revocation>();

  return {
    committed(commit) {
      const { revision, transaction } = commit;
      for (const { key, before, after } of changes.of(commit)) {
        if (!key.startsWith(NODES_PREFIX) || before === undefined || after !== undefined) continue;
        const { uid, name } = before.metadata;
        revoked.set(uid, { node: name, atMs: nowMs(), news: new News(revision) });
      }
      for (const write of transaction.writes) {
        if (write.kind !== 'put' || !write.key.startsWith(SESSIONS_PREFIX)) continue;
        const { nodeUid } = JSON.parse(write.value) as SessionRecord;
        const gone = revoked.get(nodeUid);
        if (gone === undefined) continue;
        if (nowMs() - gone.atMs > OPENS_LATE_MS_MAX)
          violated(36, `a session of ${gone.node} (${nodeUid}) opens after its deletion`);
      }
    },
    stored(event) {
      const seen = seenBy(event);
      if (seen === undefined) return;
      for (const { news } of revoked.values()) news.tell(seen.process, seen.revision, nowMs());
    },
    sent({ from, nodeUid, node, dom }) {
      const knownMs = from === 'dom' ? revoked.get(nodeUid)?.news.knownMs(dom) : undefined;
      if (knownMs !== undefined && nowMs() - knownMs > CLOSES_MS_MAX)
        violated(36, `${dom} still talks to ${node} (${nodeUid}), which it knows to be gone`);
    },
  };
}
