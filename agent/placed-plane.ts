import type { NodePlan } from '../proto/gen/b8s/v1/plan.ts';
import type { Log } from '../runtime/log.ts';
import { takeTurns } from '../runtime/turns.ts';
import { type DataPlane, NOTHING_APPLIED, type PlaneSnapshot } from './plane/plane.ts';
import { NOT_A_NAMESERVER } from './plane/worker.ts';

/** Where a node serves the public, and as what. */
export interface Place {
  /** IPv4 and IPv6, sorted. */
  readonly addresses: readonly string[];
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly dnsPort: number;
  /** Sorted. */
  readonly roles: readonly string[];
}

export interface PlacedPlaneOptions {
  readonly node: string;
  /** Listen here, whatever addresses the Node declares: behind a translating router, in tests. */
  readonly listen?: readonly string[];
  readonly log: Log;
  /** Opens a plane; throws with a message for a person where it may not listen. */
  readonly open: (place: Place) => Promise<DataPlane>;
}

/**
 * A data plane that stands where the node's own entry in the directory says, and moves when that
 * changes: the new one serves before the old one goes.
 */
export function placedPlane({ node, listen, log, open }: PlacedPlaneOptions): DataPlane {
  const inTurn = takeTurns();
  let onDamaged: Parameters<DataPlane['onDamaged']>[0] = () => undefined;
  let write: Parameters<DataPlane['onLines']>[0] = async () => undefined;
  let current: { readonly name: string; readonly plane: DataPlane } | undefined;

  async function planeFor(snapshot: PlaneSnapshot): Promise<DataPlane | undefined> {
    const own = snapshot.dns.nodes.find(({ name }) => name === node);
    // Without a word on this node it stays where it is.
    if (own === undefined) return current?.plane;
    const place = placeOf(own, listen);
    const name = JSON.stringify(place);
    if (current?.name === name) return current.plane;
    const plane = await open(place);
    plane.onDamaged((blob) => onDamaged(blob));
    plane.onLines((lines) => write(lines));
    log.info({ place }, 'serving the public');
    const before = current?.plane;
    current = { name, plane };
    if (before !== undefined) {
      const close = plane.apply(snapshot).then(() => before.close());
      close.catch((error: unknown) => log.warn({ error: String(error) }, 'closing the old plane'));
    }
    return plane;
  }

  return {
    apply: (snapshot) =>
      inTurn(async () => {
        const plane = await planeFor(snapshot);
        return plane === undefined ? NOTHING_APPLIED : plane.apply(snapshot);
      }),
    setHealth: (health) => current?.plane.setHealth(health),
    explain: async (question) => current?.plane.explain(question) ?? NOT_A_NAMESERVER,
    state: () => current?.plane.state() ?? [],
    takeTraffic: () => current?.plane.takeTraffic() ?? [],
    onDamaged: (listener) => {
      onDamaged = listener;
    },
    onLines: (writer) => {
      write = writer;
    },
    close: async () => current?.plane.close(),
  };
}

function placeOf(own: NodePlan, listen: readonly string[] | undefined): Place {
  return {
    addresses: (listen ?? [...own.ipv4, ...own.ipv6]).toSorted(),
    httpPort: own.httpPort,
    httpsPort: own.httpsPort,
    dnsPort: own.dnsPort,
    roles: own.roles.toSorted(),
  };
}
