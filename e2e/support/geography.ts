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
  for (const [index, { name }] of nodes.entries()) {
    onWait(nodes.slice(index).map((node) => node.name));
    const args = ['dns', 'explain', host, '--client', CLIENT, '--server', name, '-o', 'json'];
    await until(
      `${name} knows where clients are`,
      async () => (await cluster.b8sctl(args)).stdout.includes('database sha256'),
      { timeoutMs: 120_000, everyMs: 250 },
    );
  }
}
