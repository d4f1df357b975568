import { Plan, SessionResponse } from '../../proto/gen/b8s/v1/agent.ts';
import { decodeObject, encodeObject } from './plan-object.ts';
import { fieldTag, takeFields } from './wire-fields.ts';

/*
 * The same messages as the generated code's; but zones, which most of a large plan is, are packed.
 */

/** What dom says. Throws where the bytes are none of that. */
export function decodeResponse(bytes: Uint8Array): SessionResponse {
  const { taken, rest } = takeFields(bytes, [RESPONSE_PLAN]);
  const plan = taken.at(-1);
  if (plan === undefined) return SessionResponse.decode(rest);
  return { message: { $case: 'plan', value: decodePlan(plan) } };
}

/** Throws where the bytes are no plan. */
export function decodePlan(bytes: Uint8Array): Plan {
  const { taken, rest } = takeFields(bytes, [UPSERT]);
  return { ...Plan.decode(rest), upserts: taken.map(decodeObject) };
}

export function encodePlan(plan: Plan): Uint8Array {
  const writer = Plan.encode({ ...plan, upserts: [] });
  for (const object of plan.upserts) writer.uint32(UPSERT).bytes(encodeObject(object));
  return writer.finish();
}

/** `SessionResponse.plan` and `Plan.upserts`. */
const RESPONSE_PLAN = fieldTag(1);
const UPSERT = fieldTag(3);
