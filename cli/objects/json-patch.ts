import { isDeepStrictEqual } from 'node:util';
import { formatPointer, parsePointer } from '../../api/path.ts';
import { CommandError } from '../cli.ts';

/** One operation of a JSON Patch (RFC 6902 §4), its pointers taken apart. */
export interface Operation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  readonly path: readonly string[];
  /** Of `move` and `copy`. */
  readonly from?: readonly string[];
  /** Of `add`, `replace` and `test`. */
  readonly value?: unknown;
}

const OPERATIONS = ['add', 'remove', 'replace', 'move', 'copy', 'test'] as const;

/** Reads a list of operations; throws a CommandError that names the wrong one. */
export function parseOperations(value: unknown): readonly Operation[] {
  if (!Array.isArray(value)) throw new CommandError('error: a JSON Patch is a list of operations');
  return value.map((each: unknown, index) => parseOperation(each, index));
}

/** Pure: applies one operation after the other. Throws a CommandError for the first that cannot be. */
export function jsonPatch(target: unknown, operations: readonly Operation[]): unknown {
  return operations.reduce(applyOne, target);
}

function parseOperation(each: unknown, index: number): Operation {
  const fields = typeof each === 'object' && each !== null ? (each as Record<string, unknown>) : {};
  const op = OPERATIONS.find((name) => name === fields['op']);
  if (op === undefined)
    throw new CommandError(`error: patch[${index}].op must be one of ${OPERATIONS.join(', ')}`);
  const path = pointerOf(fields['path'], `patch[${index}].path`);
  if (op === 'move' || op === 'copy')
    return { op, path, from: pointerOf(fields['from'], `patch[${index}].from`) };
  if (op === 'remove') return { op, path };
  if (!Object.hasOwn(fields, 'value'))
    throw new CommandError(`error: patch[${index}] (${op}) needs a value`);
  return { op, path, value: fields['value'] };
}

function pointerOf(value: unknown, name: string): readonly string[] {
  if (typeof value === 'string' && (value === '' || value.startsWith('/')))
    return parsePointer(value);
  throw new CommandError(`error: ${name} must be a JSON Pointer, e.g. /spec/hosts/0 (RFC 6901)`);
}

function applyOne(target: unknown, { op, path, from = [], value }: Operation): unknown {
  switch (op) {
    case 'add':
      return add(target, path, value);
    case 'remove':
      return change(target, path, 'remove');
    case 'replace':
      return change(target, path, { value });
    case 'move':
      return add(change(target, from, 'remove'), path, valueAt(target, from));
    case 'copy':
      return add(target, path, valueAt(target, from));
    case 'test':
      if (isDeepStrictEqual(valueAt(target, path), value)) return target;
      throw new CommandError(`error: the patch's test of ${formatPointer(path)} failed`);
  }
}

function valueAt(target: unknown, path: readonly string[]): unknown {
  return path.reduce((value, step) => {
    if (Array.isArray(value)) return value[indexOf(value, step, path)] as unknown;
    if (isGroup(value) && Object.hasOwn(value, step)) return value[step];
    throw missing(path);
  }, target);
}

/** RFC 6902 §4.1: into a list, before the item of that index; `-`: at its end. */
function add(target: unknown, path: readonly string[], value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (Array.isArray(target)) {
    const list: readonly unknown[] = target;
    if (rest.length > 0) {
      const index = indexOf(list, step, path);
      return list.with(index, add(list[index], rest, value));
    }
    const index = step === '-' ? list.length : indexOf([...list, undefined], step, path);
    return list.toSpliced(index, 0, value);
  }
  if (!isGroup(target)) throw missing(path);
  if (rest.length === 0) return withField(target, step, value);
  if (!Object.hasOwn(target, step)) throw missing(path);
  return withField(target, step, add(target[step], rest, value));
}

function change(
  target: unknown,
  path: readonly string[],
  to: 'remove' | { readonly value: unknown },
): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return to === 'remove' ? undefined : to.value;
  if (Array.isArray(target)) {
    const list: readonly unknown[] = target;
    const index = indexOf(list, step, path);
    if (rest.length > 0) return list.with(index, change(list[index], rest, to));
    return to === 'remove' ? list.toSpliced(index, 1) : list.with(index, to.value);
  }
  if (!isGroup(target) || !Object.hasOwn(target, step)) throw missing(path);
  if (rest.length > 0) return withField(target, step, change(target[step], rest, to));
  if (to !== 'remove') return withField(target, step, to.value);
  return Object.fromEntries(Object.entries(target).filter(([name]) => name !== step));
}

type Group = Readonly<Record<string, unknown>>;

function isGroup(value: unknown): value is Group {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Entries, not assignment: a field may be called `__proto__`. */
function withField(group: Group, name: string, value: unknown): Group {
  return Object.fromEntries([...new Map(Object.entries(group)).set(name, value)]);
}

function indexOf(list: readonly unknown[], step: string, path: readonly string[]): number {
  if (/^(?:0|[1-9]\d{0,8})$/.test(step) && Number(step) < list.length) return Number(step);
  throw missing(path);
}

function missing(path: readonly string[]): CommandError {
  return new CommandError(`error: there is nothing at ${formatPointer(path)} to patch`);
}
