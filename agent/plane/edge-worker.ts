import type { HttpListener, HttpListenerOptions } from '../../runtime/node/http-listener.ts';
import type { AlpnProofs } from '../../runtime/node/tls/alpn-proofs.ts';
import type { TlsContexts } from '../../runtime/node/tls/contexts.ts';
import { chooseCertificates } from '../edge/certificate-table.ts';
import type { Edge, SiteState } from '../edge/edge.ts';
import { alpnProofs, shownTokens } from '../edge/proofs.ts';
import type { EdgeSnapshot } from '../edge/snapshot.ts';
import { NOTHING_APPLIED } from './plane.ts';
import type { WorkerEngine } from './worker.ts';

/** How long requests in flight may take once the worker is told to end. */
export const DRAIN_MS = 20_000;

export interface EdgeWorkerParts {
  readonly edge: Edge;
  readonly contexts: TlsContexts;
  readonly proofs: AlpnProofs;
  readonly ticketKeys: Uint8Array;
  readonly listen: (
    given: Pick<
      HttpListenerOptions,
      'handler' | 'onRefused' | 'contexts' | 'proofs' | 'ticketKeys'
    >,
  ) => Promise<HttpListener>;
}

/**
 * An edge on sockets. It shares its ports with the node's other edge workers, so it listens only
 * once it has something to answer with: a worker that starts must not answer "no such site".
 */
export function edgeWorker(parts: EdgeWorkerParts): WorkerEngine {
  const { edge, contexts, proofs, listen } = parts;
  let { ticketKeys } = parts;
  let listener: HttpListener | undefined;
  return {
    async apply(sequence, snapshot) {
      if (snapshot.kind !== 'edge') throw new TypeError(`an edge was given ${snapshot.kind}`);
      const problems = contexts.replace(chooseCertificates(snapshot.edge));
      proofs.replace(alpnProofs(snapshot.edge));
      const sites = await edge.apply(sequence, snapshot.edge);
      const { handler, noteRefused: onRefused } = edge;
      listener ??= await listen({ handler, onRefused, contexts, proofs, ticketKeys });
      listener.guide(snapshot.edge.clients ?? 'stay');
      return {
        ...NOTHING_APPLIED,
        sites: withCertificates(sites, snapshot.edge, { contexts, problems }),
        challenges: shownTokens(snapshot.edge),
      };
    },
    setTicketKeys(keys) {
      ticketKeys = keys;
      listener?.setTicketKeys(keys);
    },
    takeTraffic: () => edge.takeTraffic(),
    connections: () => listener?.connections() ?? 0,
    linesTaken: (length) => edge.recorder?.taken(length),
    close: async () => {
      await listener?.close({ graceMs: DRAIN_MS });
      edge.recorder?.flush();
    },
  };
}

/** Adds which certificate each site has, and what is wrong with the one it should have. */
function withCertificates(
  sites: readonly SiteState[],
  { sites: plans }: EdgeSnapshot,
  tls: { readonly contexts: TlsContexts; readonly problems: ReadonlyMap<string, string> },
): readonly SiteState[] {
  return sites.map((site, index) => {
    const hosts = plans[index]?.hosts ?? [];
    const certificate = tls.contexts.fingerprintFor(hosts[0] ?? '');
    const broken = hosts.find((host) => tls.problems.has(host));
    const ofHost = broken === undefined ? undefined : `${broken}: ${tls.problems.get(broken)}`;
    const problem = site.problem ?? ofHost;
    return {
      ...site,
      ...(certificate === undefined ? {} : { certificate }),
      ...(problem === undefined ? {} : { problem }),
    };
  });
}
