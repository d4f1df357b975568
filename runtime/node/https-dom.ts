import type { Agent, IncomingMessage } from 'node:http';
import { connect } from 'node:tls';
import { BlobOffsetError } from '../content/blob-source.ts';
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
  close(): void;
}

export function httpsDom(
  address: string,
  { caPem, certificatePem, keyPem }: NodeCredentials,
): HttpsDom {
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
  return {
    async fetch(digest, offsetBytes, signal) {
      const path = `${BLOBS_PATH}${digest}`;
      const response = await request(agent, { path, offsetBytes, signal });
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
    close: () => agent.destroy(),
  };
}

function request(
  agent: Agent,
  given: {
    readonly path: string;
    readonly offsetBytes: number;
    readonly signal: AbortSignal;
  },
): Promise<IncomingMessage> {
  const { path, offsetBytes, signal } = given;
  const range = offsetBytes > 0 && { range: `bytes=${offsetBytes}-` };
  const headers = { host: DOM_SERVER_NAME, ...range };
  return new Promise((resolve, reject) => {
    const asked = http.request({ agent, path, headers, signal });
    asked.once('response', resolve);
    asked.on('error', reject);
    asked.end();
  });
}

async function refusalOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of response) {
    text += String(piece);
    if (text.length > REFUSAL_CHARACTERS_MAX) break;
  }
  return text.trim() || `it answered ${response.statusCode}`;
}
