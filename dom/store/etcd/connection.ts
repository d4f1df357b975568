import type { IOptions } from 'etcd3';
import { Etcd3 } from 'etcd3';

export interface EtcdOptions {
  /** Each with its scheme, e.g. `https://10.0.0.1:2379`. */
  readonly hosts: readonly string[];
  /** Left out: etcd's authentication is off, or the client certificate is enough. */
  readonly credentials?: EtcdCredentials;
  /** Left out: plain connections. */
  readonly tls?: EtcdTls;
  /** Put before every key, so that several stores can share one etcd. */
  readonly prefix?: string;
}

export interface EtcdCredentials {
  readonly username: string;
  readonly password: string;
}

/** All PEM. */
export interface EtcdTls {
  readonly authority: Buffer;
  readonly certificate?: Buffer;
  readonly privateKey?: Buffer;
}

/** How long one call may take before its outcome counts as lost. */
export const CALL_DEADLINE_MS = 4_000;
/** A response that is larger is refused; lists then ask for fewer keys. */
const RESPONSE_BYTES_MAX = 64 * 1024 * 1024;
/** No more often: etcd ends connections that ping oftener than every 5 s. */
const PING_EVERY_MS = 10_000;
const PING_TIMEOUT_MS = 4_000;

/**
 * A client whose every fault-handling policy is off: etcd3 by default retries calls, and a
 * transaction that is retried after its answer was lost reports a conflict with itself.
 */
export function connect({ hosts, credentials, tls }: EtcdOptions): Etcd3 {
  const options: IOptions = {
    hosts: [...hosts],
    faultHandling: { host: () => noPolicy, global: noPolicy },
    defaultCallOptions: ({ isStream }) =>
      isStream ? {} : { deadline: Date.now() + CALL_DEADLINE_MS },
    grpcOptions: {
      'grpc.max_receive_message_length': RESPONSE_BYTES_MAX,
      'grpc.keepalive_time_ms': PING_EVERY_MS,
      'grpc.keepalive_timeout_ms': PING_TIMEOUT_MS,
      // Otherwise a new client would get the old one's connection, however dead.
      'grpc.use_local_subchannel_pool': 1,
    },
  };
  if (credentials !== undefined) options.auth = { ...credentials };
  if (tls !== undefined) {
    options.credentials = { rootCertificate: tls.authority };
    if (tls.privateKey !== undefined) options.credentials.privateKey = tls.privateKey;
    if (tls.certificate !== undefined) options.credentials.certChain = tls.certificate;
  }
  return new Etcd3(options);
}

type Policy = NonNullable<NonNullable<IOptions['faultHandling']>['global']>;

/** The one method of a policy that etcd3 calls. */
const noPolicy = {
  execute: async <T>(run: (context: { signal: AbortSignal }) => PromiseLike<T> | T) =>
    await run({ signal: new AbortController().signal }),
} as unknown as Policy;
