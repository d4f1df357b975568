import { request } from 'node:https';
import { afterEach, expect, test } from 'vitest';
import { operationsHandler } from '../runtime/node/plain-http.ts';
import { openTestPort, type TestPort } from '../runtime/node/test-port.ts';
import { HOOK_BYTES_MAX, withHooks } from './hook-port.ts';
import type { HookDesk } from './hooks/desk.ts';

type Taken = Parameters<HookDesk['take']>;

let port: TestPort | undefined;
afterEach(() => port?.close());

async function start(take: HookDesk['take'] = async () => ({ kind: 'asked', inMs: 0 })) {
  const taken: { readonly name: Taken[0]; readonly body: string }[] = [];
  const operations = { isServing: () => true, renderMetrics: async () => '' };
  const desk: Pick<HookDesk, 'take'> = {
    take(name, call) {
      taken.push({ name, body: Buffer.from(call.body).toString() });
      return take(name, call);
    },
  };
  port = await openTestPort({ http: withHooks(desk, operationsHandler(operations)) });
  return taken;
}

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly type?: string;
  readonly body?: string | readonly string[];
}

/** Without a client certificate, as Git hosts come. */
function ask(asked: Asked = {}): Promise<string> {
  const { method = 'POST', path = '/hooks/default/infra', body = '{}' } = asked;
  const { type = 'application/json' } = asked;
  const pieces = typeof body === 'string' ? [body] : body;
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...{ host: '127.0.0.1', port: port?.port.port, path, method, rejectUnauthorized: false },
        headers: { 'content-type': type, 'x-test': 'yes' },
      },
      (response) => {
        let text = '';
        response.on('data', (piece) => (text += String(piece)));
        response.once('end', () => resolve(`${response.statusCode} ${text.trim()}`));
      },
    );
    sent.once('error', reject);
    for (const piece of pieces) sent.write(piece);
    sent.end();
  });
}

test('a call goes to the desk with its body, byte for byte', async () => {
  const taken = await start();
  expect(await ask({ body: ['{"a": ', '"ä"}\n'] })).toBe('202 dom looks');
  expect(taken).toEqual([{ name: { namespace: 'default', name: 'infra' }, body: '{"a": "ä"}\n' }]);
});

test.each<Asked & { readonly when: string; readonly answer: RegExp }>([
  { when: 'it is a GET', method: 'GET', body: [], answer: /^405 / },
  { when: 'it is a form', type: 'application/x-www-form-urlencoded', answer: /^415 choose/ },
  { when: 'it is too long', body: 'x'.repeat(HOOK_BYTES_MAX + 1), answer: /^413 / },
  {
    when: 'it is too long, and does not say so',
    body: ['x'.repeat(HOOK_BYTES_MAX), 'x'],
    answer: /^413 /,
  },
  { when: 'the path goes on', path: '/hooks/default/infra/x', answer: /^405|^404/ },
  { when: 'the path has no name', path: '/hooks/default', answer: /^405|^404/ },
  { when: 'the name is none', path: '/hooks/default/..%2f', answer: /^405|^404/ },
])('nobody is asked when $when', async ({ answer, ...asked }) => {
  const taken = await start();
  expect(await ask(asked)).toMatch(answer);
  expect(taken).toEqual([]);
});

test.each([
  { outcome: { kind: 'asked', inMs: 2_500 } as const, answer: '202 dom looks in 3 s' },
  { outcome: { kind: 'idle', why: 'pong' } as const, answer: '200 pong' },
  { outcome: { kind: 'unreadable' } as const, answer: '400 the body is not a push as JSON' },
  {
    outcome: { kind: 'refused' } as const,
    answer: '401 this is no webhook of a Repository, or not signed with its secret',
  },
])('$answer', async ({ outcome, answer }) => {
  await start(async () => outcome);
  expect(await ask()).toBe(answer);
});

test('who cannot ask the store says so, and no more', async () => {
  await start(() => Promise.reject(new Error('etcd at 10.0.0.1: secret')));
  expect(await ask()).toBe('503 the store of dom is away');
});

test('a body that breaks off is nobody’s', async () => {
  const taken = await start();
  const options = {
    ...{ host: '127.0.0.1', port: port?.port.port, path: '/hooks/default/infra', method: 'POST' },
    ...{ rejectUnauthorized: false },
    headers: { 'content-type': 'application/json', 'content-length': '100' },
  };
  const sent = request(options);
  const over = new Promise<unknown>((resolve) => sent.once('error', resolve));
  await new Promise<void>((resolve) => {
    sent.write('{"a":', () => resolve());
  });
  sent.destroy(new Error('broken'));
  await over;
  // The next one is served: nothing is held up.
  expect(await ask({ body: '{"b":1}' })).toBe('202 dom looks');
  expect(taken.map(({ body }) => body)).toEqual(['{"b":1}']);
});

test('a query changes nothing', async () => {
  const taken = await start();
  expect(await ask({ path: '/hooks/default/infra?x=1' })).toBe('202 dom looks');
  expect(taken).toHaveLength(1);
});
