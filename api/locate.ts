import { isMap, isScalar, isSeq, type LineCounter, type Node } from 'yaml';
import type { PathStep } from './path.ts';

/** The line, from 1, of where `steps` lead from `root`, or of the nearest field on the way. */
export function lineOfPath(root: Node, steps: readonly PathStep[], lines: LineCounter): number {
  let at: Place = { value: root, named: root };
  for (const step of steps) {
    const next = childOf(at.value, step);
    if (next === undefined) break;
    at = next;
  }
  return lineOfNode(at.named, lines);
}

/** The line, from 1, that a node begins at. */
export function lineOfNode(node: Node, lines: LineCounter): number {
  return lineOfOffset(node.range?.[0] ?? 0, lines);
}

/** The line, from 1, of a character of the text. */
export function lineOfOffset(offset: number, lines: LineCounter): number {
  return Math.max(1, lines.linePos(offset).line);
}

/** A value and the node that people look for: of a field its name, of a list's item itself. */
interface Place {
  readonly value: unknown;
  readonly named: Node;
}

function childOf(parent: unknown, step: PathStep): Place | undefined {
  if (isSeq<Node>(parent) && typeof step === 'number') {
    const item = parent.items[step];
    return item === undefined ? undefined : { value: item, named: item };
  }
  if (!isMap<Node, Node>(parent)) return undefined;
  const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === step);
  return pair === undefined ? undefined : { value: pair.value, named: pair.key };
}
