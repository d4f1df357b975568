import type { TransferPlan, ZonePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import { parseAddress } from '../geo/address.ts';
import { recordTypeOf } from '../message/codes.ts';
import { type NameKey, parseName, ROOT } from '../message/name.ts';
import { parseRecord } from '../zone/record-data.ts';
import type { Rrset } from '../zone/rrset.ts';
import type { CompiledZone } from '../zone/zone.ts';
import { ZoneHistory } from './history.ts';
import { algorithmOf, type TsigKey } from './tsig.ts';
import { type TransferVersion, transferVersion } from './version.ts';

/** A zone that some may take whole. */
export interface TransferZone {
  readonly version: TransferVersion;
  readonly history: ZoneHistory;
  readonly secondaries: readonly AllowedSecondary[];
}

export interface AllowedSecondary {
  /** As hex: 4 or 16 bytes. */
  readonly address: string;
  /** Undefined: the address alone is enough. */
  readonly keyName: NameKey | undefined;
}

/**
 * Who may take which zone, and what changed in each between the versions that were served.
 *
 * Guarantees: what it says of a zone is of one version (INV-23); a zone that could not be compiled
 * stays as it was, and so does who may take it until then.
 */
export class TransferBook {
  #zones: ReadonlyMap<NameKey, TransferZone> = new Map();
  #keys: ReadonlyMap<NameKey, TsigKey> = new Map();

  /** By name; a secondary without a key in the plan is in no entry of it. */
  get keys(): ReadonlyMap<NameKey, TsigKey> {
    return this.#keys;
  }

  zone(origin: NameKey): TransferZone | undefined {
    return this.#zones.get(origin);
  }

  /** `compiled`: what is served from now on, by origin. */
  replace(plans: readonly ZonePlan[], compiled: ReadonlyMap<NameKey, CompiledZone>): void {
    const zones = new Map<NameKey, TransferZone>();
    const keys = new Map<NameKey, TsigKey>();
    for (const plan of plans) {
      const { transfer } = plan;
      // Answers of a signed zone are signed as they are made: a copy of its data would be bogus.
      if (transfer === undefined || plan.keys.length > 0) continue;
      const zone = compiled.get(parseName(plan.origin) ?? ROOT);
      if (zone === undefined || zone.uid !== plan.uid) continue;
      const before = this.#zones.get(zone.origin);
      const entry = entryOrKeep({ plan, transfer, zone, before });
      if (entry !== undefined) zones.set(zone.origin, entry);
      for (const key of keysOf(transfer)) keys.set(key.name, key);
    }
    this.#zones = zones;
    this.#keys = keys;
  }
}

interface EntryInput {
  readonly plan: ZonePlan;
  readonly transfer: TransferPlan;
  readonly zone: CompiledZone;
  readonly before: TransferZone | undefined;
}

/** One that is malformed stays as it was, and harms no other. */
function entryOrKeep(input: EntryInput): TransferZone | undefined {
  try {
    return entryOf(input);
  } catch {
    return input.before;
  }
}

function entryOf(input: EntryInput): TransferZone | undefined {
  const { plan, transfer, zone, before } = input;
  const secondaries = secondariesOf(transfer);
  const known = before?.version.zone.uid === zone.uid ? before : undefined;
  // The addresses in the plan are of its serial, and an older version is being served.
  if (zone.serial !== plan.serial)
    return known === undefined ? undefined : { ...known, secondaries };
  const version = transferVersion(zone, addressesOf(transfer));
  if (known === undefined) return { version, history: new ZoneHistory(), secondaries };
  const { history } = known;
  if (known.version.zone.serial !== zone.serial) history.replaced(known.version, version);
  return { version, history, secondaries };
}

function secondariesOf({ secondaries }: TransferPlan): readonly AllowedSecondary[] {
  return secondaries.flatMap(({ address, key }): AllowedSecondary[] => {
    const bytes = parseAddress(address);
    const keyName = key === undefined ? undefined : parseName(key.name);
    // Half of a rule would let in whom it was to keep out.
    if (bytes === undefined || (key !== undefined && keyName === undefined)) return [];
    return [{ address: Buffer.from(bytes).toString('hex'), keyName }];
  });
}

export function keysOf({ secondaries }: TransferPlan): readonly TsigKey[] {
  return secondaries.flatMap(({ key }): TsigKey[] => {
    const name = key === undefined ? undefined : parseName(key.name);
    const algorithm = key === undefined ? undefined : algorithmOf(key.algorithm);
    if (key === undefined || name === undefined || algorithm === undefined) return [];
    return key.secret.length === 0 ? [] : [{ name, algorithm, secret: key.secret }];
  });
}

function addressesOf({ addresses }: TransferPlan): ReadonlyMap<NameKey, readonly Rrset[]> {
  const sets = new Map<NameKey, Rrset[]>();
  for (const { name, type, ttlS, values } of addresses) {
    const [owner, number] = [parseName(name), recordTypeOf(type)];
    if (owner === undefined || number === undefined || values.length === 0) continue;
    const records = values.map((value) => parseRecord(number, value).data);
    sets.set(owner, [...(sets.get(owner) ?? []), { type: number, ttlS, records, targets: [] }]);
  }
  return sets;
}
