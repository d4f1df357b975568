import type {
  handleServerStreamingCall,
  handleUnaryCall,
  ServerWritableStream,
} from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type {
  FetchBlobRequest,
  FetchBlobResponse,
  RenewCertificateRequest,
  RenewCertificateResponse,
} from '../../../proto/gen/b8s/v1/agent.ts';
import type { JoinRequest, JoinResponse } from '../../../proto/gen/b8s/v1/identity.ts';
import { IdentityServiceService } from '../../../proto/gen/b8s/v1/identity.ts';
import { BlobOffsetError } from '../../content/blob-source.ts';
import { digestOf } from '../../content/digest.ts';
import type { NodeCredentials } from '../../session/enrolment.ts';
import type { Link } from '../../session/link.ts';
import { caHashOf, encodePem } from '../../tls/pem.ts';
import { LONDON, openTestPort, type TestPort } from '../test-port.ts';
import { grpcDom } from './dialer.ts';
import { grpcEnrolment } from './enrolment.ts';
import { rawAgentService, sessionHandler } from './session.ts';

const content = Buffer.from('0123456789'.repeat(20_000));
const digest = digestOf(content);
const endless = digestOf(Buffer.from('endless'));
const signal = new AbortController().signal;
const sessions: { readonly link: Link; readonly caller: unknown }[] = [];
let port: TestPort;
let cancelled = Promise.withResolvers<void>();

const fetchBlob: handleServerStreamingCall<FetchBlobRequest, FetchBlobResponse> = (call) => {
  call.on('cancelled', () => cancelled.resolve());
  const { digest: asked, offsetBytes } = call.request;
  if (asked === endless) return drip(call);
  if (asked !== digest)
    return call.emit('error', { code: status.NOT_FOUND, details: 'no such blob' });
  if (offsetBytes > content.length)
    return call.emit('error', { code: status.OUT_OF_RANGE, details: 'it ends before' });
  const rest = content.subarray(Number(offsetBytes));
  for (let at = 0; at < rest.length; at += 65_536) {
    call.write({ chunk: rest.subarray(at, at + 65_536), sizeBytes: BigInt(content.length) });
  }
  call.end();
};

const renewCertificate: handleUnaryCall<RenewCertificateRequest, RenewCertificateResponse> = (
  call,
  answer,
) => answer(null, { chainPem: call.request.csr.toString(), caPem: 'ca' });

const joinHandler: handleUnaryCall<JoinRequest, JoinResponse> = (call, answer) => {
  if (call.request.token !== 'abc.secret') {
    answer({ code: status.UNAUTHENTICATED, details: 'the token was used' });
  } else {
    answer(null, { chainPem: 'chain', caPem: 'ca', nodeUid: call.request.node, addresses: [] });
  }
};

beforeAll(async () => {
  port = await openTestPort();
  const session = sessionHandler((link, caller) => {
    sessions.push({ link, caller });
    link.send(Buffer.from('hello'));
  });
  port.server.addService(rawAgentService, { session, fetchBlob, renewCertificate } as never);
  port.server.addService(IdentityServiceService, { join: joinHandler });
});
afterAll(() => port.close());

describe('blobs', () => {
  test.each([0, 1, 65_536, content.length])('come whole from offset %i', async (offsetBytes) => {
    const dom = grpcDom(credentialsNow);
    const pieces = await all(dom.fetch(digest, offsetBytes, signal));
    expect(Buffer.concat(pieces).equals(content.subarray(offsetBytes))).toBe(true);
    dom.close();
  });

  test('one that dom does not have throws with its reason', async () => {
    const dom = grpcDom(credentialsNow);
    await expect(all(dom.fetch(digestOf(Buffer.from('none')), 0, signal))).rejects.toThrow(
      'no such blob',
    );
    dom.close();
  });

  test('one that ends before the offset throws as such', async () => {
    const dom = grpcDom(credentialsNow);
    const fetched = all(dom.fetch(digest, content.length + 1, signal));
    await expect(fetched).rejects.toBeInstanceOf(BlobOffsetError);
    dom.close();
  });

  test.each(['aborted', 'left'])('a fetch that is %s is cancelled at dom', async (how) => {
    cancelled = Promise.withResolvers();
    const dom = grpcDom(credentialsNow);
    const stop = new AbortController();
    const pieces = dom.fetch(endless, 0, stop.signal)[Symbol.asyncIterator]();
    await pieces.next();
    if (how === 'aborted') {
      stop.abort(new Error('not wanted'));
      await expect(drain(pieces)).rejects.toThrow('not wanted');
    } else {
      await pieces.return?.();
    }
    await cancelled.promise;
    dom.close();
  });
});

