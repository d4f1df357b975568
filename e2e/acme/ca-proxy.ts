import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../runtime/node/clock.ts';
import { systemRandom } from '../../runtime/node/random.ts';
import { createAuthority, generateCa } from '../../runtime/node/tls/authority.ts';
import type { Pebble } from '../support/pebble.ts';

const ADDRESS = '127.0.0.1';
const DAY_MS = 24 * 60 * 60 * 1000;
/** Pebble's paths of what is looked at until the CA is done: how often, depends on the machine. */
const POLL = /^POST \/(?:authZ|my-order)\//u;

/** Stands between dom and a CA, and can cut the line at any call. */
export interface CaProxy {
  /** The CA as dom is to see it: its directory, and whom to trust. */
  readonly ca: Pebble;
  /** What was asked since `count`, in order: "POST /order-plz". Polls in a row are one. */
  readonly calls: readonly string[];
  /** Begins to count anew. `cut`: the number of a call, from 1, and on which side of it. */
  count(cut?: { readonly at: number; readonly when: 'before' | 'after'; onCut(): void }): void;
  close(): Promise<void>;
}

/**
 * `before`: the CA never hears of that call. `after`: it has done what it was asked for, and the
 * answer never comes. Nothing else is answered until the next `count`.
 */
export async function startCaProxy(pebble: Pebble): Promise<CaProxy> {
  const [clock, random] = [systemClock(), systemRandom()];
  const own = await generateCa({ clock, random, name: 'the CA of the proxy' });
  const authority = await createAuthority({ ...own, clock, random });
  const { chainPem: cert, keyPem: key } = await authority.issueServer({
    names: [ADDRESS],
    keyType: 'ecdsa-p256',
    lifetimeMs: DAY_MS,
  });
  const calls: string[] = [];
  const agent = new Agent({ keepAlive: true, ca: pebble.caPem });
  let cut: Parameters<CaProxy['count']>[0];
  let isCut = false;
  const server = createServer({ cert, key }, (incoming, outgoing) => {
    void (async () => {
      if (isCut) return outgoing.destroy();
      const call = `${incoming.method} ${incoming.url}`;
      const isAgain = POLL.test(call) && calls.at(-1) === call;
      if (!isAgain) calls.push(call);
      const isLast = !isAgain && cut?.at === calls.length;
      isCut = isLast;
      if (isLast && cut?.when === 'before') {
        outgoing.destroy();
        return cut.onCut();
      }
      const answer = await forward(incoming, pebble, agent);
      if (!isLast) return send(answer, outgoing);
      outgoing.destroy();
      cut?.onCut();
    })().catch(() => outgoing.destroy());
  });
  server.listen(0, ADDRESS);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    ca: { ...pebble, directory: `https://${ADDRESS}:${port}/dir`, caPem: own.caPem },
    calls,
    count(next) {
      calls.length = 0;
      isCut = false;
      cut = next;
    },
    async close() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** With the caller's `Host`, which Pebble makes its URLs of. */
async function forward(incoming: IncomingMessage, pebble: Pebble, agent: Agent): Promise<Answer> {
  const body = await bytesOf(incoming);
  const url = new URL(incoming.url ?? '/', pebble.directory);
  const { method = 'GET', headers } = incoming;
  const call = request(url, { method, headers, agent });
  call.end(body);
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  // Each connection is kept or not by its own two ends (RFC 9110 §7.6.1).
  const { connection: _, 'keep-alive': _k, ...kept } = response.headers;
  return {
    status: response.statusCode ?? 502,
    headers: kept,
    body: await bytesOf(response),
  };
}

function send({ status, headers, body }: Answer, outgoing: ServerResponse): void {
  outgoing.writeHead(status, headers);
  outgoing.end(body);
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
