import { expect, test } from 'vitest';
import { concerns, newsOf } from './push.ts';

const push = (ref: string, defaultBranch?: string) =>
  ({ kind: 'push', ref, defaultBranch }) as const;

function news(headers: Readonly<Record<string, string>>, body: string) {
  return newsOf({ header: (name) => headers[name], body: Buffer.from(body) });
}

test.each([
  { when: 'GitHub pings', headers: { 'x-github-event': 'ping' }, body: '{}', kind: 'ping' },
  { when: 'an issue', headers: { 'x-github-event': 'issues' }, body: '{}', kind: 'other' },
  { when: 'no event at all', headers: {}, body: '{"ref":"refs/heads/main"}', kind: 'other' },
  { when: 'no JSON', headers: { 'x-github-event': 'push' }, body: 'ref=x', kind: 'unreadable' },
  { when: 'null', headers: { 'x-github-event': 'push' }, body: 'null', kind: 'unreadable' },
  { when: 'no ref', headers: { 'x-gitea-event': 'push' }, body: '{}', kind: 'unreadable' },
  {
    when: 'arrays without end',
    headers: { 'x-github-event': 'push' },
    body: '['.repeat(400_000),
    kind: 'unreadable',
  },
  { when: 'a push', headers: { 'x-forgejo-event': 'push' }, body: '{"ref":"r"}', kind: 'push' },
  {
    when: 'a tag',
    headers: { 'x-gitlab-event': 'Tag Push Hook' },
    body: '{"ref":"r"}',
    kind: 'push',
  },
])('newsOf: $when', ({ headers, body, kind }) => {
  expect(news(headers as Record<string, string>, body).kind).toBe(kind);
});

test('the default branch is where GitHub and GitLab each have it', () => {
  const github = '{"ref":"r","repository":{"default_branch":"trunk"}}';
  const gitlab = '{"ref":"r","project":{"default_branch":"trunk"},"repository":{}}';
  expect(news({ 'x-github-event': 'push' }, github)).toMatchObject({ defaultBranch: 'trunk' });
  expect(news({ 'x-gitlab-event': 'Push Hook' }, gitlab)).toMatchObject({ defaultBranch: 'trunk' });
});

test.each([
  { ref: 'refs/heads/main', followed: { branch: 'main' }, answer: true },
  { ref: 'refs/heads/main2', followed: { branch: 'main' }, answer: false },
  { ref: 'refs/tags/main', followed: { branch: 'main' }, answer: false },
  { ref: 'refs/tags/v1', followed: { tag: 'v1' }, answer: true },
  { ref: 'refs/tags/v1.2.0', followed: { semver: '^1' }, answer: true },
  { ref: 'refs/heads/v1.2.0', followed: { semver: '^1' }, answer: false },
  { ref: 'refs/heads/main', followed: { commit: '0'.repeat(40) }, answer: false },
  { ref: 'refs/heads/any', followed: undefined, answer: true },
  { ref: 'refs/tags/any', followed: undefined, answer: false },
])('a push to $ref is for who follows $followed: $answer', ({ ref, followed, answer }) => {
  expect(concerns(push(ref), followed)).toBe(answer);
});

test('who follows HEAD is told of the default branch only', () => {
  expect(concerns(push('refs/heads/trunk', 'trunk'), undefined)).toBe(true);
  expect(concerns(push('refs/heads/topic', 'trunk'), undefined)).toBe(false);
});
