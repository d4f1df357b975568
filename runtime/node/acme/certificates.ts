import { type Acme, AcmeProblem, REVOCATION_REASONS } from '../../acme/acme.ts';
import { readRenewalInfo } from './answers.ts';
import { certificateId, leafDer } from './certificate-id.ts';
import { alternatesOf, CHAIN_BYTES_MAX, CHAIN_TYPE, readChain } from './chains.ts';
import { readSigningKey } from './jws.ts';
import { asAccount, isProblem, mayBeAsked, readAnswer, type StepPorts } from './steps.ts';
import type { Answer } from './transport.ts';

export function certificateSteps(
  ports: StepPorts,
): Pick<Acme, 'download' | 'revoke' | 'renewalInfo'> {
  const { calls, clock } = ports;
  return {
    download: (account, certificateUrl, signal) =>
      asAccount(ports, account, { what: 'download a certificate', signal }, async (post) => {
        const [accept, bytesMax] = [CHAIN_TYPE, CHAIN_BYTES_MAX];
        const preferred = await post({ url: certificateUrl, accept, bytesMax });
        const chains = [readChain(preferred)];
        for (const url of alternatesOf(preferred, certificateUrl))
          chains.push(...(await alternate(post({ url, accept, bytesMax }))));
        return chains;
      }),

    revoke: ({ server, url: kid, keyPem: accountKey }, { chainPem, reason, keyPem }, signal) =>
      calls.run('revoke a certificate', { server, signal }, async (call, urls) => {
        const certificate = Buffer.from(leafDer(chainPem)).toString('base64url');
        const payload = { certificate, reason: REVOCATION_REASONS[reason] };
        // RFC 8555 §6.2: the certificate's own key is told, for the CA knows no account by it.
        const signer =
          keyPem === undefined
            ? { key: readSigningKey(accountKey), kid }
            : { key: readSigningKey(keyPem) };
        try {
          mayBeAsked(call, urls.revokeCert);
          await calls.post(call, urls, { ...signer, url: urls.revokeCert, payload });
        } catch (error) {
          if (!isProblem(error, 'alreadyRevoked')) throw error;
        }
      }),

    renewalInfo: (server, chainPem, signal) =>
      calls.run('ask when to renew', { server, signal }, async (call, urls) => {
        const id = urls.renewalInfo === undefined ? undefined : certificateId(chainPem);
        if (urls.renewalInfo === undefined || id === undefined) return undefined;
        try {
          // RFC 9773 §4.1: the identifier is one more part of the path.
          const url = `${urls.renewalInfo.replace(/\/$/, '')}/${id}`;
          const { fields, retryAfterMs } = readAnswer(await calls.get(call, url), call, clock);
          return readRenewalInfo(fields, retryAfterMs);
        } catch (error) {
          const isUnknown = error instanceof AcmeProblem && error.document.status === 404;
          if (isUnknown) return undefined;
          throw error;
        }
      }),
  };
}

/** One that the CA refuses, or that is none, does not cost those that are good. */
async function alternate(asked: Promise<Answer>): Promise<readonly string[]> {
  const answer = await asked.catch((error: unknown) => {
    if (error instanceof AcmeProblem) return undefined;
    throw error;
  });
  try {
    return answer === undefined ? [] : [readChain(answer)];
  } catch {
    return [];
  }
}
