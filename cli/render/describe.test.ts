import { expect, test } from 'vitest';
import { type TestCli, testCli } from '../testing/test-cli.ts';
import { renderDescription } from './describe.ts';

const MESSAGE =
  'the CA could not reach blog.example.com: connection refused; next try at 2027-01-15T12:10:00Z';

function putCertificate(cli: TestCli) {
  const conditions = [
    {
      ...{
        type: 'Current',
        status: 'True',
        reason: 'InTime',
        message: 'more than a third is left',
      },
      lastTransitionTime: '2027-01-14T12:00:00Z',
    } as const,
    {
      ...{ type: 'Ready', status: 'False', reason: 'OrderFailed', message: MESSAGE },
      lastTransitionTime: '2027-01-15T11:50:00Z',
    } as const,
  ];
  return cli.api.put({
    kind: 'Certificate',
    metadata: {
      ...{ namespace: 'default', name: 'blog', finalizers: ['example.com/backup'] },
      deletionTimestamp: '2027-01-15T11:59:00Z',
    },
    spec: { names: ['blog.example.com'], issuer: 'letsencrypt' },
    status: { nextTry: '2027-01-15T12:10:00Z', conditions },
  });
}

test.each([
  { golden: 'relative', line: 'describe certificate/blog' },
  { golden: 'absolute', line: 'describe certificate/blog -o wide' },
])('describe as a page to act on, $golden', async ({ golden, line }) => {
  const cli = testCli();
  putCertificate(cli);
  const { out } = await cli.b8sctl(line);
  await expect(`$ b8sctl ${line}\n${out}`).toMatchFileSnapshot(`../golden/describe/${golden}.txt`);
});

test('the page fits the terminal', () => {
  const certificate = putCertificate(testCli());
  const style = {
    nowMs: Date.parse('2027-01-15T12:00:00Z'),
    columns: 72,
    times: 'relative',
  } as const;
  const page = renderDescription(certificate, [], style);
  const tables = page.slice(0, page.indexOf('Next:'));
  expect(Math.max(...tables.split('\n').map((line) => line.length))).toBeLessThanOrEqual(72);
  expect(page.replaceAll(/\s+/g, ' ')).toContain('connection refused; next try');
});
