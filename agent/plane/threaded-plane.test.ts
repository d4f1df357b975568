import { expect, onTestFinished, test } from 'vitest';
import { planeCases } from './plane.case.ts';
import { publish, testSite, testSnapshot } from './plane-fixture.ts';
import { get, openThreads } from './threads.fixture.ts';

planeCases('a plane of threads', () => openThreads({ edge: 2, dns: 1 }));

test('a worker that crashes is replaced while the others serve', async () => {
  const under = await openThreads({ edge: 2, dns: 1 });
  onTestFinished(() => under.close());
  const release = await publish(under.disk, { 'index.html': 'one' });
  const edge = { sites: [testSite({ release })], certificates: [under.certificate] };
  await under.plane.apply(testSnapshot(1, { edge }));

  const wrong: unknown[] = [];
  /** When those began that failed. */
  const failedSinceMs: number[] = [];
  let answered = 0;
  const stop = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const sinceMs = performance.now();
      try {
        const { status, text } = await get(under.httpsPort, { path: '/' });
        if (status !== 200 || text !== 'one') wrong.push({ status, text });
        answered += 1;
      } catch {
        // A connection may be lost with its worker; what must not be is a wrong answer.
        failedSinceMs.push(sinceMs);
      }
    }
  };
  const loops = [loop(), loop()];
  await expect.poll(() => answered).toBeGreaterThan(20);
  under.spawned.find(({ kind }) => kind === 'edge')?.worker.post({ kind: 'crash' });
  const restarts = () => under.plane.state().reduce((sum, each) => sum + each.restarts, 0);
  await expect.poll(restarts, { interval: 5 }).toBe(1);
  const isWhole = () => under.plane.state().every(({ sequence }) => sequence === 1);
  await expect.poll(isWhole, { interval: 5 }).toBe(true);
  const recoveredMs = performance.now();
  const answeredBefore = answered;
  await expect.poll(() => answered).toBeGreaterThan(answeredBefore + 20);
  stop.abort();
  await Promise.all(loops);

  expect(wrong).toEqual([]);
  expect(failedSinceMs.filter((sinceMs) => sinceMs > recoveredMs)).toEqual([]);
});

test('all workers gone at once: they come back with the last snapshot and the last health', async () => {
  const under = await openThreads({ edge: 1, dns: 1 });
  onTestFinished(() => under.close());
  const release = await publish(under.disk, { 'index.html': 'one' });
  const edge = { sites: [testSite({ release })], certificates: [under.certificate] };
  await under.plane.apply(testSnapshot(1, { edge }));
  under.plane.setHealth({ tokyo: false });
  for (const { worker } of under.spawned) worker.terminate();
  const isWhole = () =>
    under.plane.state().every(({ sequence, restarts }) => sequence === 1 && restarts === 1);
  await expect.poll(isWhole).toBe(true);
  expect((await under.get('/')).text).toBe('one');
  const question = { name: 'blog.test', type: 'A', clientIp: '203.0.113.1' };
  expect(await under.plane.explain(question)).toMatchObject({
    explanation: { answers: ['192.0.2.10'] },
  });
});
