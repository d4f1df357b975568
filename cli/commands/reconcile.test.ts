import { beforeEach, expect, test } from 'vitest';
import { RECONCILE_REQUESTED } from '../../api/repository.ts';
import { type TestCli, testCli } from '../testing/test-cli.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const NOW = '2027-01-15T12:00:00.000Z';

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
});

/** A Repository that has answered this request. */
function put(answered: string, ready: 'True' | 'False' = 'True', spec: object = {}): void {
  const conditions = [
    { type: 'Ready', status: ready, reason: 'R', message: 'commit 0123456 is in force' },
    { type: 'Reconciling', status: 'False', reason: 'R', message: '' },
  ].map((each) => ({ ...each, lastTransitionTime: NOW }));
  cli.api.put({
    kind: 'Repository',
    metadata: { name: 'infra', namespace: 'default' },
    spec: { url: 'https://git.example.com/a.git', ...spec },
    status: { conditions, handledRequest: answered },
  });
}

const requested = (): string | undefined =>
  cli.api.objects().find(({ kind }) => kind === 'Repository')?.metadata.annotations?.[
    RECONCILE_REQUESTED
  ];

test.each([
  { words: '', request: NOW },
  { words: ' --force', request: `${NOW} force` },
  { words: ' --confirm-prune', request: `${NOW} confirm-prune` },
  { words: ` --with-ref ${COMMIT}`, request: `${NOW} ref=${COMMIT}` },
])('reconcile$words asks by the clock and waits for the answer', async ({ words, request }) => {
  put(request);
  const { out, code } = await cli.b8sctl(`reconcile repository/infra${words}`);
  expect(out).toBe('repository.b8s.dev/infra reconciled: commit 0123456 is in force\n');
  expect(code).toBe(0);
  expect(requested()).toBe(request);
});

test('what is not Ready after it is told, and ends with 1', async () => {
  put(NOW, 'False');
  const { error, code } = await cli.b8sctl('reconcile repo/infra');
  expect(error).toBe('error: infra is not Ready: commit 0123456 is in force\n');
  expect(code).toBe(1);
});

test('with --timeout 0 nobody waits', async () => {
  put('another');
  const { out } = await cli.b8sctl('reconcile infra --timeout 0');
  expect(out).toBe('repository.b8s.dev/infra is looked at\n');
});

test.each([
  { words: 'site/blog', says: 'error: "site/blog" is no Repository; write repository/NAME\n' },
  {
    words: 'infra --with-ref main',
    says: 'error: --with-ref "main" is not a commit: write its 40 hex digits\n',
  },
])('reconcile $words is refused', async ({ words, says }) => {
  put('another');
  const { error, code } = await cli.b8sctl(`reconcile ${words}`);
  expect(error).toBe(says);
  expect(code).toBe(1);
  expect(requested()).toBeUndefined();
});

test('one that is suspended is not waited for', async () => {
  put('another', 'True', { suspend: true });
  const { error } = await cli.b8sctl('reconcile infra');
  expect(error).toMatch(/^error: infra is suspended; resume it first/);
});
