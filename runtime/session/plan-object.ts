import { PlanObject } from '../../proto/gen/b8s/v1/plan.ts';
import { PackedZone } from '../dns/packed-zone.ts';
import { fieldTag, takeFields } from './wire-fields.ts';

/** An object as it travels, and as its digest is made of it; a packed zone stays as it came. */
export function encodeObject(object: PlanObject): Uint8Array {
  const zone = object.object?.$case === 'zone' ? object.object.value : undefined;
  if (!(zone instanceof PackedZone)) return PlanObject.encode(object).finish();
  const writer = PlanObject.encode({ key: object.key, object: undefined });
  return writer.uint32(ZONE).bytes(zone.bytes).finish();
}

/** The same message as the generated code's, but zones are packed. Throws where it is none. */
export function decodeObject(bytes: Uint8Array): PlanObject {
  const { taken, rest } = takeFields(bytes, [ZONE]);
  const zone = taken.at(-1);
  const object = PlanObject.decode(rest);
  if (zone === undefined) return object;
  return { key: object.key, object: { $case: 'zone', value: new PackedZone(zone) } };
}

/** `PlanObject.zone`. */
const ZONE = fieldTag(4);
