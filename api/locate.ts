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

/** The lines of a value, and of all in it: what is left of a parsed text when only places are asked. */
export type Lines =
  | number
  | { readonly at: number; readonly in: Readonly<Record<string, Lines>> | readonly Lines[] };

/** Deeper than any object goes; what is below has the line of what is around it. */
const DEPTH_MAX = 100;

/** The lines of a tree of nodes, which costs so much more memory than its text. */
export function linesOf(root: Node, lines: LineCounter): Lines {
  return linesAt(root, { named: root, lines, depth: 0 });
}

/** As `lineOfPath`, of lines. */
export function lineIn(root: Lines, steps: readonly PathStep[]): number {
  let at = root;
  for (const step of steps) {
    if (typeof at === 'number') return at;
    const isHere = Array.isArray(at.in) === (typeof step === 'number');
    const next: unknown =
      isHere && Object.hasOwn(at.in, step) ? Reflect.get(at.in, step) : undefined;
    if (next === undefined) break;
    at = next as Lines;
  }
  return typeof at === 'number' ? at : at.at;
}

interface Spot {
  readonly named: Node;
  readonly lines: LineCounter;
  readonly depth: number;
}

function linesAt(value: unknown, { named, lines, depth }: Spot): Lines {
  const at = lineOfNode(named, lines);
  if (depth >= DEPTH_MAX) return at;
  const below = { lines, depth: depth + 1 };
  if (isSeq<Node>(value)) {
    if (value.items.length === 0) return at;
    return { at, in: value.items.map((item) => linesAt(item, { ...below, named: item })) };
  }
  if (!isMap<Node, Node>(value) || value.items.length === 0) return at;
  const fields: Record<string, Lines> = {};
  for (const { key, value: inner } of value.items) {
    const field = isScalar(key) ? String(key.value) : '__proto__';
    // The one name that a plain object cannot hold.
    if (field !== '__proto__' && !Object.hasOwn(fields, field))
      fields[field] = linesAt(inner, { ...below, named: key });
  }
  return { at, in: fields };
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
