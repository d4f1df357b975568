import type { Zone, ZoneStatus } from '../../api/zone.ts';
import type { ConditionInput } from '../../runtime/control/conditions.ts';
import { dsOf, dsText, hostWire } from '../../runtime/dns/dnssec.ts';
import type { NodeView } from '../../runtime/session/node-view.ts';
import type { SigningRecord } from '../../runtime/store/records.ts';
import { nodesBehind, phaseEndMs, publicKeys } from './plan-signing.ts';

/** What is said of a zone's keys, and what a person has to do next. */
export function signingStatus(
  record: SigningRecord,
  { zone, nodes }: { readonly zone: Zone; readonly nodes: readonly NodeView[] },
): {
  readonly fields: Pick<ZoneStatus, 'ds' | 'dnssec'>;
  readonly condition: ConditionInput;
} {
  const keys = publicKeys(record);
  const owner = hostWire(record.origin);
  const ds = keys
    .filter((key) => key.ds === 'wanted')
    .map(({ publicKey }) => dsOf(owner, Buffer.from(publicKey, 'base64')));
  const endMs = phaseEndMs(record, zone);
  const nextStepTime = endMs === undefined ? undefined : new Date(endMs).toISOString();
  const behind = nodesBehind(record, { zone, nodes });
  return {
    fields: {
      ds,
      dnssec: {
        phase: record.phase,
        keys: keys.map(({ keyTag, role }) => ({ keyTag, role })),
        ...(nextStepTime === undefined ? {} : { nextStepTime }),
      },
    },
    condition: { type: 'DNSSEC', ...aspectOf({ record, zone, behind, nextStepTime, ds }) },
  };
}

interface Aspect {
  readonly record: SigningRecord;
  readonly zone: Zone;
  /** Nameservers that do not serve this phase yet. */
  readonly behind: readonly string[];
  readonly nextStepTime: string | undefined;
  readonly ds: readonly Parameters<typeof dsText>[0][];
}

/** True: what the parent holds, and what is served, go together as far as we know. */
function aspectOf(aspect: Aspect): Omit<ConditionInput, 'type'> {
  const { record, zone } = aspect;
  const { phase, keys } = record;
  const parentDs = zone.spec.dnssec?.parentDs ?? [];
  const newest = keys.at(-1)?.keyTag ?? 0;
  switch (phase) {
    case 'signing': {
      const message = `answers are signed; ${whenDone(aspect)} there will be a DS record for the parent zone in status.ds`;
      return { status: 'Unknown', reason: 'Signing', message };
    }
    case 'steady': {
      if (parentDs.length === 1 && parentDs[0] === newest) {
        const message = `the parent zone vouches for key ${newest}`;
        return { status: 'True', reason: 'Secured', message };
      }
      if (parentDs.includes(newest)) {
        const message = `the parent zone holds DS records of other keys, too: tell the registrar that only ${newest} is to stay`;
        return { status: 'True', reason: 'DSLeftOver', message };
      }
      return { status: 'False', reason: 'DSAwaited', message: giveDs(aspect, newest) };
    }
    case 'publishing': {
      const message = `key ${newest} is coming; ${whenDone(aspect)} its DS record can take the place of the old one`;
      return { status: 'True', reason: 'KeyPublishing', message };
    }
    case 'swapping': {
      if (record.parentMs === undefined)
        return { status: 'True', reason: 'DSAwaited', message: giveDs(aspect, newest) };
      const message = `the parent zone vouches for key ${newest}; ${whenDone(aspect)} it signs`;
      return { status: 'True', reason: 'KeySwapping', message };
    }
    case 'retiring': {
      const message = `key ${newest} signs; ${whenDone(aspect)} the old key goes`;
      return { status: 'True', reason: 'KeyRetiring', message };
    }
    case 'withdrawing': {
      if (record.parentMs !== undefined) {
        const message = `the parent zone holds no DS record; ${whenDone(aspect)} signing ends`;
        return { status: 'True', reason: 'Withdrawing', message };
      }
      const message = `still signed, for resolvers would refuse the zone otherwise: have the registrar remove every DS record of ${record.origin}, see with "b8sctl dns check" that there is none, then set spec.dnssec.parentDs to []`;
      return { status: 'True', reason: 'DSRemovalAwaited', message };
    }
  }
}

/** A subordinate clause, with its comma if it needs one. */
function whenDone({ behind, nextStepTime }: Aspect): string {
  if (nextStepTime !== undefined) return `from ${nextStepTime} on`;
  if (behind.length === 0) return 'once a nameserver serves it,';
  return `once ${behind.join(', ')} serve${behind.length === 1 ? 's' : ''} it,`;
}

function giveDs({ record, ds }: Aspect, keyTag: number): string {
  const text = ds.map(dsText).join(', ');
  return `give the registrar of ${record.origin} this DS record and no other: ${text}; once "b8sctl dns check" sees it at the parent zone, set spec.dnssec.parentDs to [${keyTag}]`;
}
