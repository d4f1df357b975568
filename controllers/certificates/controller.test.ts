import { expect, test } from 'vitest';
import { condition } from '../../api/object.ts';
import type { Controller } from '../../runtime/control/controller.ts';
import { type Scene, scene } from '../test-scene.ts';
import { certificatesController } from './controller.ts';
import { defaultIssuer, ISSUE_RETRY_MS } from './plan.ts';

const DAY_MS = 86_400_000;
const BLOG = { namespace: 'default', name: 'blog' };

async function issuing(): Promise<Scene> {
  const at = await scene();
  at.start(certificatesController(at));
  await at.commit({ kind: 'create', object: defaultIssuer() });
  await at.create('Site', 'blog', { hosts: ['blog.example.com'] });
  return at;
}

function certificateIn(at: Scene) {
  const certificate = at.world.get('Certificate', BLOG);
  if (certificate === undefined) throw new Error('no certificate');
  return certificate;
}

const materialIn = (at: Scene) =>
  at.world.record('material', certificateIn(at).metadata.uid)?.value;

test('a site gets a certificate of its own, issued, sealed for it alone', async () => {
  const at = await issuing();
  const certificate = certificateIn(at);
  expect(certificate.spec.names).toEqual(['blog.example.com']);
  expect(certificate.metadata.ownerReferences?.[0]?.kind).toBe('Site');
  expect(condition(certificate, 'Ready')?.status).toBe('True');
  expect(materialIn(at)?.sealedKey).toBe(`${certificate.metadata.uid}|key 1`);
  expect(certificate.status?.fingerprint).toBe(materialIn(at)?.fingerprint);
  expect(JSON.stringify(certificate)).not.toContain('key 1');
  expect(condition(at.world.get('Issuer', { name: 'internal' })!, 'Ready')?.status).toBe('True');
  await at.end();
});

test('other hosts: the certificate follows, the old one stays until then (INV-29)', async () => {
  const at = await issuing();
  at.authority.failure = new Error('the CA is away');
  await at.configure('Site', 'blog', { hosts: ['blog.example.com', 'www.example.com'] });
  expect(certificateIn(at).spec.names).toHaveLength(2);
  expect(condition(certificateIn(at), 'Ready')).toMatchObject({
    status: 'False',
    reason: 'IssueFailed',
  });
  expect(certificateIn(at).status?.lastError).toBe('the CA is away');
  expect(materialIn(at)?.fingerprint).toBe('f1');
  at.authority.failure = undefined;
  await at.clock.advance(ISSUE_RETRY_MS);
  await at.settle();
  expect(condition(certificateIn(at), 'Ready')?.status).toBe('True');
  expect(certificateIn(at).status?.lastError).toBeUndefined();
  expect(materialIn(at)?.names).toEqual(['blog.example.com', 'www.example.com']);
  await at.end();
});

test('it is renewed in time, once, before a third of its life is left (INV-31)', async () => {
  const at = await issuing();
  const { notAfterMs, notBeforeMs } = materialIn(at)!;
  await at.clock.advance(58 * DAY_MS);
  await at.settle();
  expect(at.authority.issued).toHaveLength(1);
  await at.clock.advance(DAY_MS);
  await at.settle();
  expect(at.authority.issued).toHaveLength(2);
  expect(materialIn(at)?.notBeforeMs).toBeLessThan(notAfterMs - (notAfterMs - notBeforeMs) / 3);
  await at.end();
});

test('a failing CA is asked once an interval, not more', async () => {
  const at = await scene();
  let tries = 0;
  const { issueServer } = at.authority;
  const authority = {
    ...at.authority,
    issueServer: (request: Parameters<typeof issueServer>[0]) => {
      tries += 1;
      return tries > 3 ? issueServer(request) : Promise.reject(new Error('busy'));
    },
  };
  at.start(certificatesController({ ...at, authority }));
  await at.commit({ kind: 'create', object: defaultIssuer() });
  await at.create('Site', 'blog', { hosts: ['blog.example.com'] });
  expect(tries).toBe(1);
  await at.clock.advance(2 * ISSUE_RETRY_MS);
  expect(tries).toBe(3);
  expect(at.events.notes.map(({ reason }) => reason)).toEqual(Array(3).fill('IssueFailed'));
  await at.end();
});

test('a missing issuer is named with the mend, and its coming helps', async () => {
  const at = await scene();
  at.start(certificatesController(at));
  await at.create('Site', 'blog', { hosts: ['blog.example.com'], tls: { issuer: 'corporate' } });
  expect(condition(certificateIn(at), 'Ready')).toMatchObject({ reason: 'IssuerNotFound' });
  expect(condition(certificateIn(at), 'Ready')?.message).toContain('"corporate"');
  await at.create('Issuer', 'corporate', { ca: {} });
  expect(condition(certificateIn(at), 'Ready')?.status).toBe('True');
  await at.end();
});

test('keys of a certificate that is gone are removed, also at the start of dom', async () => {
  const at = await issuing();
  await at.remove('Site', 'blog');
  await at.remove('Certificate', 'blog');
  expect(at.world.records('material')).toEqual([]);
  await at.end();
  const restarted = await scene();
  const left = {
    chainPem: '',
    sealedKey: '',
    names: [],
    keyType: '',
    issuerUid: '',
    issuedMs: 0,
    notBeforeMs: 0,
    notAfterMs: 0,
    fingerprint: '',
    serialNumber: '',
  };
  await restarted.put('material', 'uid-of-nobody', left);
  const controller: Controller = certificatesController(restarted);
  restarted.start(controller);
  await restarted.settle();
  expect(restarted.world.records('material')).toEqual([]);
  await restarted.end();
});

test('a certificate whose key nobody can open is issued anew: no node could be given it', async () => {
  const at = await issuing();
  const [found] = at.world.records('material');
  await at.put('material', found?.[0] ?? '', found && { ...found[1].value, sealedKey: 'lost' });
  await at.settle();
  expect(at.world.records('material')[0]?.[1].value.sealedKey).toContain('key 2');
  expect(condition(certificateIn(at), 'Ready')?.status).toBe('True');
  await at.end();
});

test('a certificate that a person declared under the name of a site is left alone', async () => {
  const at = await scene();
  at.start(certificatesController(at));
  await at.commit({ kind: 'create', object: defaultIssuer() });
  await at.create('Certificate', 'blog', { names: ['*.example.com'], issuer: 'internal' });
  await at.create('Site', 'blog', { hosts: ['blog.example.com'] });
  expect(certificateIn(at).spec.names).toEqual(['*.example.com']);
  await at.end();
});

test('at the fixed point nothing is written (INV-2)', async () => {
  const at = await issuing();
  const revision = await at.revision();
  at.start(certificatesController(at));
  await at.clock.advance(DAY_MS);
  expect(await at.revision()).toBe(revision);
  await at.end();
});
