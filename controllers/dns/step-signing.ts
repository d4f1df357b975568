import {
  dnskeyRdata,
  generateZoneKey,
  keyTagOf,
  type ZoneKeyMaterial,
  zoneKeyContext,
} from '../../runtime/dns/dnssec.ts';
import type { Random } from '../../runtime/random.ts';
import type { SigningRecord } from '../../runtime/store/records.ts';
import type { Sealer } from '../../runtime/tls/authority.ts';
import { planSigning, type SigningFacts, withNewKey } from './plan-signing.ts';

export interface SigningPorts {
  readonly random: Random;
  readonly sealer: Sealer;
}

/** What is to be stored of a zone's keys: undefined: nothing, for it is not signed. */
export interface SigningStep {
  readonly record: SigningRecord | undefined;
  readonly recheckInMs: number;
}

/** Takes the next step of a zone's keys; a new one is sealed before anyone sees it (INV-33). */
export function stepSigning(ports: SigningPorts, facts: SigningFacts, nowMs: number): SigningStep {
  const plan = planSigning(facts, nowMs);
  switch (plan.kind) {
    case 'unsigned':
      return { record: undefined, recheckInMs: Infinity };
    case 'signed':
      return plan;
    case 'generate': {
      const { publicKey, privatePem } = newKey(ports, facts);
      const key = {
        generation: plan.generation,
        keyTag: keyTagOf(dnskeyRdata(publicKey)),
        publicKey: Buffer.from(publicKey).toString('base64'),
        sealedKey: ports.sealer.seal(privatePem, zoneKeyContext(facts.zone.metadata.uid)),
      };
      return { record: withNewKey(facts, plan.phase, key), recheckInMs: Infinity };
    }
  }
}

/** With a tag of its own: people and registrars tell keys apart by it. */
function newKey({ random }: SigningPorts, { stored }: SigningFacts): ZoneKeyMaterial {
  for (;;) {
    const made = generateZoneKey(random);
    const keyTag = keyTagOf(dnskeyRdata(made.publicKey));
    if (stored?.keys.every((key) => key.keyTag !== keyTag) ?? true) return made;
  }
}
