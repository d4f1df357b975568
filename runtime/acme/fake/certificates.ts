import {
  encodeFakeCertificate,
  type FakeCertificate,
  fakePublicKey,
  fakeSerialNumber,
} from '../../tls/fake-authority.ts';
import { fakeKeyType, parseFakeChain } from '../../tls/fake-certificate-reader.ts';
import type { RenewalInfo } from '../acme.ts';
import {
  caKey,
  drawMs,
  type FakeAcmeCertificate,
  type FakeAcmeOrder,
  type FakeAcmeState,
} from './state.ts';
import type { FakeAcmeFlaw } from './weather.ts';
import { drawOne } from './weather.ts';

/** Signs, or does what a CA should not, when the weather says so. */
export function issue(
  state: FakeAcmeState,
  order: FakeAcmeOrder,
  keyPem: string,
): FakeAcmeCertificate {
  const { settings, clock, random } = state;
  const flaw = state.nextFlaws.shift() ?? drawOne(state.weather.flaws, random);
  const lifetimeMs = settings.profiles[order.profile ?? '']?.lifetimeMs ?? settings.lifetimeMs;
  const readyMs = clock.nowMs() + drawMs(state, settings.finalizeMsMax);
  const shiftMs = flaw === 'expired' ? -2 * lifetimeMs : flaw === 'notYetValid' ? lifetimeMs : 0;
  const notBeforeMs = readyMs - BACKDATE_MS + shiftMs;
  const names = flaw === 'wrongNames' ? order.names.map((name) => `wrong.${name}`) : order.names;
  const key = flaw === 'otherKey' ? `${keyPem}other` : keyPem;
  const leaf: Omit<FakeCertificate, 'issuer' | 'issuerName'> = {
    ...{ commonName: names[0] ?? '', names, uris: [], usage: 'server' },
    ...{ publicKey: fakePublicKey(key), keyType: fakeKeyType(keyPem) },
    ...{ serialNumber: fakeSerialNumber(random), notBeforeMs },
    // As real ones: the last second belongs to it.
    notAfterMs: notBeforeMs + lifetimeMs - 1000,
  };
  const certificate: FakeAcmeCertificate = {
    serialNumber: leaf.serialNumber,
    accountUrl: order.accountUrl,
    orderUrl: order.url,
    names: order.names,
    flaw,
    chains: settings.roots.map((root) => chainTo(state, leaf, root, flaw)),
    issuedMs: readyMs,
    notBeforeMs,
    notAfterMs: leaf.notAfterMs,
  };
  state.certificates.set(leaf.serialNumber, certificate);
  return certificate;
}

/** Undefined: not one of this CA. */
export function findCertificate(
  state: FakeAcmeState,
  chainPem: string,
): FakeAcmeCertificate | undefined {
  const found = state.certificates.get(parseFakeChain(chainPem)[0].serialNumber);
  const isSame = found?.chains.some((chain) => leafOf(chain) === leafOf(chainPem));
  return isSame === true ? found : undefined;
}

/** Around two thirds of its life; at once for one that is revoked. */
export function renewalOf(certificate: FakeAcmeCertificate): Omit<RenewalInfo, 'retryAfterMs'> {
  const { revokedMs, renewal, notBeforeMs, issuedMs, notAfterMs } = certificate;
  if (revokedMs !== undefined) return { startMs: revokedMs - HOUR_MS, endMs: revokedMs };
  if (renewal !== undefined) return renewal;
  // What it is dated back by may be longer than all the rest.
  const sinceMs = Math.max(issuedMs, notBeforeMs);
  const lifetimeMs = notAfterMs - sinceMs;
  return {
    startMs: Math.round(sinceMs + lifetimeMs * 0.65),
    endMs: Math.round(sinceMs + lifetimeMs * 0.68),
  };
}

const HOUR_MS = 60 * 60 * 1000;
/** CAs date back, for clients whose clocks are behind. */
const BACKDATE_MS = HOUR_MS;
const CA_LIFETIME_MS = 3650 * 24 * HOUR_MS;

function chainTo(
  state: FakeAcmeState,
  leaf: Omit<FakeCertificate, 'issuer' | 'issuerName'>,
  root: string,
  flaw: FakeAcmeFlaw | undefined,
): string {
  const above = Array.from(
    { length: state.settings.intermediates },
    (_, index) => `Fake Intermediate ${index + 1}`,
  );
  const [first = root] = above;
  const signed = encodeFakeCertificate({
    ...leaf,
    issuer: caKey(state, flaw === 'brokenChain' ? 'Fake Intermediate of others' : first),
    issuerName: first,
  });
  return (
    signed +
    above.map((name, index) => caCertificate(state, name, above[index + 1] ?? root)).join('')
  );
}

function caCertificate(state: FakeAcmeState, commonName: string, issuerName: string): string {
  return encodeFakeCertificate({
    ...{ commonName, names: [], uris: [], usage: 'server', serialNumber: commonName },
    ...{ publicKey: caKey(state, commonName), issuer: caKey(state, issuerName), issuerName },
    ...{ notBeforeMs: 0, notAfterMs: CA_LIFETIME_MS * 20 },
  });
}

function leafOf(chainPem: string): string {
  return chainPem.slice(0, chainPem.indexOf('-----END'));
}
