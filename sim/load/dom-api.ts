import type { Resource } from '../../api/object.ts';
import type { Term } from '../../dom/dom.ts';
import type { UploadBlobRequest } from '../../proto/gen/b8s/v1/api.ts';
import {
  type Api,
  ApiError,
  type ApiErrorReason,
  type Applied,
  type Blob,
  type HistoryEntry,
} from '../../runtime/api-client.ts';
import type { Clock } from '../../runtime/clock.ts';
import { RequestError, type RequestErrorCode } from '../../runtime/request-error.ts';
import type { RunningDom } from '../hosts/dom-host.ts';
import { whenKilled } from '../net/when-killed.ts';

export interface DomApiOptions {
  readonly clock: Clock;
  /** The one that is asked; undefined: none runs. */
  readonly dom: () => RunningDom | undefined;
  readonly requestTimeoutMs: number;
  /** For history. */
  readonly command: string;
}

/**
 * What b8sctl asks of dom, without a wire: as over gRPC, a dom that dies breaks the call, and one
 * that stands still lets it run into its timeout.
 */
export function domApi(options: DomApiOptions): Api {
  const { command } = options;
  const call = <T>(work: (api: Term['api']) => Promise<T>): Promise<T> => ask(options, work);
  return {
    apply: (object, { manager, forceConflicts = false, dryRun = false }) =>
      call(async (api): Promise<Applied> => {
        const objectJson = JSON.stringify(object);
        const request = { objectJson, manager, forceConflicts, dryRun, command };
        const response = await api.apply(request, ADMIN);
        return {
          outcome: response.outcome as Applied['outcome'],
          object: parseObject(response.objectJson),
          warnings: response.warnings,
        };
      }),
    update: (object, { manager }) =>
      call(async (api) => {
        const request = { objectJson: JSON.stringify(object), manager, command, dryRun: false };
        return parseObject((await api.update(request, ADMIN)).objectJson);
      }),
    get: (reference) =>
      call(async (api) =>
        parseObject((await api.get({ reference, revision: 0n }, ADMIN)).objectJson),
      ),
    list: ({ kind, namespace, labelSelector = '' }) =>
      call(async (api) => {
        const revision = 0n;
        const request = { kind, namespace, labelSelector, revision, limit: 0, continue: '' };
        const page = await api.list(request, ADMIN);
        return { objects: page.objectsJson.map(parseObject), revision: page.revision };
      }),
    // What it is for, finalizers and rollouts, scenarios look at themselves.
    watch: () => notHere('watch'),
    delete: (reference, { uid = '', dryRun = false } = {}) =>
      call(async (api) => {
        const response = await api.delete({ reference, uid, command, dryRun }, ADMIN);
        return { object: parseObject(response.objectJson), finalizing: response.finalizing };
      }),
    history: (reference) =>
      call(async (api) => (await api.history({ reference }, ADMIN)).records.map(historyEntry)),
    findMissingBlobs: (digests) =>
      call(async (api) => {
        const answer = await api.findMissingBlobs({ digests: [...digests] }, ADMIN);
        return answer.digests.map((digest) => ({ digest, heldBytes: 0 }));
      }),
    uploadBlobs: (blobs) =>
      call(async (api) => {
        await api.uploadBlob(piecesOf(blobs), ADMIN);
      }),
    createToken: () => notHere('createToken'),
    listTokens: () => notHere('listTokens'),
    revokeToken: () => notHere('revokeToken'),
    createTransferKey: () => notHere('createTransferKey'),
    listTransferKeys: () => notHere('listTransferKeys'),
    deleteTransferKey: () => notHere('deleteTransferKey'),
    explainDns: (question) =>
      call(async (api) => {
        const { explanation } = await api.explainDns(question, ADMIN);
        if (explanation === undefined) throw new ApiError('InternalError', 'an empty explanation');
        return explanation;
      }),
    readLogs: () => notHere('readLogs'),
    traffic: () => notHere('traffic'),
    forecast: () => notHere('forecast'),
    createUser: () => notHere('createUser'),
    listUsers: () => notHere('listUsers'),
    revokeUser: () => notHere('revokeUser'),
    serverInfo: () => notHere('serverInfo'),
    close: () => undefined,
  };
}

const ADMIN = { identity: { kind: 'user', name: 'admin', role: 'admin' } } as const;

/** The words for gRPC's codes, as b8sctl's real connection has them. */
const REASONS: Readonly<Record<RequestErrorCode, ApiErrorReason>> = {
  INVALID_ARGUMENT: 'Invalid',
  NOT_FOUND: 'NotFound',
  ALREADY_EXISTS: 'AlreadyExists',
  FAILED_PRECONDITION: 'Conflict',
  ABORTED: 'Aborted',
  OUT_OF_RANGE: 'Expired',
  UNAUTHENTICATED: 'Unauthorized',
  PERMISSION_DENIED: 'Forbidden',
  UNAVAILABLE: 'Unavailable',
  RESOURCE_EXHAUSTED: 'TooManyRequests',
};

async function ask<T>(
  { clock, dom, requestTimeoutMs }: DomApiOptions,
  work: (api: Term['api']) => Promise<T>,
): Promise<T> {
  const running = dom();
  if (running === undefined) throw new ApiError('Unavailable', 'is dom running there?');
  const { process } = running;
  const over = new AbortController();
  const broken = Promise.withResolvers<never>();
  const stop = whenKilled(process, () =>
    broken.reject(new ApiError('Unavailable', 'the connection broke')),
  );
  const late = clock.sleep(requestTimeoutMs, over.signal).then(() => {
    throw new ApiError('Timeout', 'dom did not answer in time');
  });
  for (const each of [broken.promise, late]) each.catch(() => undefined);
  const answer = process.promise(running.dom.leading().then(({ api }) => work(api)));
  try {
    return await Promise.race([answer, broken.promise, late]);
  } catch (error) {
    throw apiErrorOf(error);
  } finally {
    stop();
    over.abort();
  }
}

function apiErrorOf(error: unknown): unknown {
  if (!(error instanceof RequestError)) return error;
  const { code, message, details } = error;
  return new ApiError(REASONS[code], message, { ...details, cause: error });
}

async function* piecesOf(blobs: AsyncIterable<Blob>): AsyncGenerator<UploadBlobRequest> {
  for await (const { digest, sizeBytes, chunks } of blobs) {
    let head = { digest, sizeBytes: BigInt(sizeBytes), offsetBytes: 0n, rawBytes: 0 };
    for await (const chunk of chunks) {
      yield { ...head, chunk: Buffer.from(chunk) };
      head = { ...head, digest: '', sizeBytes: 0n };
    }
  }
}

function historyEntry(
  record: Awaited<ReturnType<Term['api']['history']>>['records'][number],
): HistoryEntry {
  return {
    ...record,
    generation: Number(record.generation),
    timeMs: Number(record.timeMs),
    change: record.change as HistoryEntry['change'],
    spec: JSON.parse(record.specJson) as unknown,
  };
}

function parseObject(json: string): Resource {
  return JSON.parse(json) as Resource;
}

function notHere(method: string): never {
  throw new Error(`${method} is not among what scenarios do`);
}
