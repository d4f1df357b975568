import type { TrafficReport } from '../../proto/gen/b8s/v1/agent.ts';
import { isDigest } from '../../runtime/content/digest.ts';
import { LATE_MS, type TrafficCount } from '../../runtime/traffic/site-traffic.ts';

/** Of one heartbeat; more are not listened to. */
const SITES_MAX = 10_000;
const UID_LENGTH_MAX = 64;

/** Pure: what a node says that its edges have answered, without what cannot be so. */
export function heardTraffic(report: TrafficReport | undefined): readonly TrafficCount[] {
  return (report?.sites ?? [])
    .slice(0, SITES_MAX)
    .filter(({ uid, release }) => uid.length <= UID_LENGTH_MAX && isReleaseName(release))
    .map(({ uid, release, ...said }) => ({
      ...{ uid, release, requests: Number(said.requests) },
      serverErrors: Math.min(Number(said.serverErrors), Number(said.requests)),
      clientErrors: Number(said.clientErrors),
      redirects: Number(said.redirects),
      bytes: Number(said.bytes),
      late: said.late.slice(0, LATE_MS.length + 1).map(Number),
      lateMs: said.lateMs >= 0 ? said.lateMs : 0,
    }));
}

function isReleaseName(release: string): boolean {
  return release === '' || isDigest(release);
}
