import { beforeEach, expect, test } from 'vitest';
import { type TestCli, testCli } from '../testing/test-cli.ts';

const RATES = {
  ...{ requests: 1234.4, succeeded: 1200, redirects: 30, clientErrors: 4.2, serverErrors: 0.03 },
  ...{ bytes: 5_000_000, p50Ms: 1, p99Ms: 2.5 },
};
const QUIET = {
  ...{ requests: 0.5, succeeded: 0, redirects: 0, clientErrors: 0, serverErrors: 0.5 },
  ...{ bytes: 0, p50Ms: 2500, p99Ms: Number.POSITIVE_INFINITY },
};

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
  cli.api.lately = {
    sites: [
      { namespace: 'default', name: 'quiet', nodes: 1, rates: QUIET },
      { namespace: 'default', name: 'blog', nodes: 3, rates: RATES },
      { namespace: 'team', name: 'shop', nodes: 2, rates: { ...RATES, requests: 5000 } },
    ],
    nodes: [
      { node: 'ams1', rates: QUIET, rssBytes: 0n, cpu: undefined, connections: 0 },
      { node: 'fra1', rates: RATES, rssBytes: 120_000_000n, cpu: 1.234, connections: 321 },
    ],
    gatheredS: 45,
  };
});

const lines = (text: string): readonly string[] => text.trimEnd().split('\n');
const names = (text: string): readonly string[] =>
  lines(text)
    .slice(1)
    .map((line) => line.split(' ')[0] ?? '');

test('top sites shows rates of the namespace, the greatest first', async () => {
  const { out, error, code } = await cli.b8sctl('top sites');
  expect({ error, code }).toEqual({ error: '', code: 0 });
  expect(lines(out).map((line) => line.split(/ {2,}/))).toEqual([
    ['SITE', 'REQ/S', '2XX', '3XX', '4XX', '5XX', 'BYTES/S', 'P50', 'P99', 'NODES'],
    ['blog', '1234', '1200', '30', '4.2', '0.03', '4.8MiB', '<1ms', '<2.5ms', '3'],
    ['quiet', '0.5', '0', '0', '0', '0.5', '0B', '<2.5s', '>10s', '1'],
  ]);
});

test('of all namespaces, by one node, and in another order', async () => {
  const { out } = await cli.b8sctl('top sites -A --node fra1');
  expect(cli.api.trafficNode).toBe('fra1');
  expect(out).toMatch(/^NAMESPACE +SITE +REQ/);
  expect(lines(out)[1]).toMatch(/^team +shop +5000 /);
  expect(names((await cli.b8sctl('top sites --sort-by 5xx')).out)).toEqual(['quiet', 'blog']);
  expect(names((await cli.b8sctl('top sites --sort-by p99')).out)).toEqual(['quiet', 'blog']);
  expect(names((await cli.b8sctl('top sites --sort-by name')).out)).toEqual(['blog', 'quiet']);
  expect((await cli.b8sctl('top sites --sort-by colour')).code).toBe(1);
});

test('top nodes shows what they take', async () => {
  const { out } = await cli.b8sctl('top nodes');
  const cells = lines(out).map((line) => line.split(/ {2,}/));
  expect(cells[0]?.slice(0, 5)).toEqual(['NODE', 'CPU', 'MEMORY', 'CONNECTIONS', 'REQ/S']);
  expect(cells[1]?.slice(0, 5)).toEqual(['fra1', '123%', '114MiB', '321', '1234']);
  expect(cells[2]?.slice(0, 5)).toEqual(['ams1', '<none>', '<none>', '0', '0.5']);
  expect(names((await cli.b8sctl('top nodes --sort-by memory')).out)).toEqual(['fra1', 'ams1']);
});

test('when nothing was asked for, that is said beside the data', async () => {
  cli.api.lately = { sites: [], nodes: [], gatheredS: 1 };
  expect(await cli.b8sctl('top sites')).toEqual({
    ...{ out: '', error: 'Nothing was asked for in the last minute\n', code: 0 },
  });
});

test('--watch shows it again, until Ctrl-C', async () => {
  const running = cli.start('top sites -w');
  await expect.poll(() => running.out()).toMatch(/blog/);
  await cli.clock.advance(2000);
  await expect.poll(() => running.out().match(/blog/g)?.length).toBe(2);
  running.interrupt();
  expect(await running.done).toMatchObject({ error: '', code: 130 });
});
