import { kindPrefix } from '../../../runtime/store/keys.ts';
import type { Revision } from '../../../runtime/store/store.ts';
import { NAMESPACE } from '../../load/wish.ts';
import type { Check, CheckPorts, SentFrame } from '../check.ts';
import { siteOf } from '../past.ts';
import { News, seenBy } from '../seen.ts';

/**
 * X of INV-26: how long a node may go on serving a site that is deleted, from when it has a session
 * with a dom that knows of the deletion. A plan is sent at once and applied within a second; the
 * rest is for slow networks and disks.
 */
export const DELETED_SITE_MS_MAX = 30_000;
/** A node that has a session says something more often than this. */
const SILENT_MS_MAX = 5_000;

const SITES_PREFIX = `${kindPrefix('Site')}${NAMESPACE}/`;
/** Field 1 of a request: a hello, with which a session begins. */
const HELLO_TAG = 0x0a;

interface Life {
  /** Its last deletion. */
  readonly deletion: News;
  /** When there was one of that name again; undefined: there is none. */
  readonly recreated: Revision | undefined;
}

interface Talk {
  readonly dom: string;
  readonly helloMs: number;
  readonly lastMs: number;
}

/**
 * INV-26: a node whose plan is newer than the deletion of a site does not serve that site; nor does
 * one that has had a session with a dom that knows of the deletion for `DELETED_SITE_MS_MAX`.
 */
export function deletedSitesCheck({ violated, reached, nowMs }: CheckPorts): Check {
  /** By name; none: it was never deleted. */
  const lives = new Map<string, Life>();
  /** By node: the revision of the plan that it serves. */
  const applied = new Map<string, Revision>();
  const talks = new Map<string, Talk>();

  return {
    committed({ revision, transaction, before }) {
      for (const { kind, key } of transaction.writes) {
        if (!key.startsWith(SITES_PREFIX)) continue;
        const name = key.slice(SITES_PREFIX.length);
        const life = lives.get(name);
        if (kind === 'delete')
          lives.set(name, { deletion: new News(revision), recreated: undefined });
        else if (life !== undefined && before.get(key) === undefined)
          lives.set(name, { ...life, recreated: revision });
      }
    },
    stored(event) {
      const seen = seenBy(event);
      if (seen === undefined) return;
      for (const { deletion } of lives.values())
        deletion.tell(seen.process, seen.revision, nowMs());
    },
    moved({ node, which, position }) {
      if (which === 'applied') applied.set(node, position.revision);
    },
    installed: (node) => void applied.delete(node),
    sent(frame) {
      if (frame.from === 'sub')
        talks.set(frame.node, talkAfter(frame, talks.get(frame.node), nowMs()));
    },
    requested({ node, host, answer }) {
      const name = siteOf(host);
      const life = lives.get(name);
      if (answer.status !== 200 || life === undefined) return;
      const what = `${node} serves the site ${name}, deleted at revision ${life.deletion.revision}`;
      const plan = applied.get(node) ?? 0n;
      if (plan < life.deletion.revision) reached('node served a deleted site on');
      const isBefore = life.recreated === undefined || plan < life.recreated;
      if (plan >= life.deletion.revision && isBefore)
        violated(26, `${what}, by its plan of revision ${plan}`);
      const talkMs = talkedMs(life.deletion, talks.get(node), nowMs());
      if (life.recreated === undefined && talkMs > DELETED_SITE_MS_MAX)
        violated(26, `${what}, ${talkMs} ms after it could know`);
    },
  };
}

function talkAfter({ dom, bytes }: SentFrame, before: Talk | undefined, nowMs: number): Talk {
  const goesOn =
    before?.dom === dom && bytes[0] !== HELLO_TAG && nowMs - before.lastMs < SILENT_MS_MAX;
  return { dom, helloMs: goesOn ? before.helloMs : nowMs, lastMs: nowMs };
}

/** How long the two have talked since dom knew; 0: they do not talk. */
function talkedMs(deletion: News, talk: Talk | undefined, nowMs: number): number {
  const knownMs = talk === undefined ? undefined : deletion.knownMs(talk.dom);
  if (talk === undefined || knownMs === undefined || nowMs - talk.lastMs >= SILENT_MS_MAX) return 0;
  return nowMs - Math.max(knownMs, talk.helloMs);
}
