import { connect, type DetailedPeerCertificate } from 'node:tls';
import { credentials, Metadata } from '@grpc/grpc-js';
import { IdentityServiceClient } from '../../../proto/gen/b8s/v1/identity.ts';
import type { Enrolment } from '../../session/enrolment.ts';
import { DOM_SERVER_NAME } from '../../tls/server-names.ts';
import { channelOptions, textOf } from './dialer.ts';

/** How long dom may take to answer a machine that joins. */
const ANSWER_MS_MAX = 15_000;
/** Longer than any chain is; ends also one that goes in circles. */
const CHAIN_MAX = 10;

/** Meets dom over real TLS, and joins over gRPC. */
export const grpcEnrolment: Enrolment = {
  presentedChain: (address, signal) => presentedChain(address, signal),
  join({ address, caPem, request, signal }) {
    const tls = credentials.createSsl(Buffer.from(caPem));
    const client = new IdentityServiceClient(address, tls, channelOptions());
    return new Promise((resolve, reject) => {
      const deadline = { deadline: Date.now() + ANSWER_MS_MAX };
      const call = client.join(request, new Metadata(), deadline, (error, response) => {
        client.close();
        if (error === null) resolve(response);
        else reject(new Error(`join at ${address}: ${textOf(error)}`, { cause: error }));
      });
      signal.addEventListener('abort', () => call.cancel(), { once: true });
    });
  },
};

function presentedChain(address: string, signal: AbortSignal): Promise<readonly Uint8Array[]> {
  const { hostname, port } = new URL(`https://${address}`);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown): void => {
      socket.destroy();
      reject(new Error(`connect to dom at ${address}: ${why}`, { cause }));
    };
    const socket = connect({
      ...{ host, port: port === '' ? 443 : Number(port), servername: DOM_SERVER_NAME },
      ALPNProtocols: ['h2'],
      // Nothing is trusted yet: the caller finds the CA in the chain by its hash.
      rejectUnauthorized: false,
    });
    const abort = (): void => fail('aborted', signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    socket.setTimeout(ANSWER_MS_MAX, () => fail('no answer'));
    socket.on('error', (error) => fail(error.message, error));
    socket.once('secureConnect', () => {
      const chain = chainOf(socket.getPeerCertificate(true));
      signal.removeEventListener('abort', abort);
      socket.destroy();
      resolve(chain);
    });
  });
}

function chainOf(leaf: DetailedPeerCertificate): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  let certificate: DetailedPeerCertificate | undefined = leaf;
  while (certificate?.raw !== undefined && chain.length < CHAIN_MAX) {
    chain.push(certificate.raw);
    const issuer: DetailedPeerCertificate | undefined = certificate.issuerCertificate;
    // A root is its own issuer.
    certificate = issuer === certificate ? undefined : issuer;
  }
  return chain;
}