test('a renewal gives what dom answers', async () => {
  const dom = grpcDom(credentialsNow);
  expect(await dom.renew(Buffer.from('csr'), signal)).toEqual({ chainPem: 'csr', caPem: 'ca' });
  dom.close();
});

test('each dial shows the certificate of the moment, and goes to the next dom', async () => {
  const lifetimeMs = 60_000;
  const other = await port.authority.issueClient({
    ...{ identity: { ...LONDON, uid: 'u2' }, lifetimeMs },
  });
  let now = { ...credentialsNow(), domAddresses: ['127.0.0.1:1', port.address] };
  const dom = grpcDom(() => now);
  const first = await all((await dom.dial(signal)).frames()).catch((error: Error) => error);
  expect(first).toMatchObject({
    reason: 'lost',
    message: expect.stringMatching(/^dom at 127.0.0.1:1: /),
  });
  const uids: unknown[] = [];
  for (const turn of [1, 2]) {
    const link = await dom.dial(signal);
    await link.frames()[Symbol.asyncIterator]().next();
    uids.push(sessions.at(-1)?.caller);
    link.close();
    now = { ...now, certificatePem: other.chainPem, keyPem: other.keyPem };
    now = { ...now, domAddresses: [port.address] };
    expect(sessions.length).toBe(turn);
  }
  expect(uids).toMatchObject([{ identity: { uid: 'u1' } }, { identity: { uid: 'u2' } }]);
  dom.close();
});

test('a dom of another CA is not spoken to', async () => {
  const stranger = await openTestPort();
  const dom = grpcDom(() => ({ ...credentialsNow(), caPem: stranger.authority.caPem }));
  const ended = all((await dom.dial(signal)).frames());
  await expect(ended).rejects.toMatchObject({
    reason: 'lost',
    message: expect.stringMatching(/certificate/),
  });
  await stranger.close();
});

describe('a machine that joins', () => {
  test('sees the CA in the chain that dom presents', async () => {
    const chain = await grpcEnrolment.presentedChain(port.address, signal);
    const hashes = chain.map((der) => caHashOf(encodePem('CERTIFICATE', der)));
    expect(hashes).toContain(port.authority.caHash);
  });

  test('spends its token, and hears why it is refused', async () => {
    const request = { node: 'paris', csr: Buffer.alloc(1), specJson: '{}', agentVersion: '' };
    const options = { address: port.address, caPem: port.authority.caPem, signal };
    const joined = await grpcEnrolment.join({
      ...options,
      request: { ...request, token: 'abc.secret' },
    });
    expect(joined.nodeUid).toBe('paris');
    const again = grpcEnrolment.join({ ...options, request: { ...request, token: 'x.y' } });
    await expect(again).rejects.toThrow(`join at ${port.address}: the token was used`);
  });

  test('says where nobody answers', async () => {
    await expect(grpcEnrolment.presentedChain('127.0.0.1:1', signal)).rejects.toThrow(
      'connect to dom at 127.0.0.1:1',
    );
  });
});

function credentialsNow(): NodeCredentials {
  const { london, address, authority } = port;
  return {
    ...{ domAddresses: [address], caPem: authority.caPem },
    ...{ certificatePem: london.chainPem, keyPem: london.keyPem },
  };
}

/** Goes on until it is cancelled. */
function drip(call: ServerWritableStream<FetchBlobRequest, FetchBlobResponse>): void {
  const timer = setInterval(() => call.write({ chunk: Buffer.from('drop'), sizeBytes: 0n }), 5);
  call.on('cancelled', () => clearInterval(timer));
}

async function all(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const list: Uint8Array[] = [];
  for await (const piece of pieces) list.push(piece);
  return list;
}

async function drain(pieces: AsyncIterator<Uint8Array>): Promise<void> {
  while ((await pieces.next()).done !== true);
}
