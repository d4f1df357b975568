import type { Agent, IncomingMessage } from 'node:http';
import { connect } from 'node:tls';
import { BlobOffsetError, type BlobSource } from '../content/blob-source.ts';
import type { Digest } from '../content/digest.ts';
import {
  encodeQuestion,
  HEADS_HEADER,
  parseHeads,
  type SmallBlobs,
} from '../content/small-blobs.ts';
import type { NodeCredentials } from '../session/enrolment.ts';
import { DOM_SERVER_NAME } from '../tls/server-names.ts';
import { http } from './http-module.ts';

/** Where dom's port has blobs for nodes, behind which comes the digest. */
export const BLOBS_PATH = '/blobs/';
/** Says why a blob is refused, as gRPC names it; an older dom does not know the path at all. */
export const ERROR_HEADER = 'b8s-error';
/** Connections at once. */
const SOCKETS_MAX = 4;
const IDLE_MS = 15_000;
/** A refusal is read up to here, for whoever reads the log. */
const REFUSAL_CHARACTERS_MAX = 500;

/** One dom's blobs over HTTP/1.1 and mutual TLS. */
export interface HttpsDom {
  /** As `BlobSource` has it; `unknown`: this dom is too old for it. */
  fetch(
    digest: string,
    offsetBytes: number,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array> | 'unknown'>;
  readonly fetchSmall: Required<BlobSource>['fetchSmall'];
  close(): void;
}

export function httpsDom(address: string, credentials: NodeCredentials): HttpsDom {
  const agent = domAgent(address, credentials);
  return {
    async fetch(digest, offsetBytes, signal) {
      const path = `${BLOBS_PATH}${digest}`;
      const range = offsetBytes > 0 && { range: `bytes=${offsetBytes}-` };
      const response = await request(agent, { path, headers: { ...range }, signal });
      const { statusCode, headers } = response;
      if (statusCode === (offsetBytes === 0 ? 200 : 206)) return response;
      const code = headers[ERROR_HEADER];
      if (statusCode === 404 && code === undefined) {
        response.resume();
        return 'unknown';
      }
      const Kind = code === 'OUT_OF_RANGE' ? BlobOffsetError : Error;
      throw new Kind(`fetch ${digest} from dom: ${await refusalOf(response)}`);
    },
    fetchSmall: (digests, signal) => fetchSmall(agent, digests, signal),
    close: () => agent.destroy(),
  };
}

/** Connections to dom's port, with a certificate of the cluster. */
export function domAgent(
  address: string,
  { caPem, certificatePem, keyPem }: Pick<NodeCredentials, 'caPem' | 'certificatePem' | 'keyPem'>,
): Agent {
  const { hostname, port } = new URL(`https://${address}`);
  const agent: Agent = new http.Agent({
    ...{ keepAlive: true, maxSockets: SOCKETS_MAX, timeout: IDLE_MS },
  });
  agent.createConnection = () =>
    connect({
      host: hostname.replace(/^\[|\]$/gu, ''),
      port: Number(port === '' ? 443 : port),
      servername: DOM_SERVER_NAME,
      ALPNProtocols: ['http/1.1'],
      ...{ ca: caPem, cert: certificatePem, key: keyPem },
    });
  return agent;
}

async function fetchSmall(
  agent: Agent,
  digests: readonly Digest[],
  signal: AbortSignal,
): Promise<SmallBlobs | 'unknown'> {
  const body = encodeQuestion(digests);
  const response = await request(agent, { path: BLOBS_PATH, headers: {}, body, signal });
  const { statusCode, headers } = response;
  const told = headers[HEADS_HEADER];
  if (statusCode === 200 && typeof told === 'string') {
    const heads = parseHeads(told, digests.length);
    if (heads !== undefined) return { heads, pieces: response };
  } else if ((statusCode === 404 || statusCode === 405) && headers[ERROR_HEADER] === undefined) {
    response.resume();
    return 'unknown';
  }
  const why = statusCode === 200 ? 'it names other blobs' : await refusalOf(response);
  response.destroy();
  throw new Error(`fetch ${digests.length} blobs from dom: ${why}`);
}

function request(
  agent: Agent,
  given: {
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    /** Left out: it is only asked for. */
    readonly body?: string;
    readonly signal: AbortSignal;
  },
): Promise<IncomingMessage> {
  const { path, body, signal } = given;
  const method = body === undefined ? 'GET' : 'POST';
  const headers = { host: DOM_SERVER_NAME, ...given.headers };
  return new Promise((resolve, reject) => {
    const asked = http.request({ agent, method, path, headers, signal });
    asked.once('response', resolve);
    asked.on('error', reject);
    asked.end(body);
  });
}

export async function refusalOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of response) {
    text += String(piece);
    if (text.length > REFUSAL_CHARACTERS_MAX) break;
  }
  return text.trim() || `it answered ${response.statusCode}`;
}
