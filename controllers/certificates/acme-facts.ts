import type { Certificate } from '../../api/certificate.ts';
import type { Issuer } from '../../api/issuer.ts';
import { zonesByOrigin } from '../../runtime/dns/zones.ts';
import { nodeViews } from '../../runtime/session/node-view.ts';
import type { World } from '../../runtime/store/world.ts';
import type { AcmeFacts } from './acme-status.ts';

/** Undefined: it is not to come from an ACME CA. */
export function acmeFacts(
  world: World,
  { metadata: { uid } }: Certificate,
  issuer: Issuer | undefined,
): AcmeFacts | undefined {
  if (issuer?.spec.acme === undefined) return undefined;
  return {
    issuer,
    account: world.record('acmeAccount', issuer.metadata.uid)?.value,
    order: world.record('acmeOrder', uid)?.value,
    issuance: world.record('issuance', uid)?.value,
    proofs: {
      zones: zonesByOrigin(world.list('Zone')),
      zoneRecord: (zone) => world.record('zone', zone)?.value,
      nodes: nodeViews(world),
    },
  };
}

/** Issuers that may have issued it beside the declared one. */
export function fallbacksOf(world: World, issuer: Issuer | undefined): readonly Issuer[] {
  const names = issuer?.spec.acme?.fallbacks ?? [];
  return names.flatMap((name) => world.get('Issuer', { name }) ?? []);
}
