import { expect, test } from 'vitest';
import type { Node } from '../../api/node.ts';
import type { Resource } from '../../api/object.ts';
import { silentLog } from '../../runtime/log.ts';
import { systemRandom } from '../../runtime/node/random.ts';
import { historyPrefix, objectKey, recordKey } from '../../runtime/store/keys.ts';
import { memoryStore } from '../../runtime/store/memory-store.ts';
import { decodeObject } from '../../runtime/store/mirror.ts';
import { type Store, UncertainError } from '../../runtime/store/store.ts';
import { Writer } from '../../runtime/store/writer.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import { identityUri } from '../../runtime/tls/authority.ts';
import {
  encodeFakeRequest,
  fakeAuthority,
  parseFakeCertificate,
} from '../../runtime/tls/fake-authority.ts';
import { createJoin, NODE_CERTIFICATE_LIFETIME_MS } from './join.ts';
import { createTokens } from './tokens.ts';

const CSR = Buffer.from(encodeFakeRequest({ publicKey: 'k1', strength: 'strong', signedBy: 'k1' }));
const WEAK = Buffer.from(encodeFakeRequest({ publicKey: 'k1', strength: 'weak', signedBy: 'k1' }));
const SPEC = { roles: ['edge'], ipv4: ['192.0.2.10'] };
const AUTHOR = { manager: 'test', user: 'test' };

function setUp(wrap: (store: Store) => Store = (store) => store) {
  const clock = virtualClock();
  const random = systemRandom();
  const store = memoryStore({ clock });
  const writer = new Writer({ store: wrap(store), clock, random, fence: () => [] });
  const tokens = createTokens({ store, writer, clock, random });
  const authority = fakeAuthority({ clock, random });
  const join = createJoin({
    store,
    writer,
    tokens,
    authority,
    addresses: ['dom:7443'],
    random,
    log: silentLog,
  });
  const tokenFor = async (node: string) =>
    (await tokens.create({ node, ttlS: 0, createdBy: 'ada' })).token;
  const node = async (name: string) => {
    const item = await store.get(objectKey({ kind: 'Node', name }));
    return item === undefined ? undefined : (decodeObject(item) as Node);
  };
  return { clock, store, writer, tokens, authority, ...join, tokenFor, node };
}

function request(
  token: string,
  overrides: { node?: string; csr?: Buffer; specJson?: string } = {},
) {
  const defaults = { node: 'london', csr: CSR, specJson: JSON.stringify(SPEC) };
  return { token, agentVersion: '1.0.0', ...defaults, ...overrides };
}

test('a new machine becomes a Node, with defaults, history and a certificate for its uid', async () => {
  const { join, tokenFor, node, store, authority, clock } = setUp();
  const response = await join(request(await tokenFor('')));
  const london = await node('london');
  expect(london?.spec).toMatchObject({ ...SPEC, ports: { http: 80 }, unschedulable: false });
  expect(london?.metadata).toMatchObject({ generation: 1, uid: response.nodeUid });
  expect(response.caPem).toBe(authority.caPem);
  const certificate = parseFakeCertificate(response.chainPem);
  expect(certificate.publicKey).toBe('k1');
  expect(certificate.uris).toEqual([
    identityUri({ kind: 'node', name: 'london', uid: response.nodeUid }),
  ]);
  expect(certificate.notAfterMs).toBe(clock.nowMs() + NODE_CERTIFICATE_LIFETIME_MS);
  const { items } = await store.list(historyPrefix({ kind: 'Node', name: 'london' }));
  expect(items).toHaveLength(1);
  expect(items[0]?.value).toContain('"manager":"join"');
  expect((await store.list(recordKey('token', ''))).items).toEqual([]);
});

test('of two machines with one token one joins (INV-35)', async () => {
  const { join, tokenFor, node } = setUp();
  const token = await tokenFor('');
  const joining = ['london', 'paris'].map((name) => join(request(token, { node: name })));
  const outcomes = await Promise.allSettled(joining);
  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect([await node('london'), await node('paris')].filter(Boolean)).toHaveLength(1);
  await expect(join(request(token, { node: 'rome' }))).rejects.toThrow('unknown or was used');
});

