import { expect, test } from 'vitest';
import { noMetrics } from '../../runtime/metrics.ts';
import { gaugeDnsLimited } from './dns-limited.ts';

test('what a nameserver has held back is a gauge by node and outcome, if it says so', () => {
  const seen: string[] = [];
  const metrics = {
    ...noMetrics,
    gauge: (name: string, value: number, labels: object = {}) =>
      void seen.push(`${name} ${value} ${Object.values(labels).join(' ')}`),
  };
  gaugeDnsLimited(metrics, 'london', undefined);
  expect(seen).toEqual([]);
  gaugeDnsLimited(metrics, 'london', { dropped: 7n, cut: 6n, spared: 0n });
  expect(seen).toEqual([
    'b8s_node_dns_limited 7 london dropped',
    'b8s_node_dns_limited 6 london cut',
    'b8s_node_dns_limited 0 london spared',
  ]);
});
