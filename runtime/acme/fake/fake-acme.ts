import type { Random } from '../../random.ts';
import { fakeKeyBytes } from '../../tls/fake-certificate-reader.ts';
import { encodePem } from '../../tls/pem.ts';
import type { Acme, AcmeServer } from '../acme.ts';
import type { FakeAcmeCa } from './ca.ts';
import { fakeThumbprint } from './proof.ts';
import type { FakeAcmeRequests } from './state.ts';

/**
 * ACME without cryptography and network, for unit tests and the simulation: what one dom holds.
 * The CAs are handed in, for they outlive each dom, and several doms ask the same ones.
 */
export function fakeAcme(ports: {
  /** What keys are made of: this dom's own. */
  readonly random: Random;
  readonly cas: readonly Pick<FakeAcmeCa, 'directory' | 'requests'>[];
  /** Left out: always. While false, nothing that this dom asks reaches a CA. */
  readonly isReachable?: (directory: string) => boolean;
}): Acme {
  const { random, cas, isReachable = () => true } = ports;

  function at({ directory }: AcmeServer): FakeAcmeRequests {
    const ca = cas.find((one) => one.directory === directory);
    if (ca === undefined) throw new Error(`reach the CA at ${directory}: no such host`);
    if (!isReachable(directory)) throw new Error(`reach the CA at ${directory}: no route to host`);
    return ca.requests;
  }

  return {
    makeKey: async (type) => encodePem('PRIVATE KEY', random.bytes(fakeKeyBytes(type))),
    keyAuthorization: (token, keyPem) => `${token}.${fakeThumbprint(keyPem)}`,
    directory: async (server, ...rest) => await at(server).directory(server, ...rest),
    register: async (server, ...rest) => await at(server).register(server, ...rest),
    findAccount: async (server, ...rest) => await at(server).findAccount(server, ...rest),
    renewalInfo: async (server, ...rest) => await at(server).renewalInfo(server, ...rest),
    updateContact: async (by, ...rest) => await at(by.server).updateContact(by, ...rest),
    changeKey: async (by, ...rest) => await at(by.server).changeKey(by, ...rest),
    createOrder: async (by, ...rest) => await at(by.server).createOrder(by, ...rest),
    readOrder: async (by, ...rest) => await at(by.server).readOrder(by, ...rest),
    listOrders: async (by, ...rest) => await at(by.server).listOrders(by, ...rest),
    readAuthorization: async (by, ...rest) => await at(by.server).readAuthorization(by, ...rest),
    answerChallenge: async (by, ...rest) => await at(by.server).answerChallenge(by, ...rest),
    finalize: async (by, ...rest) => await at(by.server).finalize(by, ...rest),
    download: async (by, ...rest) => await at(by.server).download(by, ...rest),
    revoke: async (by, ...rest) => await at(by.server).revoke(by, ...rest),
  };
}
