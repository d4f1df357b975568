import type { Site, SiteStatus } from '../../api/site.ts';
import type { EventNote } from '../../runtime/control/events.ts';
import { shortDigest } from './words.ts';

/** What people are told of a change of status, beside the status itself. */
export function notes(site: Site, status: SiteStatus, component: string): readonly EventNote[] {
  const about = { regarding: site, source: { component } } as const;
  return [
    ...switchNotes(site, status).map((each) => ({ ...about, type: 'Normal' as const, ...each })),
    ...stopNotes(site, status).map((each) => ({ ...about, type: 'Warning' as const, ...each })),
  ];
}

type Words = Pick<EventNote, 'reason' | 'message'>;

function switchNotes(
  { status: before }: Site,
  { release, rollout, ahead, switchedAt }: SiteStatus,
): readonly Words[] {
  const isBack = before?.ahead !== undefined && ahead === undefined;
  if (release !== undefined && (release !== before?.release || isBack)) {
    const again = release === before?.release && switchedAt !== before.switchedAt ? ' again' : '';
    const message = `${shortDigest(release)} is served from now on${again}`;
    return [{ reason: 'ReleaseSwitched', message }];
  }
  const { switched = 0, total } = rollout ?? {};
  if (rollout === undefined || switched <= (before?.rollout?.switched ?? 0)) return [];
  const message = `${shortDigest(rollout.release)} is served on ${switched}/${total} edges from now on`;
  return [{ reason: 'BatchSwitched', message }];
}

/** Reasons of ContentReady that call for a person, each told of once. */
const STOPPED: readonly string[] = ['RolloutStalled', 'RolloutHalted', 'RolloutUndone'];

function stopNotes(site: Site, status: SiteStatus): readonly Words[] {
  const contentOf = (of: SiteStatus | undefined) =>
    of?.conditions?.find(({ type }) => type === 'ContentReady');
  const content = contentOf(status);
  if (content === undefined || content.reason === contentOf(site.status)?.reason) return [];
  return STOPPED.includes(content.reason)
    ? [{ reason: content.reason, message: content.message }]
    : [];
}
