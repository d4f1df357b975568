import type { Labels, Metrics, Reading } from '../metrics.ts';
import { LATE_MS, type TrafficCount } from './site-traffic.ts';

/** What was answered of one Site since somebody began to count. */
export interface CountedSite {
  readonly namespace: string;
  readonly site: string;
  readonly count: TrafficCount;
}

/**
 * Shows counts of Sites under names that begin with `prefix`: answers by class, bytes of bodies, and
 * how long answers took to begin, as a histogram whose bounds are those of `LATE_MS`.
 */
export function showTraffic(
  metrics: Metrics,
  prefix: 'b8s_edge' | 'b8s_site',
  read: () => readonly CountedSite[],
): void {
  const show = (
    name: string,
    labels: readonly string[],
    of: (counted: CountedSite) => readonly Reading[],
  ): void =>
    metrics.collect(
      `${prefix}_${name}`,
      ['namespace', 'site', ...labels],
      // Of too many series the last ones are left out.
      () => [...read()].toSorted((a, b) => b.count.requests - a.count.requests).flatMap(of),
      'counter',
    );
  show('answers_total', ['class'], (counted) => classes(counted));
  show('bytes_total', [], (counted) => [{ labels: labelsOf(counted), value: counted.count.bytes }]);
  show('latency_seconds_bucket', ['le'], (counted) => buckets(counted));
  show('latency_seconds_sum', [], (counted) => [
    { labels: labelsOf(counted), value: counted.count.lateMs / 1000 },
  ]);
  show('latency_seconds_count', [], (counted) => [
    { labels: labelsOf(counted), value: counted.count.requests },
  ]);
}

function labelsOf({ namespace, site }: CountedSite): Labels {
  return { namespace, site };
}

function classes(counted: CountedSite): readonly Reading[] {
  const { requests, redirects, clientErrors, serverErrors } = counted.count;
  const succeeded = Math.max(0, requests - redirects - clientErrors - serverErrors);
  const all = { '2xx': succeeded, '3xx': redirects, '4xx': clientErrors, '5xx': serverErrors };
  return Object.entries(all).map(([of, value]) => ({
    ...{ labels: { ...labelsOf(counted), class: of }, value },
  }));
}

/** Each with all below it; what began at once is in the first one. */
function buckets(counted: CountedSite): readonly Reading[] {
  const { requests, late } = counted.count;
  let below = Math.max(0, requests - late.reduce((sum, each) => sum + each, 0));
  const bounds = [...LATE_MS.map((ms) => String(ms / 1000)), '+Inf'];
  return bounds.map((le, place) => {
    below += late[place] ?? 0;
    return { labels: { ...labelsOf(counted), le }, value: below };
  });
}
