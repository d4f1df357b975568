import type { Server } from '@grpc/grpc-js';
import type {
  FetchBlobRequest,
  FetchBlobResponse,
  FindPeersRequest,
  FindPeersResponse,
} from '../proto/gen/b8s/v1/agent.ts';
import { ApiServiceService } from '../proto/gen/b8s/v1/api.ts';
import { IdentityServiceService } from '../proto/gen/b8s/v1/identity.ts';
import type { Caller } from '../runtime/caller.ts';
import { isDigest } from '../runtime/content/digest.ts';
import type { Log } from '../runtime/log.ts';
import { grpcHandlers } from '../runtime/node/grpc/handlers.ts';
import { rawAgentService, sessionHandler } from '../runtime/node/grpc/session.ts';
import { RequestError } from '../runtime/request-error.ts';
import { handOut } from './blobs/hand-out.ts';
import type { Dom } from './dom.ts';

/** Puts dom's three services on a gRPC server; each call is answered by the term that leads then. */
export function addServices(
  server: Server,
  ports: {
    readonly dom: Dom;
    readonly log: Log;
    readonly signal: AbortSignal;
    readonly caPem: string;
  },
): void {
  const { dom, log, signal, caPem } = ports;
  const { unary, serverStream, clientStream } = grpcHandlers(log);

  server.addService(IdentityServiceService, {
    join: unary(async (request) => {
      const { join } = await dom.leading();
      return join.join(request);
    }),
  });

  server.addService(rawAgentService, {
    session: sessionHandler((link, { identity }) => void dom.accept(link, identity, signal)),
    fetchBlob: serverStream((request, caller) => fetchBlob(dom, request, caller)),
    findPeers: unary((request, caller) => findPeers(dom, request, caller)),
    renewCertificate: unary(async ({ csr }, { identity }) => {
      const { join } = await dom.leading();
      const { chainPem } = await join.renew(identity, csr);
      return { chainPem, caPem };
    }),
  });

  server.addService(ApiServiceService, {
    apply: unary(async (request, caller) => (await dom.leading()).api.apply(request, caller)),
    update: unary(async (request, caller) => (await dom.leading()).api.update(request, caller)),
    get: unary(async (request, caller) => (await dom.leading()).api.get(request, caller)),
    list: unary(async (request, caller) => (await dom.leading()).api.list(request, caller)),
    watch: serverStream(async function* (request, caller, over) {
      const { api, leadership } = await dom.leading();
      yield* api.watch(request, caller, AbortSignal.any([over, leadership.lost, signal]));
    }),
    delete: unary(async (request, caller) => (await dom.leading()).api.delete(request, caller)),
    history: unary(async (request, caller) => (await dom.leading()).api.history(request, caller)),
    findMissingBlobs: unary(async (request, caller) =>
      (await dom.leading()).api.findMissingBlobs(request, caller),
    ),
    uploadBlob: clientStream(async (requests, caller) =>
      (await dom.leading()).api.uploadBlob(requests, caller),
    ),
    createToken: unary(async (request, caller) =>
      (await dom.leading()).api.createToken(request, caller),
    ),
    listTokens: unary(async (request, caller) =>
      (await dom.leading()).api.listTokens(request, caller),
    ),
    revokeToken: unary(async (request, caller) =>
      (await dom.leading()).api.revokeToken(request, caller),
    ),
    createTransferKey: unary(async (request, caller) =>
      (await dom.leading()).api.createTransferKey(request, caller),
    ),
    listTransferKeys: unary(async (request, caller) =>
      (await dom.leading()).api.listTransferKeys(request, caller),
    ),
    deleteTransferKey: unary(async (request, caller) =>
      (await dom.leading()).api.deleteTransferKey(request, caller),
    ),
    explainDns: unary(async (request, caller) =>
      (await dom.leading()).api.explainDns(request, caller),
    ),
    readLogs: serverStream(async function* (request, caller, over) {
      const { api, leadership } = await dom.leading();
      yield* api.readLogs(request, caller, AbortSignal.any([over, leadership.lost, signal]));
    }),
    getTraffic: unary(async (request, caller) =>
      (await dom.leading()).api.getTraffic(request, caller),
    ),
    forecastRepository: serverStream(async function* (request, caller, over) {
      const { api, leadership } = await dom.leading();
      const ends = AbortSignal.any([over, leadership.lost, signal]);
      yield* api.forecastRepository(request, caller, ends);
    }),
    createUser: unary(async (request, caller) =>
      (await dom.leading()).api.createUser(request, caller),
    ),
    listUsers: unary(async (request, caller) =>
      (await dom.leading()).api.listUsers(request, caller),
    ),
    revokeUser: unary(async (request, caller) =>
      (await dom.leading()).api.revokeUser(request, caller),
    ),
    getServerInfo: unary(async (request, caller) =>
      (await dom.leading()).api.getServerInfo(request, caller),
    ),
  });
}

async function* fetchBlob(
  dom: Dom,
  { digest, offsetBytes }: FetchBlobRequest,
  { identity }: Caller,
): AsyncIterable<FetchBlobResponse> {
  const wanted = { digest, offsetBytes: Number(offsetBytes) };
  const { sizeBytes, chunks } = await handOut(await dom.leading(), identity, wanted);
  // The size goes with the first chunk: most blobs are one message.
  let untoldBytes = BigInt(sizeBytes);
  for await (const piece of chunks)
    for (let at = 0; at < piece.byteLength; at += CHUNK_BYTES_MAX) {
      yield { chunk: bufferOf(piece.subarray(at, at + CHUNK_BYTES_MAX)), sizeBytes: untoldBytes };
      untoldBytes = 0n;
    }
}

/** As the message says. */
const CHUNK_BYTES_MAX = 64 * 1024;

async function findPeers(
  dom: Dom,
  { list, missingBytes, failed }: FindPeersRequest,
  { identity }: Caller,
): Promise<FindPeersResponse> {
  if (identity?.kind !== 'node') throw new RequestError('PERMISSION_DENIED', 'blobs are for nodes');
  const { blobAccess, peers } = await dom.leading();
  if (!isDigest(list) || !(await blobAccess.allowed(identity, list)))
    throw new RequestError('PERMISSION_DENIED', `${list} is not in the plan of ${identity.name}`);
  const found = peers.find(identity, { list, missingBytes: Number(missingBytes), failed });
  return {
    peers: found.map(({ fingerprint, grant, untilS, ...peer }) => ({
      ...peer,
      fingerprint: Buffer.from(fingerprint, 'hex'),
      grant: bufferOf(grant),
      untilS: BigInt(untilS),
    })),
  };
}

function bufferOf(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
