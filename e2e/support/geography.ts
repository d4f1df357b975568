import { grpcApi } from '../../runtime/node/grpc/api.ts';
import type { Cluster, NodeOptions } from './cluster.ts';
import { until } from './processes.ts';

/** Any address that the bundled database knows. */
const CLIENT = '1.144.0.1';

/**
 * Waits until each nameserver has fetched the geography database: before that a node is Ready, but
 * answers by rotation, for it knows nobody's place.
 */
export async function geographyKnown(
  cluster: Cluster,
  {
    host,
    nodes,
    onWait = () => undefined,
  }: {
    readonly host: string;
    readonly nodes: readonly NodeOptions[];
    /** Told the names of those that are still at it. */
    readonly onWait?: (names: readonly string[]) => void;
  },
): Promise<void> {
  // Asked here: a b8sctl for each question would take the time of the nodes that are at it.
  const api = grpcApi(cluster.connection(), { requestTimeoutMs: 5_000, command: 'e2e' });
  try {
    for (const [index, { name }] of nodes.entries()) {
      onWait(nodes.slice(index).map((node) => node.name));
      const question = { name: host, type: 'A', clientIp: CLIENT, server: name };
      await until(
        `${name} knows where clients are`,
        async () => (await api.explainDns(question)).locationSource.startsWith('database sha256'),
        { timeoutMs: 120_000, everyMs: 250 },
      );
    }
  } finally {
    api.close();
  }
}
