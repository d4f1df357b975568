import { expect, test } from 'vitest';
import { kinds } from './kinds.ts';
import { REGARDED_KINDS } from './notification-rules.ts';
import type { Resource } from './object.ts';
import { validateObject } from './validate.ts';

function problems(spec: object): readonly string[] {
  const object = {
    ...{ apiVersion: 'b8s.dev/v1', kind: 'Notification', metadata: { name: 'ops' }, spec },
  } as unknown as Resource;
  const validation = validateObject(object);
  return validation.kind === 'valid'
    ? []
    : validation.violations.map(({ path, message }) => `${path} ${message}`);
}

const email = { host: 'mail.example.com', from: 'b8s@example.com', to: ['ops@example.com'] };

test.each([
  { webhook: { url: 'https://example.com/hook' } },
  { webhook: { secretRef: 'hook' } },
  { webhook: { url: 'http://127.0.0.1:8080/' } },
  { slack: { secretRef: 'slack' } },
  { ntfy: { url: 'https://ntfy.example.com/a/my_topic-1' } },
  { email },
  { email: { ...email, security: 'none', host: 'localhost', port: 25 } },
  { email, events: { type: 'All', selector: 'app in (a,b)', namespaces: ['*'] } },
])('%j is right', (spec) => {
  expect(problems(spec)).toEqual([]);
});

test.each([
  { spec: {}, problem: /^spec says no way to tell; write one of webhook, slack, ntfy, email/ },
  { spec: { email, slack: { secretRef: 's' } }, problem: /^spec says slack and email; keep one/ },
  { spec: { webhook: {} }, problem: /^spec\.webhook needs a url, or a secretRef/ },
  { spec: { webhook: { url: 'http://example.com/' } }, problem: /must be https/ },
  { spec: { webhook: { url: 'http://127.0.0.1.example.com/' } }, problem: /must be https/ },
  { spec: { webhook: { url: 'https://a:b@example.com/' } }, problem: /names a user/ },
  { spec: { webhook: { url: 'file:///etc/passwd' } }, problem: /must be https/ },
  { spec: { webhook: { url: 'gopher' } }, problem: /must be a URL/ },
  { spec: { webhook: { url: 'https://e.com/', secretRef: 'A b' } }, problem: /secretRef/ },
  { spec: { ntfy: { url: 'https://ntfy.sh/' } }, problem: /must end with the topic/ },
  { spec: { ntfy: { url: 'https://ntfy.sh/a b' } }, problem: /must be a URL/ },
  { spec: { email: { ...email, security: 'none' } }, problem: /may be none on this machine only/ },
  { spec: { email: { ...email, from: 'b8s' } }, problem: /must be a mail address/ },
  {
    spec: { email: { ...email, to: ['a@b.c, d@e.f'] } },
    problem: /to\[0\].*must be a mail address/,
  },
  { spec: { email: { ...email, to: [] } }, problem: /to/ },
  { spec: { email: { ...email, host: 'a b' } }, problem: /must be a host name/ },
  { spec: { email, events: { kinds: ['Sites'] } }, problem: /kinds\[0\] "Sites": is not a kind/ },
  { spec: { email, interval: '0s' }, problem: /must be 1s to 1d/ },
  { spec: { email, events: { selector: 'a=b=c' } }, problem: /selector/ },
])('$spec is refused', ({ spec, problem }) => {
  const found = problems(spec);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(problem);
});

test('Events can be of any kind but their own', () => {
  const names = kinds.map(({ kind }) => kind).filter((kind) => kind !== 'Event');
  expect([...REGARDED_KINDS]).toEqual(names);
});
