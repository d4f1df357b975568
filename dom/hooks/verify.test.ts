import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { verifyHook } from './verify.ts';

const NOW_MS = 1_800_000_000_000;
const SECRET = "It's a Secret to Everybody";

type Headers = Readonly<Record<string, string>>;

function verify(headers: Headers, body: string, secret = SECRET) {
  const call = { header: (name: string) => headers[name], body: Buffer.from(body) };
  return verifyHook(call, secret, NOW_MS);
}

const hex = (body: string, secret = SECRET): string =>
  createHmac('sha256', secret).update(body).digest('hex');

/** As the Standard Webhooks specification signs. */
function standard(body: string, more: Headers = {}, key: string | Buffer = SECRET): Headers {
  const id = 'msg_1';
  const time = String(NOW_MS / 1000);
  const headers = { 'webhook-id': id, 'webhook-timestamp': time, ...more };
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const signature = createHmac('sha256', key).update(signed).digest('base64');
  return { ...headers, 'webhook-signature': `v1,${signature}`, ...more };
}

test('the value that GitHub gives to test with is genuine', () => {
  // docs.github.com, "Validating webhook deliveries", "Testing the webhook payload validation".
  const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
  const verdict = verify({ 'x-hub-signature-256': signature }, 'Hello, World!');
  expect(verdict.kind).toBe('genuine');
});

describe('genuine', () => {
  test.each<{ when: string; headers: Headers; secret?: string }>([
    { when: 'GitHub signs', headers: { 'x-hub-signature-256': `sha256=${hex('b')}` } },
    { when: 'Gitea signs', headers: { 'x-gitea-signature': hex('b') } },
    { when: 'Forgejo signs', headers: { 'x-forgejo-signature': hex('b') } },
    { when: 'GitLab shows its token', headers: { 'x-gitlab-token': SECRET } },
    { when: 'GitLab signs', headers: standard('b') },
    {
      when: 'one of several signatures is right',
      headers: {
        ...standard('b'),
        'webhook-signature': `v1,x ${standard('b')['webhook-signature']}`,
      },
    },
    {
      when: 'the key is written as Standard Webhooks does',
      headers: standard('b', {}, Buffer.from('key')),
      secret: `whsec_${Buffer.from('key').toString('base64')}`,
    },
    {
      when: 'the clock of who signs is five minutes behind',
      headers: standard('b', { 'webhook-timestamp': String(NOW_MS / 1000 - 300) }),
    },
  ])('$when', ({ headers, secret }) => {
    expect(verify(headers, 'b', secret).kind).toBe('genuine');
  });
});

describe('refused', () => {
  test.each<{ when: string; headers: Headers }>([
    { when: 'nothing is shown', headers: {} },
    { when: 'the signature is empty', headers: { 'x-hub-signature-256': '' } },
    { when: 'the body is another', headers: { 'x-hub-signature-256': `sha256=${hex('a')}` } },
    { when: 'the secret is another', headers: { 'x-gitea-signature': hex('b', 'guess') } },
    { when: 'only SHA-1 is shown', headers: { 'x-hub-signature': 'sha1=00' } },
    { when: 'the prefix is missing', headers: { 'x-hub-signature-256': hex('b') } },
    { when: 'the token is another', headers: { 'x-gitlab-token': `${SECRET} ` } },
    { when: 'the token is empty', headers: { 'x-gitlab-token': '' } },
    {
      when: 'a wrong signature comes with a right one of another kind',
      headers: { 'x-forgejo-signature': 'no', 'x-gitea-signature': hex('b') },
    },
    {
      when: 'it was signed more than five minutes ago',
      headers: standard('b', { 'webhook-timestamp': String(NOW_MS / 1000 - 301) }),
    },
    {
      when: 'it was signed in the future',
      headers: standard('b', { 'webhook-timestamp': String(NOW_MS / 1000 + 301) }),
    },
    { when: 'the time is no number', headers: standard('b', { 'webhook-timestamp': '1e9' }) },
    { when: 'the id is empty', headers: standard('b', { 'webhook-id': '' }) },
    { when: 'the id was changed', headers: { ...standard('b'), 'webhook-id': 'msg_2' } },
  ])('$when', ({ headers }) => {
    expect(verify(headers, 'b')).toEqual({ kind: 'refused' });
  });
});

test('who sends it again with another id, which is not signed, is known all the same', () => {
  const signature = `sha256=${hex('b')}`;
  const first = verify({ 'x-hub-signature-256': signature, 'x-github-delivery': '1' }, 'b');
  const again = verify({ 'x-hub-signature-256': signature, 'x-github-delivery': '2' }, 'b');
  expect(again).toEqual(first);
  expect(verify({ 'x-hub-signature-256': `sha256=${hex('c')}` }, 'c')).not.toEqual(first);
});
