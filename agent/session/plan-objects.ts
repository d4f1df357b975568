import type {
  CertificatePlan,
  ChallengePlan,
  DnsPlan,
  GeoPlan,
  NodePlan,
  PlanObject,
  SitePlan,
  ZonePlan,
} from '../../proto/gen/b8s/v1/plan.ts';

/** A plan's objects by kind, each list in the order of their keys. */
export interface PlanObjects {
  readonly sites: readonly SitePlan[];
  /** By plan key, as sites refer to them. */
  readonly certificates: ReadonlyMap<string, CertificatePlan>;
  readonly zones: readonly ZonePlan[];
  readonly nodes: readonly NodePlan[];
  /** Undefined: dom has no geography database. */
  readonly geo: GeoPlan | undefined;
  /** Undefined: this node is no nameserver, or dom is from before there was one. */
  readonly dns: DnsPlan | undefined;
  /** Proofs for CAs, to be put up by edges. */
  readonly challenges: readonly ChallengePlan[];
}

/** Sorts a plan's objects by what they are; what a newer dom adds is left aside. */
export function planObjects(objects: ReadonlyMap<string, PlanObject>): PlanObjects {
  const sites: SitePlan[] = [];
  const certificates = new Map<string, CertificatePlan>();
  const zones: ZonePlan[] = [];
  const nodes: NodePlan[] = [];
  const challenges: ChallengePlan[] = [];
  let geo: GeoPlan | undefined;
  let dns: DnsPlan | undefined;
  for (const [key, { object }] of objects) {
    switch (object?.$case) {
      case 'site':
        sites.push(object.value);
        break;
      case 'certificate':
        certificates.set(key, object.value);
        break;
      case 'zone':
        zones.push(object.value);
        break;
      case 'node':
        nodes.push(object.value);
        break;
      case 'geo':
        geo ??= object.value;
        break;
      case 'dns':
        dns ??= object.value;
        break;
      case 'challenge':
        challenges.push(object.value);
        break;
      case undefined:
        break;
    }
  }
  return { sites, certificates, zones, nodes, geo, dns, challenges };
}
