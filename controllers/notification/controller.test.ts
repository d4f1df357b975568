import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { condition } from '../../api/object.ts';
import { TEST_REQUESTED } from '../../api/requests.ts';
import type { Mail } from '../../runtime/mailer.ts';
import type { Posted, Posting } from '../../runtime/poster.ts';
import { secretContext } from '../../runtime/secret/secrets.ts';
import { standardSignature } from '../../runtime/standard-webhook.ts';
import type { Store } from '../../runtime/store/store.ts';
import { Writer } from '../../runtime/store/writer.ts';
import { type Scene, scene } from '../test-scene.ts';
import { notificationController } from './controller.ts';

const URL = 'https://hooks.example.com/b8s';

let at: Scene;
let posted: Posting[];
let mailed: Mail[];
let answer: () => Promise<Posted>;

beforeEach(async () => {
  at = await scene();
  posted = [];
  mailed = [];
  answer = async () => ({ status: 200, text: '' });
});
afterEach(() => at.end());

/** As a dom that begins to lead; the one before is over, or stalled in a call. */
function start(store: Pick<Store, 'commit'> = at.store): void {
  at.start(
    notificationController({
      ...at,
      writer: new Writer({ ...at, store, fence: () => [] }),
      ways: {
        poster: {
          post(posting) {
            posted.push(posting);
            return answer();
          },
        },
        mailer: {
          async send(mail) {
            mailed.push(mail);
          },
        },
      },
    }),
  );
}

async function secret(name: string, data: Readonly<Record<string, string>>): Promise<void> {
  const sealed = Object.entries(data).map(([key, value]) => {
    const context = secretContext({ namespace: 'default', name, key });
    return [key, at.sealer.seal(value, context)] as const;
  });
  await at.create('Secret', name, { data: Object.fromEntries(sealed) });
}

let happened = 0;
async function happens(more: object = {}, regarding: object = {}): Promise<string> {
  happened += 1;
  const time = new Date(at.clock.nowMs()).toISOString();
  const name = `event-${happened}`;
  await at.create('Event', name, {
    regarding: { kind: 'Site', namespace: 'default', name: 'blog', uid: 'u', ...regarding },
    ...{ type: 'Warning', reason: 'NotReady', message: `message ${happened}` },
    ...{ source: { component: 'test' }, count: 1, firstTime: time, lastTime: time },
    ...more,
  });
  await pass(100);
  return `message ${happened}`;
}

async function counted(name: string, count: number): Promise<void> {
  await at.configure('Event', name, { count });
  await pass(100);
}

/** In steps, so that what is due happens in order. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) await at.clock.advance(Math.min(left, 500));
}

/** Messages of the events that were told of, one list for each posting. */
const told = (): readonly (readonly string[])[] =>
  posted.map(({ body }) => {
    const { events } = JSON.parse(body) as { events: { message: string }[] };
    return events.map(({ message }) => message);
  });

const status = () => at.world.get('Notification', { namespace: 'default', name: 'ops' })?.status;
const ready = (): string => {
  const notification = at.world.get('Notification', { namespace: 'default', name: 'ops' });
  const found = notification && condition(notification, 'Ready');
  return `${found?.status} ${found?.reason}: ${found?.message}`;
};

test('what happens is told once, and what happened before is not', async () => {
  await happens();
  await at.create('Notification', 'ops', { webhook: { url: URL } });
  start();
  await pass(1_000);
  expect(posted).toEqual([]);
  expect(ready()).toBe('True Listening: tells by webhook; 0 messages were taken');
  const first = await happens();
  expect(told()).toEqual([[first]]);
  expect(posted[0]).toMatchObject({ url: URL, headers: { 'content-type': 'application/json' } });
  await pass(86_400_000 / 24);
  expect(posted).toHaveLength(1);
  expect(ready()).toBe('True Taken: tells by webhook; 1 messages were taken');
  expect(status()?.lastSent).toBeDefined();
});

test('the same that happens again within its hour is not told again', async () => {
  await at.create('Notification', 'ops', { webhook: { url: URL } });
  start();
  await happens();
  const name = `event-${happened}`;
  await pass(60_000);
  await counted(name, 2);
  await counted(name, 7);
  await pass(60_000);
  expect(posted).toHaveLength(1);
});

