import {
  Client,
  type ClientDuplexStream,
  type ClientOptions,
  credentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import {
  AgentServiceClient,
  type FetchBlobResponse,
  type Peer as WirePeer,
} from '../../../proto/gen/b8s/v1/agent.ts';
import { BlobOffsetError, type BlobSource } from '../../content/blob-source.ts';
import type { Peer, PeerFinder, PeersQuestion } from '../../content/peers.ts';
import type { Dialer } from '../../session/dialer.ts';
import type { NodeCredentials, Renewal } from '../../session/enrolment.ts';
import { type Link, LinkClosedError } from '../../session/link.ts';
import { DOM_SERVER_NAME } from '../../tls/server-names.ts';
import { type HttpsDom, httpsDom } from '../https-dom.ts';

/** Both ways; a plan of thousands of objects comes as one message. */
export const FRAME_BYTES_MAX = 64 * 1024 * 1024;
/** How long an ended session's stream may take to say goodbye before it is cut. */
const GOODBYE_MS = 1000;

/** One node's ways to dom: the session, the blobs or who else has them, and new certificates. */
export interface GrpcDom extends Dialer, Required<BlobSource>, PeerFinder, Renewal {
  close(): void;
}

/**
 * Dom over gRPC and mutual TLS. `credentialsNow` is asked at each dial, so a renewed certificate is
 * in use from the next one on; of several doms the next one is dialled each time. Blobs have a
 * connection of their own, to the dom that was dialled last: a large one must not hold up
 * heartbeats.
 */
export function grpcDom(credentialsNow: () => NodeCredentials): GrpcDom {
  let dials = 0;
  let side: Side | undefined;

  function addressNow(): string {
    const { domAddresses } = credentialsNow();
    const address = domAddresses[Math.max(0, dials - 1) % Math.max(1, domAddresses.length)];
    if (address === undefined) throw new LinkClosedError('refused', 'no address of dom is known');
    return address;
  }

  /** The connection for everything but the session. */
  function sideNow(): Side {
    const name = `${addressNow()} ${credentialsNow().certificatePem}`;
    if (side?.name !== name) {
      closeSide();
      const tls = tlsOf(credentialsNow());
      side = {
        name,
        client: new AgentServiceClient(addressNow(), tls, channelOptions()),
        https: httpsDom(addressNow(), credentialsNow()),
        blobs: 'https',
      };
    }
    return side;
  }

  function closeSide(): void {
    side?.client.close();
    side?.https.close();
  }

  return {
    get doms() {
      return Math.max(1, credentialsNow().domAddresses.length);
    },
    async dial() {
      dials += 1;
      // It may be a newer dom by now.
      if (side !== undefined) side.blobs = 'https';
      const address = addressNow();
      const client = new Client(address, tlsOf(credentialsNow()), channelOptions());
      const call = client.makeBidiStreamRequest(SESSION_PATH, frameIn, frameOut);
      return grpcLink(call, {
        address,
        finish: () => {
          call.end();
          const cut = setTimeout(() => call.cancel(), GOODBYE_MS);
          call.once('close', () => clearTimeout(cut));
          client.close();
        },
      });
    },
    async *fetch(digest, offsetBytes, signal) {
      signal.throwIfAborted();
      const current = sideNow();
      if (current.blobs !== 'grpc') {
        const pieces = await current.https.fetch(digest, offsetBytes, signal);
        if (pieces !== 'unknown') return yield* pieces;
        current.blobs = 'grpc';
      }
      yield* fetchBlob(current.client, { digest, offsetBytes, signal });
    },
    async fetchSmall(digests, signal) {
      signal.throwIfAborted();
      const current = sideNow();
      if (current.blobs !== 'https') return 'unknown';
      const answer = await current.https.fetchSmall(digests, signal);
      if (answer === 'unknown') current.blobs = 'one by one';
      return answer;
    },
    find: (question, signal) => findPeers(sideNow().client, question, signal),
    renew: (csr, signal) =>
      new Promise((resolve, reject) => {
        const request = { csr: Buffer.from(csr) };
        const call = sideNow().client.renewCertificate(request, (error, response) => {
          if (error === null) resolve(response);
          else reject(new Error(`renew the certificate: ${textOf(error)}`, { cause: error }));
        });
        signal.addEventListener('abort', () => call.cancel(), { once: true });
      }),
    close: closeSide,
  };
}

/** The connections for everything but the session, to one dom with one certificate. */
interface Side {
  readonly name: string;
  readonly client: AgentServiceClient;
  readonly https: HttpsDom;
  /** An older dom has blobs one by one, or over gRPC alone. */
  blobs: 'https' | 'one by one' | 'grpc';
}

const SESSION_PATH = '/b8s.v1.AgentService/Session';
/** Frames are encoded messages already. */
const frameIn = (frame: Buffer): Buffer => frame;
const frameOut = (bytes: Buffer): Buffer => bytes;

/** The settings of every channel to dom that lasts. */
export function channelOptions(): ClientOptions {
  return {
    'grpc.ssl_target_name_override': DOM_SERVER_NAME,
    'grpc.default_authority': DOM_SERVER_NAME,
    // A proxy from the environment would break mutual TLS.
    'grpc.enable_http_proxy': 0,
    // Channels with the same settings would share one connection.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.max_receive_message_length': FRAME_BYTES_MAX,
    'grpc.max_send_message_length': FRAME_BYTES_MAX,
  };
}

/** The message of a failed call, without gRPC's own prefix. */
export function textOf(error: Partial<ServiceError> & Error): string {
  const { details = '' } = error;
  const text = details === '' ? error.message : details;
  return text.replace(/\s*Resolution note:\s*$/, '');
}

function tlsOf({ caPem, keyPem, certificatePem }: NodeCredentials) {
  return credentials.createSsl(
    Buffer.from(caPem),
    Buffer.from(keyPem),
    Buffer.from(certificatePem),
  );
}

type FrameCall = ClientDuplexStream<Buffer, Buffer>;

function grpcLink(
  call: FrameCall,
  { address, finish }: { readonly address: string; readonly finish: () => void },
): Link {
  let phase: 'open' | 'closed' | 'ended' = 'open';
  const over = Promise.withResolvers<void>();
  const end = (): void => {
    if (phase === 'ended') return;
    if (phase === 'open') finish();
    phase = 'ended';
    over.resolve();
  };
  // Errors are thrown from `frames`; without a listener one would end the process.
  call.on('error', end);
  call.on('close', end);
  call.on('end', end);

  async function* frames(): AsyncIterable<Uint8Array> {
    const received = (call as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    for (;;) {
      // Closed by us: what is still to come is not waited for.
      const next = await Promise.race([received.next(), closed.promise]).catch(
        (error: unknown) => error as ServiceError,
      );
      if (phase === 'closed' || next === undefined) return;
      if (next instanceof Error) throw linkError(next, address);
      if (next.done === true) return;
      yield next.value;
    }
  }

  const closed = Promise.withResolvers<undefined>();
  return {
    send: (frame) => phase !== 'open' || call.write(Buffer.from(frame)),
    drained: () => {
      if (phase !== 'open' || !call.writableNeedDrain) return Promise.resolve();
      const drain = new Promise<void>((resolve) => {
        call.once('drain', resolve);
      });
      return Promise.race([drain, over.promise]);
    },
    frames,
    close: () => {
      if (phase !== 'open') return;
      phase = 'closed';
      closed.resolve(undefined);
      over.resolve();
      finish();
      // Read on to the end, into nothing, so that the stream can finish.
      call.resume();
    },
  };
}

/** Codes by which dom says that a person must act. */
const REFUSALS: ReadonlySet<number> = new Set([
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.FAILED_PRECONDITION,
]);

function linkError(error: ServiceError, address: string): LinkClosedError {
  const reason = REFUSALS.has(error.code) ? 'refused' : 'lost';
  return new LinkClosedError(reason, `dom at ${address}: ${textOf(error)}`, { cause: error });
}

async function* fetchBlob(
  client: AgentServiceClient,
  options: {
    readonly digest: string;
    readonly offsetBytes: number;
    readonly signal: AbortSignal;
  },
): AsyncIterable<Uint8Array> {
  const { digest, offsetBytes, signal } = options;
  signal.throwIfAborted();
  const call = client.fetchBlob({ digest, offsetBytes: BigInt(offsetBytes) });
  const cancel = (): void => call.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    for await (const { chunk } of call as AsyncIterable<FetchBlobResponse>) yield chunk;
  } catch (error) {
    signal.throwIfAborted();
    const { code } = error as ServiceError;
    const Kind = code === status.OUT_OF_RANGE ? BlobOffsetError : Error;
    throw new Kind(`fetch ${digest} from dom: ${textOf(error as ServiceError)}`, { cause: error });
  } finally {
    signal.removeEventListener('abort', cancel);
    call.cancel();
  }
}

function findPeers(
  client: AgentServiceClient,
  { list, missingBytes, failed }: PeersQuestion,
  signal: AbortSignal,
): Promise<readonly Peer[]> {
  return new Promise((resolve, reject) => {
    const request = { list, missingBytes: BigInt(missingBytes), failed };
    const call = client.findPeers(request, (error, response) => {
      signal.removeEventListener('abort', cancel);
      if (error === null) resolve(response.peers.map(peerOf));
      // An older dom sends everything itself.
      else if (error.code === status.UNIMPLEMENTED) resolve([]);
      else reject(new Error(`ask dom who has ${list}: ${textOf(error)}`, { cause: error }));
    });
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
  });
}

function peerOf({ fingerprint, untilS, ...peer }: WirePeer): Peer {
  return {
    ...peer,
    fingerprint: Buffer.from(fingerprint).toString('hex'),
    untilS: Number(untilS),
  };
}
