import { beforeAll, describe, expect, test } from 'vitest';
import { memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { silentLog } from '../../runtime/log.ts';
import { systemRandom } from '../../runtime/node/random.ts';
import { createAuthority, generateCa } from '../../runtime/node/tls/authority.ts';
import { nodeKeyMaker } from '../../runtime/node/tls/key-maker.ts';
import type { Enrolment, Renewal } from '../../runtime/session/enrolment.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import type { CertificateAuthority } from '../../runtime/tls/authority.ts';
import { decodePem } from '../../runtime/tls/pem.ts';
import { loadIdentity, replaceCertificate, saveIdentity } from './identity-file.ts';
import { joinCluster } from './join.ts';
import type { JoinOptions } from './join-options.ts';
import { lifetimeOf, planRenewal, rotateCertificate } from './rotate.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const clock = virtualClock();
const random = systemRandom();
const signal = new AbortController().signal;
let authority: CertificateAuthority;
let stranger: CertificateAuthority;

beforeAll(async () => {
  const ports = { clock, random };
  authority = await createAuthority({ ...ports, ...(await generateCa({ ...ports, name: 'b8s' })) });
  stranger = await createAuthority({ ...ports, ...(await generateCa({ ...ports, name: 'evil' })) });
});

describe('joinCluster', () => {
  test('leaves an identity that loads, whose key never left', async () => {
    const disk = memoryDisk();
    const { enrolment, spent } = playedEnrolment(authority, authority);
    const made = await join(disk, enrolment);
    disk.crash();
    expect(await loadIdentity(disk)).toEqual(made);
    expect(made).toMatchObject({
      name: 'london',
      uid: 'uid-1',
      domAddresses: ['dom:7443', 'dom2:7443'],
    });
    expect(spent).toEqual(['abc.secret']);
  });

  test('does not show the token to a dom with another CA', async () => {
    const { enrolment, spent } = playedEnrolment(stranger, authority);
    await expect(join(memoryDisk(), enrolment)).rejects.toThrow(
      `the CA at dom:7443 does not match --ca: it has ${stranger.caHash}`,
    );
    expect(spent).toEqual([]);
  });

  test('takes no other CA in the answer', async () => {
    const { enrolment } = playedEnrolment(authority, stranger);
    await expect(join(memoryDisk(), enrolment)).rejects.toThrow('another CA');
  });

  test('refuses where there is an identity, unless it is to be replaced', async () => {
    const disk = memoryDisk();
    const { enrolment, spent } = playedEnrolment(authority, authority);
    const first = await join(disk, enrolment);
    await disk.write('plan.bin', Buffer.from('of the node before'));
    await expect(join(disk, enrolment)).rejects.toThrow('is node london already; --force');
    expect(spent.length).toBe(1);
    const second = await join(disk, enrolment, 'replace');
    expect(second.keyPem).not.toBe(first.keyPem);
    expect(await disk.read('plan.bin')).toBeUndefined();
  });
});

describe('an identity on disk', () => {
  test('is absent on a machine that has not joined', async () => {
    expect(await loadIdentity(memoryDisk())).toBeUndefined();
  });

  test('is one pair or the other after a crash between the steps of a renewal', async () => {
    const disk = memoryDisk();
    const first = await join(disk, playedEnrolment(authority, authority).enrolment);
    const { keyPem, chainPem } = await signed(authority, DAY_MS);
    const second = { ...first, keyPem, certificatePem: chainPem };
    await disk.write('key-next.pem', Buffer.from(keyPem));
    expect((await loadIdentity(disk))?.keyPem).toBe(first.keyPem);
    await disk.write('cert.pem', Buffer.from(chainPem));
    expect(await loadIdentity(disk)).toEqual(second);
    expect(await loadIdentity(disk)).toEqual(second);
    await saveIdentity(disk, first);
    await replaceCertificate(disk, { before: first, after: second });
    expect(await loadIdentity(disk)).toEqual(second);
  });

  test('that does not fit together says what to do', async () => {
    const disk = memoryDisk();
    await join(disk, playedEnrolment(authority, authority).enrolment);
    await disk.write('cert.pem', Buffer.from('torn'));
    await expect(loadIdentity(disk)).rejects.toThrow('join again with --force');
  });
});

describe('planRenewal', () => {
  const lifetime = { notBeforeMs: 0, notAfterMs: 3 * 60_000 };
  test.each([
    { when: 'just begun', nowMs: 0, plan: { kind: 'wait', ms: 120_000 } },
    { when: 'a millisecond early', nowMs: 119_999, plan: { kind: 'wait', ms: 1 } },
    { when: 'two thirds are over', nowMs: 120_000, plan: { kind: 'renew' } },
    { when: 'it has expired', nowMs: 500_000, plan: { kind: 'renew' } },
  ])('when $when', ({ nowMs, plan }) => {
    expect(planRenewal({ ...lifetime, nowMs })).toEqual(plan);
  });

  test('looks again every hour, for wall time may jump', () => {
    const plan = planRenewal({ notBeforeMs: 0, notAfterMs: 90 * DAY_MS, nowMs: 0 });
    expect(plan).toEqual({ kind: 'wait', ms: 60 * 60_000 });
  });
});

test('rotateCertificate renews at two thirds, and goes on trying while dom is away', async () => {
  const disk = memoryDisk();
  let identity = await join(disk, playedEnrolment(authority, authority).enrolment);
  const before = identity;
  let tries = 0;
  let signing = false;
  const renewal: Renewal = {
    async renew(csr) {
      tries += 1;
      if (tries <= 3) throw new Error('dom is away');
      signing = true;
      const { chainPem } = await authority.signRequest({ csr, ...LONDON, lifetimeMs: DAY_MS });
      return { chainPem, caPem: authority.caPem };
    },
  };
  const over = new AbortController();
  const renewed = Promise.withResolvers<void>();
  const running = rotateCertificate(
    {
      ...{ clock, random, log: silentLog, disk, renewal, keys: nodeKeyMaker },
      identity: () => identity,
      onRenewed: (next) => {
        identity = next;
        renewed.resolve();
      },
    },
    over.signal,
  );
  await clock.advance((DAY_MS * 2) / 3 - 10 * 60_000);
  expect(tries).toBe(0);
  // Keys and signatures are made on another thread, which virtual time must wait for.
  while (identity === before) {
    await clock.advance(signing ? 0 : 10_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await renewed.promise;
  expect(await loadIdentity(disk)).toEqual(identity);
  expect(lifetimeOf(identity).notAfterMs).toBeGreaterThan(lifetimeOf(before).notAfterMs);
  expect(tries).toBe(4);
  over.abort();
  await running;
});

const LONDON = { identity: { kind: 'node', name: 'london', uid: 'uid-1' } } as const;

async function signed(by: CertificateAuthority, lifetimeMs: number) {
  const { keyPem, csr } = await nodeKeyMaker.create('london');
  return { keyPem, ...(await by.signRequest({ csr, ...LONDON, lifetimeMs })) };
}

/** A dom that presents one CA and answers with another's; honest when they are the same. */
function playedEnrolment(presents: CertificateAuthority, answers: CertificateAuthority) {
  const spent: string[] = [];
  const enrolment: Enrolment = {
    presentedChain: async () => {
      const request = { names: ['dom.b8s.internal'], keyType: 'ecdsa-p256', lifetimeMs: DAY_MS };
      const server = await presents.issueServer({ ...request, keyType: 'ecdsa-p256' });
      return decodePem('CERTIFICATE', server.chainPem + presents.caPem);
    },
    join: async ({ request }) => {
      spent.push(request.token);
      const { csr } = request;
      const leaf = await answers.signRequest({ csr, ...LONDON, lifetimeMs: DAY_MS });
      return {
        chainPem: leaf.chainPem,
        caPem: answers.caPem,
        nodeUid: 'uid-1',
        addresses: ['dom:7443', 'dom2:7443'],
      };
    },
  };
  return { enrolment, spent };
}

function join(
  disk: ReturnType<typeof memoryDisk>,
  enrolment: Enrolment,
  existing: 'keep' | 'replace' = 'keep',
) {
  const options: JoinOptions = {
    ...{ address: 'dom:7443', token: 'abc.secret', name: 'london', spec: {} },
    caHash: authority.caHash,
  };
  return joinCluster({ ...options, existing, signal }, { disk, keys: nodeKeyMaker, enrolment });
}
