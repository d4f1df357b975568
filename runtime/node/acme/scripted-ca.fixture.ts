import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AcmeServer } from '../../acme/acme.ts';

/** What was asked, taken apart. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Of a JWS; empty for what is none. */
  readonly header: Readonly<Record<string, unknown>>;
  /** JSON, or nothing for POST-as-GET. */
  readonly payload: unknown;
  readonly jws: {
    readonly protected: string;
    readonly payload: string;
    readonly signature: string;
  };
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** An object is sent as JSON. */
  readonly body?: string | object;
}

export type Handler = (asked: Asked, response: ServerResponse) => Reply | 'hang' | 'reset';

/** A server on loopback that says what a test wants it to, in place of a CA. */
export interface ScriptedCa {
  readonly server: AcmeServer;
  /** `http://127.0.0.1:port` and the path. */
  url(path: string): string;
  /** From now on a path is answered so. */
  on(path: string, handler: Handler | Reply): void;
  readonly asked: readonly Asked[];
  close(): Promise<void>;
}

/** Knows `/dir`, `/nonce`, and an account at `/account/1` from the start. */
export async function openScriptedCa(): Promise<ScriptedCa> {
  const asked: Asked[] = [];
  const handlers = new Map<string, Handler>();
  let nonces = 0;
  const http = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  const address = http.address();
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const url = (path: string): string => `${origin}${path}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const question = await takeApart(request);
    asked.push(question);
    nonces += 1;
    const reply: ReturnType<Handler> = handlers.get(question.path)?.(question, response) ?? {
      status: 404,
    };
    if (reply === 'hang') return;
    if (reply === 'reset') return void request.socket.destroy();
    const { status = 200, headers = {}, body = '' } = reply;
    response.writeHead(status, { 'replay-nonce': `nonce-${nonces}`, ...headers } as Record<
      string,
      string
    >);
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }

  function on(path: string, handler: Handler | Reply): void {
    handlers.set(path, typeof handler === 'function' ? handler : () => handler);
  }

  on('/nonce', {});
  on('/dir', { body: directoryAt(url) });
  on('/new-account', { status: 201, headers: { location: url('/account/1') }, body: {} });
  return {
    server: { directory: url('/dir') },
    ...{ url, on, asked },
    async close() {
      http.closeAllConnections();
      await once(http.close(), 'close');
    },
  };
}

export function directoryAt(url: (path: string) => string): Readonly<Record<string, unknown>> {
  return {
    newNonce: url('/nonce'),
    newAccount: url('/new-account'),
    newOrder: url('/new-order'),
    revokeCert: url('/revoke'),
    keyChange: url('/key-change'),
    renewalInfo: url('/renewal/'),
    meta: {
      termsOfService: 'https://ca.test/terms',
      caaIdentities: ['CA.test'],
      profiles: { shortlived: 'six days' },
    },
  };
}

async function takeApart(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  const jws = JSON.parse(
    text === '' ? '{"protected":"e30","payload":"","signature":""}' : text,
  ) as Asked['jws'];
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    header: decode(jws.protected) as Readonly<Record<string, unknown>>,
    payload: jws.payload === '' ? undefined : decode(jws.payload),
    jws,
  };
}

function decode(part: string): unknown {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
}
