import { expect, test } from 'vitest';
import { gitUrlProblem } from './repository-rules.ts';
import { validateObject } from './validate.ts';

test.each([
  'https://git.example.com/a.git',
  'https://git.example.com:8443/group/a',
  'ssh://git@git.example.com/a.git',
  'ssh://git@[2001:db8::1]:2222/a.git',
  'git://git.example.com/a.git',
  'file:///srv/git/a.git',
  'http://127.0.0.1:8080/a.git',
])('%s may be followed', (url) => expect(gitUrlProblem(url)).toBeUndefined());

test.each([
  { url: 'git@github.com:b8s/site.git', says: 'must be a URL: ssh://git@github.com/b8s/site.git' },
  { url: 'https://user:hunter2@git.example.com/a.git', says: /holds a password/ },
  { url: 'https://user@git.example.com/a.git', says: /names a user/ },
  { url: 'http://git.example.com/a.git', says: /must be https/ },
  { url: 'ext::sh -c id', says: /must be a URL/ },
  { url: 'ftp://git.example.com/a.git', says: /no protocol that dom speaks/ },
  { url: 'ssh://-oProxyCommand=id/a.git', says: /./ },
  { url: 'https://git.example.com', says: /names no repository/ },
  { url: 'https://git.example.com/a b', says: /must be a URL/ },
  { url: '--upload-pack=id', says: /must be a URL/ },
  { url: 'file://host/a', says: /folder of this machine/ },
  { url: '', says: /must be a URL/ },
])('$url may not', ({ url, says }) => {
  if (typeof says === 'string') expect(gitUrlProblem(url)).toBe(says);
  else expect(gitUrlProblem(url)).toMatch(says);
});

test.each<{ readonly spec: object; readonly says: readonly string[] }>([
  { spec: {}, says: [] },
  { spec: { ref: { branch: 'feature/x' }, path: 'deploy', interval: '30s' }, says: [] },
  {
    spec: { ref: { branch: 'a', tag: 'b' } },
    says: ['spec.ref says branch and tag; keep one of them'],
  },
  {
    spec: { ref: { branch: 'refs/heads/main' } },
    says: ['spec.ref.branch "refs/heads/main": leave "refs/…/" out: main'],
  },
  {
    spec: { ref: { branch: '-u' } },
    says: ['spec.ref.branch "-u": is no name that Git allows, e.g. main'],
  },
  {
    spec: { ref: { tag: 'a..b' } },
    says: ['spec.ref.tag "a..b": is no name that Git allows, e.g. main'],
  },
  {
    spec: { ref: { semver: 'latest' } },
    says: ['spec.ref.semver "latest": must be a range of versions, e.g. ^1.2'],
  },
  {
    spec: { path: '../up' },
    says: ['spec.path "../up": leads out of the repository; name a folder in it'],
  },
  {
    spec: { path: '/etc' },
    says: ['spec.path "/etc": must be relative to the root of the repository, e.g. deploy'],
  },
  { spec: { interval: '1s' }, says: ['spec.interval "1s": must be 10s to 1d'] },
  {
    spec: { timeout: 'soon' },
    says: ['spec.timeout "soon": must be a duration, e.g. 5m, 90s or 1h'],
  },
  {
    spec: { dependsOn: ['infra'] },
    says: ['spec.dependsOn[0] "infra": is this repository itself; leave it out'],
  },
])('a Repository with $spec', ({ spec, says }) => {
  const url = 'https://git.example.com/a.git';
  const judged = validateObject({
    ...{ apiVersion: 'b8s.dev/v1', kind: 'Repository', metadata: { name: 'infra' } },
    spec: { url, ...spec },
  });
  const violations = judged.kind === 'invalid' ? judged.violations : [];
  expect(violations.map(({ path, message }) => `${path} ${message}`)).toEqual(says);
});
