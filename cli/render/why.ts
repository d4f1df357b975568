import { printable } from '../../runtime/printable.ts';
import type { Cause, Finding } from '../why/why.ts';

/**
 * The chain of causes as a tree: an object, below it what does not hold, below that the objects
 * that it comes from. What to do follows an arrow. Lines are wrapped at words to fit `columns`;
 * Infinity: never.
 */
export function renderWhy(cause: Cause, columns: number): string {
  return render(causeItem(cause), { first: '', rest: '', columns }).join('');
}

interface Item {
  readonly text: string;
  readonly next?: string;
  readonly below: readonly Item[];
}

function causeItem({ name, state, findings }: Cause): Item {
  const below = findings.map(findingItem);
  return { text: `${name}: ${state}`, below };
}

function findingItem({ type, reason, evidence, lasting, ...around }: Finding): Item {
  const { next, causes, more } = around;
  const head = [type, reason].filter(Boolean).join(' ');
  const rest = more === undefined ? [] : [{ text: `and ${more}`, below: [] }];
  const below = [...causes.map(causeItem), ...rest];
  const time = lasting === undefined ? '' : ` (for ${lasting})`;
  return { text: `${head}: ${evidence}${time}`, below, ...(next !== undefined && { next }) };
}

interface Margin {
  /** Before the first line of the item, and before all others. */
  readonly first: string;
  readonly rest: string;
  readonly columns: number;
}

function render({ text, next, below }: Item, { first, rest, columns }: Margin): readonly string[] {
  const bar = below.length > 0 ? '│ ' : '  ';
  const under = first === '' ? rest : `${rest}${bar}`;
  return [
    ...wrap(text, { first, rest: under, columns }),
    ...(next === undefined ? [] : wrap(next, { first: `${rest}→ `, rest: under, columns })),
    ...below.flatMap((item, index) => {
      const isLast = index === below.length - 1;
      const margin = {
        first: `${rest}${isLast ? '└─ ' : '├─ '}`,
        rest: `${rest}${isLast ? '   ' : '│  '}`,
      };
      return render(item, { ...margin, columns });
    }),
  ];
}

/** So narrow that wrapping would make it worse. */
const WIDTH_MIN = 24;

function wrap(text: string, { first, rest, columns }: Margin): readonly string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of printable(text).split(' ')) {
    const width = Math.max(columns, rest.length + WIDTH_MIN);
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = rest + word;
    } else line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line].map((each) => `${each}\n`);
}
