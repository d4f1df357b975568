import { PEER_SERVER_NAME } from '../../runtime/content/peer-url.ts';
import {
  type Peer,
  type PeerAnswer,
  type PeerFetcher,
  peerAnswer,
} from '../../runtime/content/peers.ts';
import type { HttpAnswer, HttpRequest } from '../../runtime/http.ts';
import type { Process } from '../engine/process.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { NetFaults } from '../faults/net-faults.ts';
import type { Caller } from './caller.ts';
import { damaged, inPieces, PIECES_BYTES } from './pieces.ts';
import { Service, type ServicePorts } from './service.ts';

export interface PeerWaysPorts extends Omit<ServicePorts, 'chance'> {
  readonly random: SeededRandom;
  readonly faults: () => NetFaults;
}

/** An edge as other nodes see it, for as long as its process lives. */
export interface ListeningEdge {
  /** Its host. */
  readonly name: string;
  readonly process: Process;
  /** Of the certificate that it shows. */
  readonly fingerprint: string;
  /** Undefined: nothing listens there yet, or any more. */
  request(request: HttpRequest): Promise<HttpAnswer> | undefined;
}

interface PeerRequest {
  readonly peer: Peer;
  readonly path: string;
  readonly offsetBytes: number;
}

/** First the head of an answer, then its body. */
type Piece =
  | { readonly kind: 'head'; readonly status: number; readonly headers: HttpAnswer['headers'] }
  | { readonly kind: 'body'; readonly bytes: Uint8Array };

/** How blobs get from edges to other nodes, and what befalls them on the way. */
export class PeerWays {
  readonly #ports: PeerWaysPorts;
  readonly #service: Service<PeerRequest, Piece>;

  constructor(ports: PeerWaysPorts) {
    const random = ports.random.fork('peers');
    const { faults } = ports;
    this.#ports = { ...ports, random };
    this.#service = new Service(
      { ...ports, chance: (probability) => random.chance(probability) },
      {
        name: 'a blob',
        sizeBytes: (piece) => (piece.kind === 'head' ? 0 : piece.bytes.length),
        faults: () => ({ cut: faults().blobCut, hang: faults().blobHang }),
      },
    );
  }

  /** From now on this process is the edge of that host. */
  listen(edge: ListeningEdge): void {
    const { name, process } = edge;
    const bytesMax = this.#ports.random.pick(PIECES_BYTES);
    this.#service.offer(name, { process, handle: (request) => answer(edge, request, bytesMax) });
  }

  fetcher({ node, process }: Caller): PeerFetcher {
    return process.wrap<PeerFetcher>({
      get: async (peer, wanted, signal) => {
        const route = { from: node, to: peer.node };
        const request = { peer, ...wanted };
        const pieces = this.#service.call({ ...route, process, request, signal });
        const head = await pieces.next();
        if (head.done === true || head.value.kind !== 'head') throw new Error('no answer came');
        return this.#answer(head.value, pieces, { node, offsetBytes: wanted.offsetBytes });
      },
    });
  }

  async #answer(
    { status, headers }: Extract<Piece, { kind: 'head' }>,
    pieces: AsyncGenerator<Piece>,
    { node, offsetBytes }: { readonly node: string; readonly offsetBytes: number },
  ): Promise<PeerAnswer> {
    const header = (wanted: string): string | undefined =>
      headers.find(([name]) => name === wanted)?.[1];
    const body = this.#body(pieces, node);
    const found = peerAnswer({ status, header, pieces: body }, offsetBytes);
    if (found.kind !== 'bytes') await pieces.return(undefined);
    return found;
  }

  async *#body(pieces: AsyncGenerator<Piece>, node: string): AsyncGenerator<Uint8Array> {
    const { random, faults, trace } = this.#ports;
    for await (const piece of pieces) {
      if (piece.kind === 'head') continue;
      const isDamaged = piece.bytes.length > 0 && random.chance(faults().blobDamage);
      if (isDamaged) trace.add('network', `a blob for ${node} is damaged`, { kind: 'fault' });
      yield isDamaged ? damaged(piece.bytes, random) : piece.bytes;
    }
  }
}

async function* answer(
  edge: ListeningEdge,
  { peer, path, offsetBytes }: PeerRequest,
  bytesMax: number,
): AsyncGenerator<Piece> {
  if (edge.fingerprint !== peer.fingerprint) throw new Error('it shows another certificate');
  const headers = offsetBytes > 0 ? { range: `bytes=${offsetBytes}-` } : {};
  const request = { method: 'GET', path, host: PEER_SERVER_NAME, headers, secure: true };
  const asked = edge.request(request);
  if (asked === undefined) throw new Error(`ask ${edge.name} for a blob: connection refused`);
  const { status, headers: answered, body } = await asked;
  yield { kind: 'head', status, headers: answered };
  for await (const bytes of inPieces(piecesOf(body), bytesMax)) yield { kind: 'body', bytes };
}

async function* piecesOf(body: HttpAnswer['body']): AsyncGenerator<Uint8Array> {
  if (typeof body === 'string') yield Buffer.from(body);
  else if (body instanceof Uint8Array) yield body;
  else if (body !== undefined) yield* body;
}
