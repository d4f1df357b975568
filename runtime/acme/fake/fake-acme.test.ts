import { describe } from 'vitest';
import { countedRandom } from '../../fake-random.fixture.ts';
import { virtualClock } from '../../test-clock.ts';
import { fakeCertificateReader } from '../../tls/fake-certificate-reader.ts';
import { acmeCases } from '../acme.case.ts';
import type { AcmeScene, AcmeSceneOptions } from '../scene.case.ts';
import { createFakeAcmeCa } from './ca.ts';
import { fakeAcme } from './fake-acme.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

describe('the fake CA', () => acmeCases({ open, lacks: {} }));

async function open(options: AcmeSceneOptions): Promise<AcmeScene> {
  const { externalAccount, intermediates = 1, alternates = 0, authorizationReuse } = options;
  const clock = virtualClock();
  const bound = { keyId: 'b8s', macKey: 'c2VjcmV0' };
  const roots = ['Fake Root X1', 'Fake Root X2', 'Fake Root X3'].slice(0, alternates + 1);
  /** What is put up: type, name and key authorization. */
  const shown = new Set<string>();
  const ca = createFakeAcmeCa({
    clock,
    random: countedRandom(1),
    validate: async ({ type, name, keyAuthorization }) =>
      shown.has(`${type} ${name} ${keyAuthorization}`) ? undefined : 'there is no such proof',
    settings: {
      ...(externalAccount === undefined
        ? {}
        : { externalAccounts: { [bound.keyId]: bound.macKey } }),
      ...{ intermediates, roots, authorizationReuse: authorizationReuse === 'always' ? 1 : 0 },
      ...(options.looks === 'late' ? { validationMsMax: 5_000, finalizeMsMax: 5_000 } : {}),
      ...(options.lifetimeMs === undefined ? {} : { lifetimeMs: options.lifetimeMs }),
      profiles: { shortlived: { lifetimeMs: 6 * DAY_MS } },
    },
  });
  return {
    acme: fakeAcme({ random: countedRandom(1_000_000), cas: [ca] }),
    reader: fakeCertificateReader,
    server: { directory: ca.directory },
    nowhere: { directory: 'https://nowhere.test/directory' },
    externalAccount: externalAccount === undefined ? undefined : bound,
    roots,
    prove: async ({ type, name, keyAuthorization }) =>
      void shown.add(`${type} ${name} ${keyAuthorization}`),
    deactivate: async () => ca.closeAccounts(),
    pass: () => clock.advance(1_000),
    close: async () => ca.close(),
  };
}
