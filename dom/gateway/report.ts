import type { Report } from '../../proto/gen/b8s/v1/agent.ts';
import type { ReportRecord } from '../../runtime/store/records.ts';

/**
 * Pure: what is kept of a report. The position and the load are left out, for they change all the
 * time and no controller decides by them: the same facts give the same record, written once.
 */
export function reportRecord(report: Report, nodeUid: string): ReportRecord {
  return {
    nodeUid,
    sites: report.sites
      .map((site) => ({
        uid: site.uid,
        generation: Number(site.generation),
        serving: site.serving,
        verified: site.verified.toSorted(),
        certificate: site.certificate,
        error: site.error,
        ...(site.warning !== '' && { warning: site.warning }),
        ...(site.previews.length > 0 && { previews: site.previews.toSorted() }),
        ...(site.previewError !== '' && { previewError: site.previewError }),
      }))
      .toSorted((a, b) => (a.uid < b.uid ? -1 : 1)),
    zones: report.zones
      .map(({ uid, serial, error, keyTags }) => ({
        ...{ uid, serial, error },
        ...(keyTags.length > 0 && { keyTags: keyTags.toSorted((a, b) => a - b) }),
      }))
      .toSorted((a, b) => (a.uid < b.uid ? -1 : 1)),
    unreachable: report.peers
      .filter((peer) => !peer.reachable)
      .map((peer) => peer.node)
      .toSorted(),
    conditions: report.conditions.map(({ type, status, reason, message }) => ({
      type,
      status,
      reason,
      message,
    })),
    geo: report.geo.toSorted(),
    ...(report.challenges.length > 0 && { challenges: report.challenges.toSorted() }),
  };
}
