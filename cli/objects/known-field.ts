import type { Kind } from '../../api/kind.ts';
import { didYouMean } from '../../api/nearest.ts';
import { type Shape, shapeOf } from '../../api/shape.ts';
import { CommandError } from '../cli.ts';
import type { PathStep } from '../render/jsonpath.ts';

/**
 * Throws where a path leads to no field that any of these kinds has: nothing would be found, and a
 * typo would look like an answer. What follows a filter or `..` is not looked at.
 */
export function assertKnownField(
  steps: readonly PathStep[],
  { flag, kinds }: { readonly flag: string; readonly kinds: readonly Kind[] },
): void {
  const problems = kinds.map((kind) => problemOf(steps, kind));
  const [first] = problems;
  if (first === undefined || problems.includes(undefined)) return;
  throw new CommandError(`error: ${flag}: ${first}`);
}

function problemOf(steps: readonly PathStep[], kind: Kind): string | undefined {
  let shape: Shape = shapeOf(kind);
  const walked = [kind.singular];
  for (const step of steps) {
    // Items of a list have its fields.
    if (step.kind === 'index' || step.kind === 'slice' || step.kind === 'all') continue;
    // Of a mapping, any key may be there.
    if (step.kind !== 'field' || shape.fields.size === 0) return undefined;
    const next = shape.fields.get(step.name);
    if (next === undefined) {
      const known = [...shape.fields.keys()];
      const hint = didYouMean(step.name, known) || `, which has ${known.join(', ')}`;
      return `"${step.name}" is not a field of ${walked.join('.')}${hint}`;
    }
    walked.push(step.name);
    shape = next;
  }
  return undefined;
}
