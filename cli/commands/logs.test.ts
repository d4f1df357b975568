import { beforeEach, expect, test } from 'vitest';
import { ApiError } from '../../runtime/api-client.ts';
import { type TestCli, testCli } from '../testing/test-cli.ts';

const JSON_LINE =
  '{"time":"2027-01-15T11:59:59.500Z","node":"fra1","site":"default/blog","client":"203.0.113.7","host":"blog.example.com","method":"GET","path":"/","protocol":"HTTP/2.0","status":200,"bytes":5,"durationMs":0.4,"userAgent":"curl"}';
const COMBINED = '203.0.113.7 - - [15/Jan/2027:11:59:59 +0000] "GET / HTTP/2.0" 200 5 "-" "curl"';

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
  putSite('json');
  cli.api.logs = [piece(JSON_LINE)];
});

function putSite(format?: string, namespace = 'default') {
  cli.api.put({
    kind: 'Site',
    metadata: { namespace, name: 'blog' },
    spec: {
      hosts: ['blog.example.com'],
      ...(format !== undefined && { accessLog: { format } }),
    },
  });
}

function piece(line: string) {
  return { lines: [{ node: 'fra1', line }], dropped: 0, notes: [] };
}

test('logs prints lines as the site has them, and ends', async () => {
  expect(await cli.b8sctl('logs site/blog')).toEqual({ out: `${JSON_LINE}\n`, error: '', code: 0 });
  const asked = { namespace: 'default', name: 'blog', node: '' };
  expect(cli.api.logQuery).toEqual({ ...asked, linesMax: 20, ageMsMax: 0, follow: false });
});

test.each([
  ['--tail 7', { linesMax: 7 }],
  ['--since 5m', { linesMax: 10_000, ageMsMax: 300_000 }],
  ['--since 2h --tail 3', { linesMax: 3, ageMsMax: 7_200_000 }],
  ['--node fra1', { node: 'fra1' }],
  ['--tail 999999', { linesMax: 10_000 }],
])('logs %s asks for that', async (flags, asked) => {
  expect((await cli.b8sctl(`logs site blog ${flags}`)).code).toBe(0);
  expect(cli.api.logQuery).toMatchObject(asked);
});

test('each format can be shown as the other', async () => {
  expect((await cli.b8sctl('logs site/blog -o combined')).out).toBe(`${COMBINED}\n`);
  expect((await cli.b8sctl('logs site/blog -o json')).out).toBe(`${JSON_LINE}\n`);
  cli.api.logs = [piece(COMBINED)];
  expect((await cli.b8sctl('logs site/blog -o combined')).out).toBe(`${COMBINED}\n`);
  const { out } = await cli.b8sctl('logs site/blog -o json');
  expect(JSON.parse(out)).toEqual({
    time: '2027-01-15T11:59:59.000Z',
    ...{ node: 'fra1', site: 'default/blog', client: '203.0.113.7', method: 'GET', path: '/' },
    ...{ protocol: 'HTTP/2.0', status: 200, bytes: 5, userAgent: 'curl' },
  });
  expect((await cli.b8sctl('logs site/blog --prefix')).out).toBe(`fra1 ${COMBINED}\n`);
});

test('what a node sends moves no cursor, whatever it is', async () => {
  cli.api.logs = [piece('\u001b[2J gone'), piece('no line of a log')];
  const { out } = await cli.b8sctl('logs site/blog -o json');
  expect(out).toBe('\\u001b[2J gone\nno line of a log\n');
});

test('what was dropped, and who says nothing, is told beside the lines', async () => {
  const rest = [
    { lines: [], dropped: 1, notes: [] },
    { lines: [], dropped: 12, notes: ['ams1 runs an older version that keeps no access logs'] },
  ];
  cli.api.logs = [piece(JSON_LINE), ...rest];
  const { out, error } = await cli.b8sctl('logs site/blog');
  expect(out).toBe(`${JSON_LINE}\n`);
  expect(error).toBe(
    [
      '-- 1 line was dropped: they come faster than they are read',
      '-- ams1 runs an older version that keeps no access logs',
      '-- 12 lines were dropped: they come faster than they are read',
      '',
    ].join('\n'),
  );
});

test('logs -f goes on until Ctrl-C, which is no error message', async () => {
  const running = cli.start('logs site/blog -f');
  await expect.poll(() => running.out()).toBe(`${JSON_LINE}\n`);
  running.interrupt();
  expect(await running.done).toMatchObject({ error: '', code: 130 });
});

test.each([
  [undefined, 'default', ''],
  ['none', 'team', ' -n team'],
])('without an access log (%s) it says how there would be one', async (format, namespace, flag) => {
  putSite(format, namespace);
  const { error, code } = await cli.b8sctl(`logs site/blog -n ${namespace}`);
  expect(code).toBe(1);
  expect(error).toContain(
    `b8sctl patch site/blog${flag} -p '{"spec":{"accessLog":{"format":"json"}}}'`,
  );
});

test('what is no site, or not there, is said', async () => {
  expect((await cli.b8sctl('logs node/fra1')).error).toBe(
    'error: only sites have access logs, not a Node\n',
  );
  expect((await cli.b8sctl('logs site/shop')).error).toMatch(/^Error from server \(NotFound\)/);
  cli.api.failNext('readLogs', new ApiError('Unavailable', 'no edge is connected'));
  expect(await cli.b8sctl('logs site/blog')).toMatchObject({
    ...{ error: 'no edge is connected\n', code: 1 },
  });
});