test('of two machines with one name one becomes the Node, the other is told', async () => {
  const { join, tokenFor } = setUp();
  const joining = [await tokenFor(''), await tokenFor('')].map((token) => join(request(token)));
  const rejected = (await Promise.allSettled(joining)).filter(
    ({ status }) => status === 'rejected',
  );
  expect(rejected).toMatchObject([{ reason: { code: 'ALREADY_EXISTS' } }]);
});

test('a known Node is joined again with a token of its own, and keeps what is declared', async () => {
  const { join, tokenFor, node } = setUp();
  const first = await join(request(await tokenFor('')));
  const before = await node('london');
  const specJson = JSON.stringify({
    roles: ['nameserver'],
    location: { latitude: 1, longitude: 2 },
  });
  await expect(join(request(await tokenFor(''), { specJson }))).rejects.toMatchObject({
    code: 'ALREADY_EXISTS',
    message: expect.stringContaining('--node london'),
  });
  const again = await join(request(await tokenFor('london'), { specJson }));
  expect(again.nodeUid).toBe(first.nodeUid);
  expect(await node('london')).toEqual(before);
});

test('a Node that is being deleted takes nobody in', async () => {
  const { join, tokenFor, node, writer } = setUp();
  await join(request(await tokenFor('')));
  const base = await node('london');
  const next = { ...base, metadata: { ...base!.metadata, finalizers: ['b8s.dev/x'] } } as Resource;
  await writer.commit([{ kind: 'replace', base: base!, next }], AUTHOR);
  const marked = (await node('london'))!;
  await writer.commit([{ kind: 'delete', base: marked }], AUTHOR);
  const joining = join(request(await tokenFor('london')));
  await expect(joining).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
});

test.each([
  { when: 'its name is no label', change: { node: 'London.uk' }, message: 'name of the node' },
  { when: 'its key is weak', change: { csr: WEAK }, message: 'weak' },
  { when: 'its spec is no JSON', change: { specJson: '{' }, message: 'not JSON' },
  { when: 'a field is unknown', change: { specJson: '{"role":[]}' }, message: 'role' },
  { when: 'its spec is huge', change: { specJson: ' '.repeat(65_537) }, message: '65536' },
])('a machine is refused when $when, which costs no token', async ({ change, message }) => {
  const { join, tokenFor, store } = setUp();
  const token = await tokenFor('');
  await expect(join(request(token, change))).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining(message),
  });
  expect((await store.list('/b8s/nodes/')).items).toEqual([]);
  await expect(join(request(token))).resolves.toMatchObject({ nodeUid: expect.any(String) });
});

test('an answer that is lost on the way to the store hands out no certificate', async () => {
  let losing = false;
  const { join, tokenFor } = setUp((store) => ({
    ...store,
    async commit(transaction) {
      const outcome = await store.commit(transaction);
      if (losing) throw new UncertainError('lost');
      return outcome;
    },
  }));
  const token = await tokenFor('');
  losing = true;
  await expect(join(request(token))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  losing = false;
  await expect(join(request(token))).rejects.toThrow('unknown or was used');
  await expect(join(request(await tokenFor('london')))).resolves.toBeDefined();
});

test('a node renews until it is removed; a namesake is somebody else', async () => {
  const { join, renew, tokenFor, node, writer } = setUp();
  const { nodeUid } = await join(request(await tokenFor('')));
  const london = { kind: 'node', name: 'london', uid: nodeUid } as const;
  const signed = await renew(london, CSR);
  expect(parseFakeCertificate(signed.chainPem).uris).toEqual([identityUri(london)]);
  const denied = { code: 'PERMISSION_DENIED' };
  await expect(renew({ ...london, uid: 'other' }, CSR)).rejects.toMatchObject(denied);
  await expect(renew({ kind: 'user', name: 'ada', role: 'admin' }, CSR)).rejects.toMatchObject(
    denied,
  );
  await expect(renew(undefined, CSR)).rejects.toMatchObject(denied);
  await writer.commit([{ kind: 'delete', base: (await node('london'))! }], AUTHOR);
  await expect(renew(london, CSR)).rejects.toThrow('was removed');
});
