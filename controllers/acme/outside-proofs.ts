import { isDeepStrictEqual } from 'node:util';
import type { ProofStanding } from '../../runtime/acme/proof-standing.ts';
import type { AcmeAuthorizationRecord } from '../../runtime/acme/records.ts';
import { afterWrite, type Outcome } from '../../runtime/control/controller.ts';
import { isSerialGreater } from '../../runtime/dns/serial.ts';
import { askOutside, type OutsideStanding, type ProvenZone } from './outside.ts';
import { AUTHOR } from './ports.ts';
import { type OrderScene, orderWrite } from './scene.ts';

/** An authorization whose proof is up, and how far that is from where the CA looks. */
export interface Standing {
  readonly authorization: AcmeAuthorizationRecord;
  readonly standing: ProofStanding;
}

/** Who is waited for outside is stored when it changes, for a person to see. */
export async function awaitOutside(
  { ports, certificate, order }: OrderScene,
  outside: Outside,
  recheckInMs: number,
): Promise<Outcome> {
  const now = [...outside.values()].flatMap(({ waitedFor }) => waitedFor).toSorted();
  const { outside: before = [], ...kept } = order.value;
  if (isDeepStrictEqual(now, before)) return { recheckInMs };
  const value = { ...kept, ...(now.length > 0 && { outside: now }) };
  const written = await ports.writer.commit([orderWrite({ certificate, order }, value)], AUTHOR);
  return afterWrite(written, recheckInMs);
}

/** By zone, for those that have proofs in place by what our own nodes say. */
export type Outside = ReadonlyMap<string, OutsideStanding>;

/** The zone of a proof by DNS; empty: it is none. */
export function zoneOf({ authorization: { proof } }: Standing): string {
  return proof?.type === 'dns-01' ? proof.zone : '';
}

/** How those stand whom nobody reports for; empty where nobody outside is asked. */
export async function outsideOf(
  scene: OrderScene,
  standings: readonly Standing[],
): Promise<Outside> {
  const { ports, issuer, nowMs, signal } = scene;
  const { dns, publicDns, world } = ports;
  // Dom may see another DNS than the CA does.
  if (dns === undefined || issuer.spec.acme.selfCheck === 'none') return new Map();
  const zones = new Map<string, ProvenZone>();
  for (const each of standings) {
    const { standing, authorization } = each;
    const zone = zoneOf(each);
    const record = world.record('zone', zone)?.value;
    if (standing.kind !== 'inPlace' || standing.serial === undefined || record === undefined)
      continue;
    const { serial } = standing;
    const before = zones.get(zone);
    const isLater = before === undefined || isSerialGreater(serial, before.serial);
    const sinceMs = Math.max(before?.sinceMs ?? 0, authorization.proof?.sinceMs ?? nowMs);
    zones.set(zone, { zone, record, serial: isLater ? serial : before.serial, sinceMs });
  }
  const found = [...zones].map(async ([zone, proven]) => {
    const standing = await askOutside({ dns, publicDns }, proven, { nowMs, signal });
    return [zone, standing] as const;
  });
  return new Map(await Promise.all(found));
}
