import type { DnsLimited } from '../../proto/gen/b8s/v1/agent.ts';
import type { Metrics } from '../../runtime/metrics.ts';

/** Keeps what a nameserver's rate limit has done, as it last said. */
export function gaugeDnsLimited(
  metrics: Metrics,
  node: string,
  limited: DnsLimited | undefined,
): void {
  if (limited === undefined) return;
  const { dropped, cut, spared } = limited;
  for (const [outcome, count] of Object.entries({ dropped, cut, spared }))
    metrics.gauge('b8s_node_dns_limited', Number(count), { node, outcome });
}
