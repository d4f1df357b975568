import { records, zonePlan } from '../../agent/dns/dns.fixture.ts';
import { SessionResponse } from '../../proto/gen/b8s/v1/agent.ts';
import type { PlanObject } from '../../proto/gen/b8s/v1/plan.ts';
import { combinedDigest, objectDigest } from '../../runtime/session/plan-digest.ts';

/** What dom would say of many zones, one frame after the other. */
export interface ZonePlans {
  /** The whole plan. */
  first(): Uint8Array;
  /** One zone's first host gets another address. */
  change(index: number, address: string): Uint8Array;
}

const HEARTBEAT_INTERVAL_MS = 60_000;

export function zonePlans(zones: number, recordsEach: number): ZonePlans {
  const digests = new Map<string, Uint8Array>();
  let revision = 0n;

  function frame(upserts: readonly PlanObject[]): Uint8Array {
    for (const object of upserts) digests.set(object.key, objectDigest(object));
    const base = revision === 0n ? undefined : { epoch: 1n, revision };
    revision += 1n;
    const plan = {
      ...{ base, position: { epoch: 1n, revision }, upserts, removals: [] },
      digest: combinedDigest(digests),
      heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    };
    return SessionResponse.encode({ message: { $case: 'plan', value: plan } }).finish();
  }

  const made = { serial: 1, address: '192.0.2.1', recordsEach };
  return {
    first: () => frame(Array.from({ length: zones }, (_, index) => zoneObject(index, made))),
    change(index, address) {
      return frame([zoneObject(index, { ...made, serial: 1 + Number(revision), address })]);
    },
  };
}

interface Made {
  readonly serial: number;
  readonly address: string;
  readonly recordsEach: number;
}

function zoneObject(index: number, { serial, address, recordsEach }: Made): PlanObject {
  const origin = `z${index}.test`;
  const ns = `ns1.${origin}`;
  const value = zonePlan(origin, {
    serial,
    records: [
      records(origin, 'NS', ns),
      records(ns, 'A', '127.0.0.1'),
      ...Array.from({ length: recordsEach - 2 }, (_, host) => hostRecords(origin, host, address)),
    ],
  });
  return { key: `zone/${value.uid}`, object: { $case: 'zone', value } };
}

/** Of the types that zones are full of. */
function hostRecords(origin: string, host: number, address: string): ReturnType<typeof records> {
  const name = `h${host}.${origin}`;
  switch (host % 10) {
    case 7:
      return records(name, 'CNAME', `h0.${origin}`);
    case 8:
      return records(name, 'TXT', '"v=spf1 include:_spf.example.net -all"');
    case 9:
      return records(name, 'MX', `10 h0.${origin}`);
    default:
      return records(name, 'A', host === 0 ? address : `192.0.2.${host % 250}`);
  }
}
