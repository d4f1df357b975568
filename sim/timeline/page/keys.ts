/** What keys do. */
export type Action =
  | 'next'
  | 'previous'
  | 'next of host'
  | 'previous of host'
  | 'cause'
  | 'effect'
  | 'violation'
  | 'why'
  | 'noise'
  | 'filter'
  | 'larger'
  | 'smaller'
  | 'spacing'
  | 'let go';

const ACTIONS: Readonly<Record<string, Action>> = {
  ...{ j: 'next', ArrowDown: 'next', k: 'previous', ArrowUp: 'previous' },
  ...{ n: 'next of host', p: 'previous of host', c: 'cause', e: 'effect' },
  ...{ v: 'violation', w: 'why', h: 'noise', '/': 'filter', t: 'spacing' },
  ...{ '+': 'larger', '=': 'larger', '-': 'smaller', Escape: 'let go' },
};

/** Undefined: the key is the browser's, or is typed into a field. */
export function actionOf({
  key,
  ctrlKey,
  metaKey,
  altKey,
  target,
}: KeyboardEvent): Action | undefined {
  if (ctrlKey || metaKey || altKey) return undefined;
  if (target instanceof HTMLInputElement && key !== 'Escape') return undefined;
  return ACTIONS[key];
}
