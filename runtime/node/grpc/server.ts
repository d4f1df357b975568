import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  Server,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerOptions,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import type { Log } from '../../log.ts';
import { peerIdentity } from '../tls/peer-identity.ts';

/** From dom; as large as a plan of many thousand objects. */
export const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;
/** To dom: nothing that it could keep is larger, and each of many callers may send as much. */
export const REQUEST_BYTES_MAX = 4 * 1024 * 1024;
export const KEEPALIVE_TIME_MS = 20_000;
export const KEEPALIVE_TIMEOUT_MS = 10_000;
/** On one connection. A sub has one session and a few blobs under way. */
export const STREAMS_MAX = 256;

export interface GrpcServer {
  readonly server: Server;
  /** What the health service answers; at first, that dom is not ready. */
  readonly setServing: (state: 'SERVING' | 'NOT_SERVING') => void;
}

/**
 * A gRPC server with health and reflection, to which dom adds its services. It has no port of its
 * own: see `listenTls`.
 *
 * Guarantees: a caller without an identity reaches only Join and health.
 */
export function createGrpcServer(options: {
  readonly log: Log;
  /** The folder with `b8s/v1/*.proto`, for reflection. */
  readonly protoFolder: string;
}): GrpcServer {
  const server = new Server(SERVER_OPTIONS);
  const health = new HealthImplementation({ '': 'NOT_SERVING' });
  health.addToServer(server);
  addReflection(server, options);
  return { server, setServing: (state) => health.setStatus('', state) };
}

const OPEN_PATHS: readonly string[] = ['/b8s.v1.IdentityService/', '/grpc.health.v1.Health/'];

const requireIdentity: ServerInterceptor = (method, call) => {
  const open = OPEN_PATHS.some((path) => method.path.startsWith(path));
  if (open || peerIdentity(call) !== undefined) return new ServerInterceptingCall(call);
  const details = 'no client certificate of this cluster was shown';
  return new ServerInterceptingCall(call, {
    start: () => call.sendStatus({ code: status.UNAUTHENTICATED, details }),
  });
};

const SERVER_OPTIONS: ServerOptions = {
  interceptors: [requireIdentity],
  'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
  'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.max_receive_message_length': REQUEST_BYTES_MAX,
  'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
  'grpc.max_concurrent_streams': STREAMS_MAX,
  // It would keep an entry of every connection for nobody to ask.
  'grpc.enable_channelz': 0,
};

const PROTO_FILES = ['agent.proto', 'api.proto', 'identity.proto'];

/** Reflection is a help for people with grpcurl: without the files dom does without it. */
function addReflection(
  server: Server,
  { log, protoFolder }: { log: Log; protoFolder: string },
): void {
  const files = PROTO_FILES.map((file) => join('b8s', 'v1', file));
  if (!files.every((file) => existsSync(join(protoFolder, file)))) {
    log.info({ protoFolder }, 'no proto files there: gRPC reflection is off');
    return;
  }
  new ReflectionService(loadSync(files, { includeDirs: [protoFolder] })).addToServer(server);
}
