import { expect, test } from 'vitest';
import { prometheusMetrics } from '../node/metrics.ts';
import { listenMetrics } from '../node/metrics-listener.ts';
import { nothingAnswered } from './site-traffic.ts';
import { showTraffic } from './traffic-metrics.ts';

const COUNT = {
  ...nothingAnswered({ uid: 'u', release: '' }),
  ...{ requests: 100, redirects: 20, clientErrors: 10, serverErrors: 5, bytes: 5000 },
  ...{ late: [1, 0, 3], lateMs: 12.5 },
};

test('what a site has answered is shown as Prometheus wants it, a histogram among it', async () => {
  const metrics = prometheusMetrics({ process: 'left out' });
  let counted = [{ namespace: 'default', site: 'blog', count: COUNT }];
  showTraffic(metrics, 'b8s_site', () => counted);
  const listener = await listenMetrics({
    ...{ address: '127.0.0.1', port: 0, render: () => metrics.render() },
  });
  const get = (path: string) => fetch(new URL(path, `http://127.0.0.1:${listener.port}`));
  try {
    const text = await (await get('/metrics')).text();
    const site = 'namespace="default",site="blog"';
    for (const line of [
      '# TYPE b8s_site_answers_total counter',
      `b8s_site_answers_total{${site},class="2xx"} 65`,
      `b8s_site_answers_total{${site},class="5xx"} 5`,
      `b8s_site_bytes_total{${site}} 5000`,
      `b8s_site_latency_seconds_bucket{${site},le="0.001"} 97`,
      `b8s_site_latency_seconds_bucket{${site},le="0.005"} 100`,
      `b8s_site_latency_seconds_bucket{${site},le="+Inf"} 100`,
      `b8s_site_latency_seconds_sum{${site}} 0.0125`,
      `b8s_site_latency_seconds_count{${site}} 100`,
    ])
      expect(text.split('\n')).toContain(line);
    counted = [];
    expect(await (await get('/metrics')).text()).not.toContain('blog');
    expect((await get('/')).status).toBe(404);
  } finally {
    await listener.close();
  }
});
