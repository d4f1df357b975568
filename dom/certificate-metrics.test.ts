import { expect, test } from 'vitest';
import { prometheusMetrics } from '../runtime/node/metrics.ts';
import { showCertificates } from './certificate-metrics.ts';
import { domScene } from './test-scene.ts';

test('certificates are shown as they are when someone looks, and not after they are gone', async () => {
  const scene = await domScene();
  const metrics = prometheusMetrics({ process: 'left out' });
  let leads = true;
  showCertificates(metrics, () => (leads ? scene.term.mirror : undefined));
  const names = ['blog.example.com'];
  await scene.apply({
    ...{ apiVersion: 'b8s.dev/v1', kind: 'Certificate', metadata: { name: 'blog' } },
    spec: { names, issuer: 'internal' },
  });
  await scene.clock.advance(2_000);
  const labels = '{namespace="default",name="blog",issuer="internal"}';
  const text = await metrics.render();
  expect(text).toContain(`b8s_certificate_ready${labels} 1\n`);
  expect(text).toContain(`b8s_certificate_failures${labels} 0\n`);
  const [, expiry] = /b8s_certificate_expiry_timestamp_seconds\{.*?\} (\S+)/.exec(text) ?? [];
  expect(Number(expiry) * 1000 - scene.clock.nowMs()).toBeGreaterThan(89 * 86_400_000);
  await scene.apply({
    ...{ apiVersion: 'b8s.dev/v1', kind: 'Certificate', metadata: { name: 'brought' } },
    spec: { names: ['shop.example.com'], secret: 'shop' },
  });
  await scene.clock.advance(2_000);
  expect(await metrics.render()).toContain(
    'b8s_certificate_ready{namespace="default",name="brought",issuer=""} 0\n',
  );
  leads = false;
  expect(await metrics.render()).not.toContain('name="blog"');
  scene.stop();
});
