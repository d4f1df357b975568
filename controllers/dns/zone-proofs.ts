import { proofsUp } from '../../runtime/acme/proofs.ts';
import type { AcmeOrderRecord } from '../../runtime/acme/records.ts';
import { type ZonesByOrigin, zoneOfHost, zonesByOrigin } from '../../runtime/dns/zones.ts';
import { qualifiedName } from '../../runtime/store/keys.ts';
import type { World } from '../../runtime/store/world.ts';

/** What a zone is to hold for as long as a CA looks for a proof. */
export type ZoneProof =
  /** A TXT record (RFC 8555 §8.4); its name is whole. */
  | { readonly kind: 'text'; readonly name: string; readonly value: string }
  /** The host is to lead to edges, which answer with the token (RFC 8555 §8.3, RFC 8737 §3). */
  | { readonly kind: 'host'; readonly name: string; readonly token: string };

/** By zone, `namespace/name`. */
export type ProofsByZone = ReadonlyMap<string, readonly ZoneProof[]>;

interface Wanted {
  /** `namespace/name`. */
  readonly zone: string;
  readonly proof: ZoneProof;
}

/** Pure: what an order wants of zones, in the order's order. */
export function proofsOfOrder(order: AcmeOrderRecord, zones: ZonesByOrigin): ProofsByZone {
  const wanted = proofsUp(order).flatMap(({ name, proof }): readonly Wanted[] => {
    if (proof.type === 'dns-01') {
      const { recordName, recordValue: value, zone } = proof;
      return [{ zone, proof: { kind: 'text', name: recordName, value } }];
    }
    const zone = zoneOfHost(zones, name);
    if (zone === undefined) return [];
    return [
      { zone: qualifiedName(zone.metadata), proof: { kind: 'host', name, token: proof.token } },
    ];
  });
  return new Map(
    [...Map.groupBy(wanted, ({ zone }) => zone)].map(([zone, wants]) => [
      zone,
      wants.map(({ proof }) => proof),
    ]),
  );
}

/**
 * The proofs that zones are to hold. What it remembers only saves work: a controller that begins
 * anew is told of every zone and of every order.
 */
export class ZoneProofs {
  readonly #world: World;
  /** By order: what each zone was last wanted to hold for it, as text. */
  readonly #wants = new Map<string, ReadonlyMap<string, string>>();
  #zones: { readonly of: unknown; readonly byOrigin: ZonesByOrigin } | undefined;
  #proofs: { readonly of: readonly unknown[]; readonly byZone: ProofsByZone } | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  /** The zones that a change of this order changes: most steps of an order change none. */
  affectedBy(id: string): readonly string[] {
    const order = this.#world.record('acmeOrder', id)?.value;
    const before = this.#wants.get(id) ?? new Map<string, string>();
    const proofs = order === undefined ? [] : proofsOfOrder(order, this.#byOrigin());
    const after = new Map([...proofs].map(([zone, wants]) => [zone, JSON.stringify(wants)]));
    if (after.size === 0) this.#wants.delete(id);
    else this.#wants.set(id, after);
    const zones = new Set([...before.keys(), ...after.keys()]);
    return [...zones].filter((zone) => before.get(zone) !== after.get(zone)).toSorted();
  }

  /** What a zone, `namespace/name`, is to hold by now, by order. */
  of(zone: string): readonly ZoneProof[] {
    const orders = this.#world.records('acmeOrder');
    const byOrigin = this.#byOrigin();
    // Both are the same lists until something in them changes.
    if (this.#proofs?.of[0] !== orders || this.#proofs.of[1] !== byOrigin) {
      const all = orders.flatMap(([, { value }]) => [...proofsOfOrder(value, byOrigin)]);
      const byZone = new Map(
        [...Map.groupBy(all, ([name]) => name)].map(([name, wants]) => [
          name,
          wants.flatMap(([, proofs]) => proofs),
        ]),
      );
      this.#proofs = { of: [orders, byOrigin], byZone };
    }
    return this.#proofs.byZone.get(zone) ?? [];
  }

  #byOrigin(): ZonesByOrigin {
    const zones = this.#world.list('Zone');
    if (this.#zones?.of !== zones) this.#zones = { of: zones, byOrigin: zonesByOrigin(zones) };
    return this.#zones.byOrigin;
  }
}
