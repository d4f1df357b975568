import type { CommonStatus, Resource } from '../../api/object.ts';
import { type ConditionInput, replaceConditions } from '../../runtime/control/conditions.ts';

/** One CamelCase word, and a sentence with the mend. */
export interface Words {
  readonly reason: string;
  readonly message: string;
}

/** RFC 3339. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** The part of a status that says of which generation it speaks, and in which condition it is. */
export function inConditions(
  { metadata, status }: Resource,
  inputs: readonly ConditionInput[],
  nowMs: number,
): Pick<CommonStatus, 'observedGeneration' | 'conditions'> {
  const observedGeneration = metadata.generation;
  const conditions = replaceConditions(
    status?.conditions ?? [],
    inputs.map((input) => ({ ...input, observedGeneration })),
    nowMs,
  );
  return { observedGeneration, conditions };
}
