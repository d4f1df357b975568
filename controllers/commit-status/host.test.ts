import { expect, test } from 'vitest';
import type { Repository } from '../../api/repository.ts';
import type { CommitState } from '../../runtime/telling-records.ts';
import { callOf, isTaken } from './host.ts';

type Spec = NonNullable<Repository['spec']['commitStatus']>;

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

function call(url: string, spec: Spec, state: CommitState = 'success', description = 'fine') {
  const access = { spec, url, context: 'b8s/default/infra', token: 'abc', caBundle: undefined };
  return callOf(access, { commit: COMMIT, state, description });
}

test.each<{
  provider: Spec['provider'];
  url: string;
  more?: Partial<Spec>;
  to: string | undefined;
}>([
  {
    ...{ provider: 'github', url: 'https://github.com/team/infra.git' },
    to: `https://api.github.com/repos/team/infra/statuses/${COMMIT}`,
  },
  {
    ...{ provider: 'github', url: 'ssh://git@github.com:22/team/infra' },
    to: `https://api.github.com/repos/team/infra/statuses/${COMMIT}`,
  },
  {
    ...{ provider: 'github', url: 'https://git.example.com/team/infra.git' },
    to: `https://git.example.com/api/v3/repos/team/infra/statuses/${COMMIT}`,
  },
  {
    ...{ provider: 'gitea', url: 'https://git.example.com:3000/team/infra.git/' },
    to: `https://git.example.com:3000/api/v1/repos/team/infra/statuses/${COMMIT}`,
  },
  {
    ...{ provider: 'gitlab', url: 'ssh://git@git.example.com:2222/group/sub/infra.git' },
    to: `https://git.example.com/api/v4/projects/group%2Fsub%2Finfra/statuses/${COMMIT}`,
  },
  {
    ...{ provider: 'gitea', url: 'git://10.0.0.1/infra.git' },
    more: { url: 'https://git.example.com/api/v1/', project: 'team/infra' },
    to: `https://git.example.com/api/v1/repos/team/infra/statuses/${COMMIT}`,
  },
  { provider: 'github', url: 'https://github.com/infra.git', to: undefined },
  { provider: 'github', url: 'file:///srv/git/team/infra.git', to: undefined },
])('$provider, $url: $to', ({ provider, url, more = {}, to }) => {
  expect(call(url, { provider, ...more })?.url).toBe(to);
});

const URL = 'https://git.example.com/team/infra.git';

test.each<{ provider: Spec['provider']; words: readonly string[]; header: string; value: string }>([
  {
    ...{ provider: 'github', words: ['pending', 'success', 'failure', 'error'] },
    ...{ header: 'authorization', value: 'Bearer abc' },
  },
  {
    ...{ provider: 'gitea', words: ['pending', 'success', 'failure', 'error'] },
    ...{ header: 'authorization', value: 'token abc' },
  },
  {
    ...{ provider: 'gitlab', words: ['running', 'success', 'failed', 'canceled'] },
    ...{ header: 'private-token', value: 'abc' },
  },
])('the words of $provider', ({ provider, words, header, value }) => {
  const states = ['pending', 'success', 'failure', 'superseded'] as const;
  const calls = states.map((state) => call(URL, { provider }, state));
  const said = calls.map((each) => JSON.parse(each?.body ?? '{}') as { state: string });
  expect(said.map(({ state }) => state)).toEqual(words);
  expect(said[0]).toMatchObject({ context: 'b8s/default/infra', description: 'fine' });
  expect(calls[0]?.headers[header]).toBe(value);
  // GitHub answers 403 to who does not say who it is.
  expect(calls[0]?.headers['user-agent']).toMatch(/^b8s\//);
});

test('a description is one line, and no longer than hosts take it', () => {
  const long = call(URL, { provider: 'github' }, 'failure', `a\nb ${'ü'.repeat(500)}`);
  const { description } = JSON.parse(long?.body ?? '{}') as { description: string };
  expect(description).toMatch(/^a b ü+…$/);
  expect(description).toHaveLength(140);
});

test.each([
  { provider: 'github', status: 201, text: '', answer: true },
  { provider: 'github', status: 422, text: 'No commit found', answer: false },
  { provider: 'github', status: 302, text: '', answer: false },
  { provider: 'gitlab', status: 400, text: 'Cannot transition status via :run', answer: true },
  { provider: 'gitlab', status: 400, text: 'state is invalid', answer: false },
  { provider: 'gitea', status: 400, text: 'Cannot transition status', answer: false },
] as const)('$provider says $status $text: $answer', ({ provider, status, text, answer }) => {
  expect(isTaken({ provider }, { status, text })).toBe(answer);
});
