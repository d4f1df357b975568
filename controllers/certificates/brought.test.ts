import { expect, test } from 'vitest';
import { condition } from '../../api/object.ts';
import { secretContext } from '../../runtime/secret/secrets.ts';
import { fakeAuthority } from '../../runtime/tls/fake-authority.ts';
import { type Scene, scene } from '../test-scene.ts';
import { certificatesController } from './controller.ts';
import { defaultIssuer } from './plan.ts';

const DAY_MS = 86_400_000;
const BLOG = { namespace: 'default', name: 'blog' };

interface Pair {
  readonly chainPem: string;
  readonly keyPem: string;
}

/** A Certificate that is brought, and means to bring others. */
async function bringing(spec: object = {}): Promise<
  Scene & {
    bring(pair: Pair): Promise<void>;
    made(names: readonly string[], lifetimeMs?: number): Promise<Pair>;
  }
> {
  const at = await scene();
  const ca = fakeAuthority({ clock: at.clock, random: at.random });
  at.start(certificatesController(at));
  await at.create('Certificate', 'blog', { names: ['blog.example.com'], secret: 'own', ...spec });
  return Object.assign(at, {
    made: (names: readonly string[], lifetimeMs = 90 * DAY_MS) =>
      ca.issueServer({ names, keyType: 'ecdsa-p256' as const, lifetimeMs }),
    async bring({ chainPem, keyPem }: Pair) {
      const seal = (key: string, text: string) =>
        at.sealer.seal(text, secretContext({ namespace: 'default', name: 'own', key }));
      const data = { 'tls.crt': seal('tls.crt', chainPem), 'tls.key': seal('tls.key', keyPem) };
      const isThere = at.world.get('Secret', { namespace: 'default', name: 'own' }) !== undefined;
      if (isThere) await at.configure('Secret', 'own', { data });
      else await at.create('Secret', 'own', { data });
      await at.settle();
    },
  });
}

function certificateIn(at: Scene) {
  const certificate = at.world.get('Certificate', BLOG);
  if (certificate === undefined) throw new Error('no certificate');
  return certificate;
}

const readyIn = (at: Scene) => condition(certificateIn(at), 'Ready');
const materialIn = (at: Scene) =>
  at.world.record('material', certificateIn(at).metadata.uid)?.value;

test('what is in the Secret is served, its key sealed for the Certificate alone', async () => {
  const at = await bringing();
  expect(readyIn(at)).toMatchObject({ status: 'False', reason: 'SecretNotFound' });
  expect(readyIn(at)?.message).toContain('b8sctl create secret tls own');
  const pair = await at.made(['*.example.com', 'example.com']);
  await at.bring(pair);
  expect(readyIn(at)).toMatchObject({ status: 'True', reason: 'Brought' });
  expect(materialIn(at)?.chainPem).toBe(pair.chainPem);
  expect(materialIn(at)?.sealedKey).toBe(
    at.sealer.seal(pair.keyPem, certificateIn(at).metadata.uid),
  );
  expect(certificateIn(at).status?.renewalTime).toBeUndefined();
  expect(at.authority.issued).toEqual([]);
  await at.end();
});

test('a new one takes its place, and the same one again changes nothing (INV-2)', async () => {
  const at = await bringing();
  await at.bring(await at.made(['blog.example.com']));
  const before = materialIn(at)?.fingerprint;
  const next = await at.made(['blog.example.com']);
  await at.bring(next);
  expect(materialIn(at)?.fingerprint).not.toBe(before);
  const revision = await at.revision();
  await at.clock.advance(DAY_MS);
  expect(await at.revision()).toBe(revision);
  await at.end();
});

