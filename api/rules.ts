import type { Violation } from './kind.ts';
import { formatPath, type PathStep } from './path.ts';

/** How much of a value a message quotes. */
const QUOTED_LENGTH_MAX = 64;

/** What was given, for a message: texts in quotes, cut when they are long. */
export function quote(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  if (json.length <= QUOTED_LENGTH_MAX) return json;
  return `${json.slice(0, QUOTED_LENGTH_MAX - 2)}…${typeof value === 'string' ? '"' : ''}`;
}

/** A violation about a value: `spec.hosts[0]` and `"blog": needs a dot`. */
export function about(steps: readonly PathStep[], value: unknown, problem: string): Violation {
  return { path: formatPath(steps), message: `${quote(value)}: ${problem}` };
}

/** A violation about a field as a whole. */
export function aboutField(steps: readonly PathStep[], message: string): Violation {
  return { path: formatPath(steps), message };
}

/** One violation if `problemOf` finds something wrong with the value. */
export function check<Value>(
  steps: readonly PathStep[],
  value: Value,
  problemOf: (value: Value) => string | undefined,
): readonly Violation[] {
  const problem = problemOf(value);
  return problem === undefined ? [] : [about(steps, value, problem)];
}

/** One violation per item of a list that something is wrong with. */
export function checkEach<Value>(
  steps: readonly PathStep[],
  values: readonly Value[],
  problemOf: (value: Value) => string | undefined,
): readonly Violation[] {
  return values.flatMap((value, index) => check([...steps, index], value, problemOf));
}
