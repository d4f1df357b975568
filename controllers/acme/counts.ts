import { KNOWN_ACME_LIMITS } from '../../runtime/acme/limits.ts';
import type { AcmeCountRecord, AcmeOrderRecord } from '../../runtime/acme/records.ts';
import type { Stored } from '../../runtime/store/records.ts';
import type { World } from '../../runtime/store/world.ts';
import type { Operation } from '../../runtime/store/writer.ts';
import { areSameNames } from '../../runtime/tls/renewal.ts';
import { limitReached } from './limits.ts';
import type { WorkPorts } from './ports.ts';
import type { OrderScene } from './scene.ts';

type Facts = Pick<OrderScene, 'issuer' | 'certificate' | 'material' | 'issuance' | 'nowMs'>;

interface Placing extends Facts {
  /** What the order says that it takes over from; undefined: it does not say. */
  readonly replaces: string | undefined;
}

/** The limit that another order would break now; undefined: none that is known. */
export function limitOf(
  ports: Pick<WorkPorts, 'world' | 'acmeLimits' | 'counts'>,
  placing: Placing,
): ReturnType<typeof limitReached> {
  const { world, acmeLimits = KNOWN_ACME_LIMITS } = ports;
  const { issuer, certificate, nowMs } = placing;
  const { directory } = issuer.spec.acme;
  return limitReached(
    {
      directory,
      issuerUid: issuer.metadata.uid,
      names: certificate.spec.names,
      kind: kindOf(placing),
      limits: acmeLimits[directory],
      counts: ports.counts(),
      issuances: world.records('issuance').map(([, { value }]) => value),
    },
    nowMs,
  );
}

/** Pure: whether the CA itself wants what is in use to be replaced by now (RFC 9773 §4.2). */
export function isSuggested({
  issuer,
  material,
  issuance,
  nowMs,
}: Omit<Facts, 'certificate'>): boolean {
  const before = material?.value;
  const { renewal } = issuance?.value ?? {};
  if (before === undefined || before.directory !== issuer.spec.acme.directory) return false;
  if (renewal?.window === undefined || renewal.fingerprint !== before.fingerprint) return false;
  return renewal.window.startMs <= nowMs;
}

/** Pure: how a CA's limits see it. One that does not say what it replaces is like any other. */
export function kindOf(placing: Placing): AcmeCountRecord['kind'] {
  const { issuer, certificate, material, replaces } = placing;
  if (replaces !== undefined && isSuggested(placing)) return 'suggested';
  const before = material?.value;
  if (before?.directory !== issuer.spec.acme.directory) return 'first';
  return areSameNames(before.names, certificate.spec.names) ? 'renewal' : 'first';
}

/**
 * Fingerprint of the certificate that the order takes over from. Of one that the CA never spoke of
 * it may not know; and one name at least must be the same (RFC 9773 §5).
 */
export function replacedBy({
  certificate,
  issuer,
  issuance,
  material,
}: Omit<Facts, 'nowMs'>): string | undefined {
  const { renewal } = issuance?.value ?? {};
  const { directory, fingerprint, names = [] } = material?.value ?? {};
  const before = new Set(names);
  if (directory !== issuer.spec.acme.directory) return undefined;
  if (!certificate.spec.names.some((name) => before.has(name))) return undefined;
  return renewal?.window !== undefined && renewal.fingerprint === fingerprint
    ? fingerprint
    : undefined;
}

/** In the same write as the order that says so. */
export function countWrite(
  certificateUid: string,
  { counted, issuerUid, names }: AcmeOrderRecord,
): readonly Operation[] {
  if (counted === undefined) return [];
  const value: AcmeCountRecord = { ...counted, issuerUid, names };
  return [{ ...recordOf(certificateUid, counted), value, modRevision: 0n }];
}

/**
 * What the count of an order says from its end on; in the same write, so that no crash comes
 * between. CAs count certificates as they issue them: so its end counts, not its beginning, and one
 * that ended before a certificate was asked for counts for none.
 */
export function countEnd(
  world: Pick<World, 'record' | 'revision'>,
  certificateUid: string,
  end: {
    readonly order: Stored<AcmeOrderRecord>;
    readonly nowMs: number;
    /** The CA refused it as one too many, and will until then. */
    readonly refusedUntilMs?: number | undefined;
  },
): readonly Operation[] {
  const { order, nowMs, refusedUntilMs } = end;
  const { counted, phase, issuerUid, names } = order.value;
  if (counted === undefined) return [];
  const operation = recordOf(certificateUid, counted);
  const known = world.record('acmeCount', operation.id);
  // It was forgotten: long ago, by some clock.
  if (known === undefined && world.revision >= order.modRevision) return [];
  const isAskedFor = phase === 'finalizing' || phase === 'downloading';
  const value: AcmeCountRecord = {
    ...counted,
    ...{ issuerUid, names, endedMs: nowMs },
    ...(isAskedFor ? {} : { certificate: 'none' }),
    ...(refusedUntilMs === undefined ? {} : { refusedUntilMs }),
  };
  // Not seen yet: it was written with the order, just now.
  return [{ ...operation, value, modRevision: known?.modRevision ?? order.modRevision }];
}

function recordOf(
  certificateUid: string,
  { startedMs }: Pick<AcmeCountRecord, 'startedMs'>,
): { readonly kind: 'record'; readonly record: 'acmeCount'; readonly id: string } {
  return { kind: 'record', record: 'acmeCount', id: `${certificateUid}/${startedMs}` };
}
