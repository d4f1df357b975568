import { expect, test } from 'vitest';
import type { Acme, AcmeAccount } from './acme.ts';
import { fakeAcme } from './fake-acme.ts';
import { createFakeAcmeCa, type FakeAcmeCa } from './fake-acme-ca.ts';
import type { AcmeProof } from './fake-acme-proof.ts';
import { fakeCertificateReader } from './fake-certificate-reader.ts';
import type { Random } from './random.ts';
import { type VirtualClock, virtualClock } from './test-clock.ts';

const { signal } = new AbortController();
const NAMES = ['example.com', '*.example.com'];

test('an order is proven, finalized and downloaded', async () => {
  const { acme, ca, account, proofs } = await scene();
  const { chains, keyPem } = await obtain(acme, account, NAMES);
  const facts = fakeCertificateReader.read(chains[0] ?? '', keyPem);
  expect(facts).toMatchObject({ names: NAMES.toSorted(), problems: [], keyType: 'ecdsa-p256' });
  expect(facts.issuers).toEqual(['Fake Intermediate 1', 'Fake Root X1']);
  expect(ca.ordersOf(NAMES).map((order) => order.now)).toEqual(['valid']);
  expect(proofs.map((proof) => [proof.name, proof.wildcard])).toEqual([
    ['example.com', true],
    ['example.com', false],
  ]);
});

interface Scene {
  readonly clock: VirtualClock;
  readonly ca: FakeAcmeCa;
  readonly acme: Acme;
  readonly account: AcmeAccount;
  readonly proofs: AcmeProof[];
}

async function scene(settings: FakeAcmeCa['settings'] | object = {}): Promise<Scene> {
  const clock = virtualClock();
  const proofs: AcmeProof[] = [];
  const validate = async (proof: AcmeProof): Promise<undefined> => void proofs.push(proof);
  const ca = createFakeAcmeCa({ clock, random: counted(1), validate, settings });
  const acme = fakeAcme({ random: counted(1000), cas: [ca] });
  const server = { directory: ca.directory };
  const keyPem = await acme.makeKey('ecdsa-p256');
  const url = await acme.register(server, { keyPem, contact: ['mailto:a@example.com'] }, signal);
  return { clock, ca, acme, account: { server, url, keyPem }, proofs };
}

async function obtain(
  acme: Acme,
  account: AcmeAccount,
  names: readonly string[],
): Promise<{ readonly chains: readonly string[]; readonly keyPem: string }> {
  const order = await acme.createOrder(account, { names }, signal);
  for (const url of order.authorizations) {
    const { challenges } = await acme.readAuthorization(account, url, signal);
    await acme.answerChallenge(account, challenges[0]?.url ?? '', signal);
  }
  const keyPem = await acme.makeKey('ecdsa-p256');
  const { finalizeUrl, url: orderUrl } = order;
  await acme.finalize(account, { finalizeUrl, orderUrl, names, keyPem }, signal);
  const { certificateUrl = '' } = await acme.readOrder(account, orderUrl, signal);
  return { chains: await acme.download(account, certificateUrl, signal), keyPem };
}

function counted(first: number): Random {
  let next = first;
  return {
    next: () => 0.5,
    bytes: (count) => {
      next += 1;
      return Buffer.alloc(count, String(next));
    },
  };
}