test.each([
  {
    when: 'it is for another name',
    of: async (at: Awaited<ReturnType<typeof bringing>>) => at.made(['shop.example.com']),
    reason: 'SecretUnfit',
    says: 'is for shop.example.com, not for blog.example.com',
  },
  {
    when: 'the key is of another',
    of: async (at: Awaited<ReturnType<typeof bringing>>) => {
      const [one, other] = [
        await at.made(['blog.example.com']),
        await at.made(['blog.example.com']),
      ];
      return { chainPem: one.chainPem, keyPem: other.keyPem };
    },
    reason: 'SecretUnfit',
    says: 'key',
  },
  {
    when: 'it has ended',
    of: async (at: Awaited<ReturnType<typeof bringing>>) => {
      const made = await at.made(['blog.example.com'], 1000);
      await at.clock.advance(2_000);
      return made;
    },
    reason: 'SecretUnfit',
    says: 'the certificate ended at',
  },
  {
    when: 'it is no certificate',
    of: async () => ({ chainPem: 'nonsense', keyPem: 'nonsense' }),
    reason: 'SecretUnreadable',
    says: 'tls.crt',
  },
])('the one in use stays when $when (INV-29)', async ({ of, reason, says }) => {
  const at = await bringing();
  await at.bring(await at.made(['blog.example.com']));
  const before = materialIn(at)?.fingerprint;
  await at.bring(await of(at));
  expect(readyIn(at)).toMatchObject({ status: 'False', reason });
  expect(readyIn(at)?.message).toContain(says);
  expect(readyIn(at)?.message).toContain('goes on being served');
  expect(materialIn(at)?.fingerprint).toBe(before);
  await at.end();
});

test('as its end nears a person is told, for nothing renews it', async () => {
  const at = await bringing();
  await at.bring(await at.made(['blog.example.com']));
  await at.clock.advance(61 * DAY_MS);
  await at.settle();
  expect(condition(certificateIn(at), 'Current')).toMatchObject({ reason: 'RenewalOverdue' });
  expect(condition(certificateIn(at), 'Renewable')).toMatchObject({ reason: 'ByHand' });
  await at.clock.advance(29 * DAY_MS);
  await at.settle();
  expect(readyIn(at)).toMatchObject({ status: 'False', reason: 'CertificateExpired' });
  await at.end();
});

test('a Site may name the Secret; taking the Secret out again leads back to the Issuer', async () => {
  const at = await bringing();
  await at.commit({ kind: 'create', object: defaultIssuer() });
  await at.create('Site', 'shop', { hosts: ['shop.example.com'], tls: { secret: 'own' } });
  await at.bring(await at.made(['*.example.com']));
  const shop = () => at.world.get('Certificate', { namespace: 'default', name: 'shop' });
  expect(condition(shop()!, 'Ready')).toMatchObject({ status: 'True', reason: 'Brought' });
  await at.configure('Site', 'shop', { tls: { issuer: 'internal' } });
  await at.settle();
  expect(shop()?.spec.secret).toBeUndefined();
  expect(condition(shop()!, 'Ready')).toMatchObject({ status: 'True', reason: 'Issued' });
  await at.end();
});

test('a Secret that nobody can open says so with the mend; a key of ours that is lost is sealed anew', async () => {
  const at = await bringing();
  const pair = await at.made(['*.example.com', 'example.com']);
  await at.bring(pair);
  const before = materialIn(at);
  const { uid } = certificateIn(at).metadata;
  await at.put('material', uid, before && { ...before, sealedKey: 'sealed|elsewhere' });
  await at.settle();
  expect(materialIn(at)).toMatchObject({ sealedKey: before?.sealedKey });
  await at.configure('Secret', 'own', { data: { 'tls.crt': 'lost', 'tls.key': 'lost' } });
  await at.settle();
  expect(readyIn(at)).toMatchObject({ status: 'False', reason: 'SecretLost' });
  expect(readyIn(at)?.message).toMatch(
    /tls.crt was sealed .* write the value again.*goes on being/,
  );
  await at.bring(pair);
  expect(readyIn(at)).toMatchObject({ status: 'True', reason: 'Brought' });
  await at.end();
});
