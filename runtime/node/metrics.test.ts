import { expect, test } from 'vitest';
import { prometheusMetrics, SERIES_MAX } from './metrics.ts';

function metrics(help: Record<string, string> = {}) {
  return prometheusMetrics({ process: 'left out', help });
}

test('counters, gauges and histograms come out as Prometheus wants them', async () => {
  const ours = metrics({ hits_total: 'Hits.' });
  ours.count('hits_total', { code: '200' });
  ours.count('hits_total', { code: '200' }, 2);
  ours.gauge('queue_length', 7);
  ours.observe('call_seconds', 0.02, { method: 'Join' });
  const text = await ours.render();
  expect(text).toContain('# HELP hits_total Hits.\n# TYPE hits_total counter\n');
  expect(text).toContain('hits_total{code="200"} 3\n');
  expect(text).toContain('# HELP queue_length queue length\n# TYPE queue_length gauge\n');
  expect(text).toContain('queue_length 7\n');
  expect(text).toContain('call_seconds_bucket{le="0.05",method="Join"} 1\n');
  expect(text).toContain('call_seconds_sum{method="Join"} 0.02\n');
});

test.each([
  { when: 'has other labels', use: { name: 'a_total', labels: { other: 'x' }, value: 1 } },
  { when: 'has more labels', use: { name: 'a_total', labels: { code: '1', b: '2' }, value: 1 } },
  { when: 'is not a number', use: { name: 'a_total', labels: { code: '1' }, value: Number.NaN } },
])('what $when is dropped and counted', async ({ use }) => {
  const ours = metrics();
  ours.count('a_total', { code: '1' });
  ours.count(use.name, use.labels, use.value);
  const text = await ours.render();
  expect(text).toContain('a_total{code="1"} 1\n');
  expect(text).toContain('b8s_metrics_dropped_total{metric="a_total"} 1\n');
});

test('a name keeps its kind', async () => {
  const ours = metrics();
  ours.count('a_total');
  ours.gauge('a_total', 5);
  expect(await ours.render()).toContain('\na_total 1\n');
});

test('series stay bounded', async () => {
  const ours = metrics();
  for (let path = 0; path < SERIES_MAX + 5; path += 1)
    ours.count('a_total', { path: String(path) });
  const text = await ours.render();
  expect(text.match(/^a_total\{/gm)).toHaveLength(SERIES_MAX);
  expect(text).toContain('b8s_metrics_dropped_total{metric="a_total"} 5\n');
});

test('the process is measured too, and two registries do not meet', async () => {
  const [one, two] = [prometheusMetrics(), prometheusMetrics()];
  one.count('a_total');
  expect(await one.render()).toContain('process_cpu_user_seconds_total');
  expect(await two.render()).not.toContain('a_total');
});
