import { beforeEach, expect, test } from 'vitest';
import type { Condition } from '../../api/object.ts';
import { type TestCli, testCli } from '../testing/test-cli.ts';

const SINCE = '2027-01-15T11:56:00Z';

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
});

function condition(type: string, status: Condition['status'], reason: string, message: string) {
  return { type, status, reason, message, lastTransitionTime: SINCE };
}

function repository(name: string, reason: string, message: string, spec: object = {}): void {
  const isReady = reason === 'Applied';
  cli.api.put({
    kind: 'Repository',
    metadata: { name, namespace: 'default' },
    spec: { url: 'https://git.example.com/a.git', ...spec },
    status: {
      conditions: [
        condition('Ready', isReady ? 'True' : 'False', reason, message),
        condition('Reconciling', 'False', 'NotReconciling', ''),
        condition('Stalled', isReady ? 'False' : 'True', reason, isReady ? '' : message),
      ],
    },
  });
}

function site(reason: string, message: string): void {
  const isReady = reason === 'Serving';
  const managedFields = [
    {
      manager: 'repository/default/infra',
      operation: 'apply',
      time: SINCE,
      fields: ['/spec/hosts'],
    },
  ] as const;
  cli.api.put({
    kind: 'Site',
    metadata: { name: 'blog', namespace: 'default', managedFields },
    spec: { hosts: ['blog.example.com'] },
    status: { conditions: [condition('Ready', isReady ? 'True' : 'False', reason, message)] },
  });
}

test.each<{
  readonly when: string;
  readonly golden: string;
  readonly put: () => void;
  readonly line: string;
}>([
  {
    ...{ when: 'it is in force', golden: 'well', line: 'why repository/infra' },
    put: () => repository('infra', 'Applied', 'commit 0123456 (Mend) is in force'),
  },
  {
    ...{
      when: 'it waits for another one that is bad',
      golden: 'depends',
      line: 'why repository/infra',
    },
    put() {
      repository('base', 'BadCommit', 'commit 0123456 (Mend) was rolled back: not Ready within 5m');
      const message =
        'waits for repository base, which is not Ready: commit 0123456 was rolled back';
      repository('infra', 'DependencyNotReady', message, { dependsOn: ['base'] });
    },
  },
  {
    ...{ when: 'a prune waits for a word', golden: 'prune', line: 'why repository/infra' },
    put: () =>
      repository(
        'infra',
        'MassDeletion',
        'commit 0123456 would delete 2 of 3 objects (Issuer/b, Issuer/c)',
      ),
  },
  {
    ...{
      when: 'a Site of the commit is not Ready',
      golden: 'waiting',
      line: 'why repository/infra',
    },
    put() {
      site('NoContent', 'no content was ever pushed');
      const message =
        'commit 0123456 (Mend) is applied, and waits for Site/default/blog (no content)';
      repository('infra', 'NotReady', message);
    },
  },
  {
    ...{ when: 'asked from an object that it keeps', golden: 'owner', line: 'why site/blog' },
    put() {
      site('Serving', 'released on 2/2 nodes');
      repository(
        'infra',
        'Invalid',
        'commit 0123456 is refused as a whole: spec.hostz (site.yaml:5)',
      );
    },
  },
  {
    ...{ when: 'the Secret of its remote is gone', golden: 'secret', line: 'why repository/infra' },
    put: () =>
      repository('infra', 'SecretMissing', 'Secret default/key is not there', { secretRef: 'key' }),
  },
])('why of a Repository, when $when', async ({ put, golden, line }) => {
  put();
  const { out, code } = await cli.b8sctl(line);
  expect(code).toBe(0);
  await expect(`$ b8sctl ${line}\n${out}`).toMatchFileSnapshot(
    `../golden/why/repository-${golden}.txt`,
  );
});