test('what happens within the interval is one message, warnings first, and bounded', async () => {
  await at.create('Notification', 'ops', {
    ...{ webhook: { url: URL }, interval: '30s' },
    events: { type: 'All' },
  });
  start();
  const first = await happens();
  const normal = await happens({ type: 'Normal' });
  const warning = await happens();
  expect(told()).toEqual([[first]]);
  await pass(31_000);
  expect(told()).toEqual([[first], [warning, normal]]);
  for (let n = 0; n < 30; n += 1) await happens();
  await pass(31_000);
  expect(told()[2]).toHaveLength(20);
  expect(JSON.parse(posted[2]?.body ?? '{}')).toMatchObject({ more: 10 });
});

test('what is not taken is tried again under the same id, with a wait in between that grows', async () => {
  await at.create('Notification', 'ops', { webhook: { url: URL } });
  start();
  await pass(1_000);
  answer = async () => ({ status: 503, text: '' });
  const message = await happens();
  expect(ready()).toBe(
    'False NotTaken: a message was not taken, 1 times in a row: hooks.example.com answered 503',
  );
  expect(status()?.nextTry).toBeDefined();
  await pass(600_000);
  const tries = posted.length;
  expect(tries).toBeGreaterThan(4);
  expect(tries).toBeLessThan(12);
  answer = async () => ({ status: 204, text: '' });
  await pass(900_000);
  expect(posted.length).toBe(tries + 1);
  expect(new Set(told().flat())).toEqual(new Set([message]));
  expect(new Set(posted.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect(ready()).toMatch(/^True Taken/);
  expect(status()?.lastError).toBeUndefined();
  expect(at.events.notes.map(({ reason }) => reason)).toContain('NotTaken');
});

test('who asks for patience gets it, but not for ever', async () => {
  await at.create('Notification', 'ops', { webhook: { url: URL } });
  start();
  await pass(1_000);
  answer = async () => ({ status: 429, text: '', retryAfterMs: 1_800_000 });
  await happens();
  await pass(1_700_000);
  expect(posted).toHaveLength(1);
  answer = async () => ({ status: 429, text: '', retryAfterMs: 1e12 });
  await pass(200_000);
  expect(posted).toHaveLength(2);
  answer = async () => ({ status: 200, text: '' });
  await pass(3_700_000);
  expect(posted).toHaveLength(3);
});

test('a dom that leads next goes on where this one was', async () => {
  await at.create('Notification', 'ops', { webhook: { url: URL } });
  start();
  await pass(1_000);
  const before = await happens();
  start();
  await pass(60_000);
  expect(told()).toEqual([[before]]);
});

test('what is sent and cannot be written down is not sent again by the same dom', async () => {
  await at.create('Notification', 'ops', { webhook: { url: URL } });
  let isAway = false;
  start({
    commit: (transaction) =>
      isAway ? Promise.reject(new Error('away')) : at.store.commit(transaction),
  });
  await pass(1_000);
  answer = async () => {
    isAway = true;
    return { status: 200, text: '' };
  };
  await happens();
  await pass(30_000);
  isAway = false;
  await pass(120_000);
  expect(posted).toHaveLength(1);
  expect(ready()).toMatch(/^True Taken/);
});

test('a dom that dies before it has written it down: the next one sends it again, under the same id', async () => {
  await at.create('Notification', 'ops', { webhook: { url: URL } });
  let isDead = false;
  start({
    commit: (transaction) => (isDead ? new Promise(() => undefined) : at.store.commit(transaction)),
  });
  await pass(1_000);
  answer = async () => {
    isDead = true;
    return { status: 200, text: '' };
  };
  const message = await happens();
  answer = async () => ({ status: 200, text: '' });
  start();
  await pass(60_000);
  expect(told()).toEqual([[message], [message]]);
  const [first, second] = posted.map(({ headers }) => headers['webhook-id']);
  expect(second).toBe(first);
});

test('who asks for more than before is not told of what is long over', async () => {
  await at.create('Notification', 'ops', { webhook: { url: URL }, interval: '30s' });
  start();
  await pass(1_000);
  await happens({ type: 'Normal' });
  await pass(600_000);
  const first = await happens();
  const waiting = await happens();
  await at.configure('Notification', 'ops', {
    events: { type: 'All', kinds: [], names: [], namespaces: [], reasons: [], selector: '' },
  });
  await pass(60_000);
  expect(told()).toEqual([[first], [waiting]]);
});

test('a server that never answers holds up nobody else', async () => {
  await at.create('Notification', 'slow', { webhook: { url: URL } });
  await at.create('Notification', 'ops', {
    email: { host: 'mail.example.com', from: 'b8s@example.com', to: ['ops@example.com'] },
  });
  start();
  await pass(1_000);
  answer = () => new Promise(() => undefined);
  const message = await happens();
  expect(mailed.map(({ text }) => text)).toEqual([expect.stringContaining(message)]);
  await pass(20_000);
  const slow = at.world.get('Notification', { namespace: 'default', name: 'slow' });
  expect(slow?.status?.lastError).toBe('no answer within 15000 ms');
});

describe('dead servers', () => {
  const isDead = ({ url }: Posting): boolean => url.includes('dead');

  /** Messages that ops was told of. */
  const ops = (): readonly string[] => {
    const bodies = posted.filter((each) => !isDead(each)).map(({ body }) => body);
    return bodies.flatMap((body) => {
      const { events } = JSON.parse(body) as { events: { message: string }[] };
      return events.map(({ message }) => message);
    });
  };

  test.each([
    { when: 'a hundred', dead: (n: number) => `https://dead-${n}.test/`, count: 100 },
    { when: 'some paths of the same server', dead: (n: number) => `${URL}/dead/${n}`, count: 9 },
  ])('$when hold up nobody whose own answers', async ({ dead, count }) => {
    for (let n = 0; n < count; n += 1)
      await at.create('Notification', `dead-${n}`, { webhook: { url: dead(n) } });
    await at.create('Notification', 'ops', { webhook: { url: URL }, interval: '1s' });
    answer = async () => {
      const last = posted.at(-1);
      if (last !== undefined && isDead(last)) await new Promise(() => undefined);
      return { status: 200, text: '' };
    };
    start();
    await pass(1_000);
    // Of the first time nobody can know.
    const first = await happens();
    await pass(60_000);
    expect(ops()).toEqual([first]);
    for (let n = 0; n < 20; n += 1) {
      const message = await happens();
      await pass(2_000);
      // At once, whatever else is on its way.
      expect(ops().at(-1)).toBe(message);
    }
  });
});

test('one that is taken away while its message is on its way leaves nothing, and its successor tells', async () => {
  await at.create('Notification', 'ops', { webhook: { url: URL } });
  start();
  await pass(1_000);
  answer = () => new Promise(() => undefined);
  await happens();
  await at.remove('Notification', 'ops');
  await at.create('Notification', 'ops', { webhook: { url: `${URL}/new` } });
  answer = async () => ({ status: 200, text: '' });
  await pass(20_000);
  const message = await happens();
  expect(posted.at(-1)?.url).toBe(`${URL}/new`);
  expect(told().at(-1)).toEqual([message]);
  expect(at.world.records('notification')).toHaveLength(1);
  expect(ready()).toBe('True Taken: tells by webhook; 1 messages were taken');
});

test('a dom that stops ends what is on its way', async () => {
  await at.create('Notification', 'ops', { webhook: { url: URL } });
  start();
  await pass(1_000);
  answer = () => new Promise(() => undefined);
  await happens();
  await at.end();
  await at.clock.advance(60_000);
  expect(posted).toHaveLength(1);
});

describe('secrets', () => {
  const LINK = 'https://hooks.slack.com/services/T0/B0/very-secret';

  test('of Slack the whole URL is one, and is shown nowhere', async () => {
    await at.create('Notification', 'ops', { slack: { secretRef: 'slack' } });
    start();
    await pass(1_000);
    expect(ready()).toBe('False SecretMissing: Secret default/slack is not there');
    await happens({ message: 'a < b & c' });
    await secret('slack', { url: LINK });
    await pass(1_000);
    expect(posted.map(({ url }) => url)).toEqual([LINK]);
    expect(JSON.parse(posted[0]?.body ?? '')).toEqual({
      text: '*b8s warning: Site/default/blog NotReady*\nWarning Site/default/blog NotReady: a &lt; b &amp; c',
    });
    answer = () => Promise.reject(new Error(`cannot reach ${LINK}`));
    await pass(10_000);
    await happens();
    expect(status()?.lastError).toBe('cannot reach (sealed)');
    const records = JSON.stringify(at.world.records('notification').map(([, { value }]) => value));
    expect(records + JSON.stringify(at.events.notes)).not.toContain('very-secret');
  });

  test('a webhook is signed as Standard Webhooks are, and shows its token', async () => {
    await secret('hook', { secret: 'key', token: 'abc' });
    await at.create('Notification', 'ops', { webhook: { url: URL, secretRef: 'hook' } });
    start();
    await pass(1_000);
    await happens();
    const [{ headers, body } = { headers: {} as Record<string, string>, body: '' }] = posted;
    const { 'webhook-id': id = '', 'webhook-timestamp': time = '' } = headers;
    expect(headers['webhook-signature']).toBe(standardSignature('key', { id, time }, body));
    expect(headers['authorization']).toBe('Bearer abc');
  });

  test.each([
    { when: 'it begins another header', data: { token: 'a\r\nhost: evil' }, url: URL },
    {
      when: 'its URL is of a machine in the clear',
      data: { url: 'http://192.0.2.1/' },
      url: undefined,
    },
    { when: 'its URL is a file', data: { url: 'file:///etc/passwd' }, url: undefined },
  ])('nothing is sent when $when', async ({ data, url }) => {
    await secret('hook', data as Record<string, string>);
    await at.create('Notification', 'ops', { webhook: { ...(url && { url }), secretRef: 'hook' } });
    start();
    await pass(1_000);
    await happens();
    expect(posted).toEqual([]);
    expect(ready()).toMatch(/^False NotTaken/);
  });

  test('one that is mended is used at once', async () => {
    await secret('hook', { url: URL });
    await at.create('Notification', 'ops', { webhook: { secretRef: 'hook' } });
    start();
    await pass(1_000);
    answer = async () => ({ status: 401, text: '' });
    await happens();
    await pass(200_000);
    answer = async () => ({ status: 200, text: '' });
    const before = posted.length;
    const context = secretContext({ namespace: 'default', name: 'hook', key: 'url' });
    await at.configure('Secret', 'hook', { data: { url: at.sealer.seal(`${URL}/2`, context) } });
    await pass(500);
    expect(posted.slice(before).map(({ url }) => url)).toEqual([`${URL}/2`]);
  });
});

test('ntfy is told as JSON, at the root of its server', async () => {
  await at.create('Notification', 'ops', { ntfy: { url: 'https://ntfy.sh/my-topic' } });
  start();
  await pass(1_000);
  await happens({ message: 'ü'.repeat(4_000) });
  expect(posted[0]?.url).toBe('https://ntfy.sh/');
  const body = JSON.parse(posted[0]?.body ?? '') as { topic: string; message: string };
  expect(body).toMatchObject({ topic: 'my-topic', priority: 4, tags: ['warning'] });
  expect(Buffer.byteLength(body.message)).toBeLessThan(4_096);
});

test('a test message is sent for each request, once', async () => {
  await at.create(
    'Notification',
    'ops',
    { webhook: { url: URL } },
    {
      annotations: { [TEST_REQUESTED]: 'before' },
    },
  );
  start();
  await pass(1_000);
  expect(posted).toEqual([]);
  const base = at.world.get('Notification', { namespace: 'default', name: 'ops' });
  if (base === undefined) throw new Error('no Notification');
  const metadata = { ...base.metadata, annotations: { [TEST_REQUESTED]: 'now' } };
  await at.commit({ kind: 'replace', base, next: { ...base, metadata } });
  await pass(60_000);
  expect(told()).toEqual([['a test message that somebody asked for']]);
});

test('of itself it tells nothing, and nothing is left of it when it is gone', async () => {
  await at.create('Notification', 'ops', { webhook: { url: URL } });
  start();
  await pass(1_000);
  const own = at.world.get('Notification', { namespace: 'default', name: 'ops' });
  await happens({}, { kind: 'Notification', name: 'ops', uid: own?.metadata.uid });
  expect(posted).toEqual([]);
  await at.remove('Notification', 'ops');
  await pass(1_000);
  expect(at.world.records('notification')).toEqual([]);
});

test('at rest nothing is written', async () => {
  await at.create('Notification', 'ops', { webhook: { url: URL } });
  start();
  await happens();
  await pass(60_000);
  const revision = await at.revision();
  await pass(7_200_000);
  expect(await at.revision()).toBe(revision);
});
