import type { PathStep } from './jsonpath.ts';

/** What an item of a list must be: any of these groups, of which all conditions must hold. */
export type PathFilter = readonly (readonly Comparison[])[];

interface Comparison {
  readonly steps: readonly PathStep[];
  /** Absent: the path leads to something. */
  readonly operator?: Operator;
  readonly value?: unknown;
}

type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=';

const COMPARISON =
  /^\s*(?<path>(?:[^=!<>&|\s"'[\]]|\[[^\]]*\])+)\s*(?:(?<operator>==|!=|<=|>=|<|>)\s*(?<value>"[^"]*"|'[^']*'|[^\s&|]+)\s*)?$/;

/**
 * Parses what stands in `[?(…)]`: `@.type=="Ready"`, `@.spec.ttl>30`, `@.status`, joined by `&&` and
 * `||`. Throws an Error that says what is not understood.
 */
export function parseFilter(
  text: string,
  parsePath: (path: string) => readonly PathStep[],
): PathFilter {
  return parted(text, '||').map((group) =>
    parted(group, '&&').map((each) => {
      const groups = COMPARISON.exec(each)?.groups;
      if (groups === undefined || groups['path']?.startsWith('@') !== true)
        throw new Error(
          `jsonpath: "?(${text})" is not understood; write filters like [?(@.type=="Ready")]`,
        );
      const steps = parsePath(groups['path'] === '@' ? '.' : groups['path']);
      const { operator, value } = groups;
      if (operator === undefined) return { steps };
      return { steps, operator: operator as Operator, value: literal(value ?? '') };
    }),
  );
}

export function matchesFilter(
  filter: PathFilter,
  item: unknown,
  select: (steps: readonly PathStep[], value: unknown) => readonly unknown[],
): boolean {
  return filter.some((group) =>
    group.every(({ steps, operator, value }) => {
      const found = select(steps, item);
      if (operator === undefined) return found.length > 0;
      return found.some((each) => compare(each, operator, value));
    }),
  );
}

/** Splits outside of quotes. */
function parted(text: string, separator: '&&' | '||'): readonly string[] {
  const parts = text.match(/(?:"[^"]*"|'[^']*'|&&|\|\||[^"'&|]|[&|])/g) ?? [];
  const groups: string[] = [''];
  for (const part of parts) {
    if (part === separator) groups.push('');
    else groups.push(`${groups.pop() ?? ''}${part}`);
  }
  return groups;
}

function literal(text: string): unknown {
  if (/^["']/.test(text)) return text.slice(1, -1);
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null') return null;
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}

/** Numbers by size; all else as text, so that "3" and 3 are the same to a person. */
function compare(one: unknown, operator: Operator, other: unknown): boolean {
  const [a, b] =
    typeof one === 'number' && typeof other === 'number'
      ? [one, other]
      : [String(one), String(other)];
  switch (operator) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
  }
}
