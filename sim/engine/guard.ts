import { settle } from '../../runtime/node/settle.ts';

interface Patch {
  readonly object: object;
  readonly name: string;
}

/** What of the real world must not be used inside a simulated one. */
const FORBIDDEN: readonly Patch[] = [
  ...['setTimeout', 'setInterval', 'setImmediate', 'fetch', 'queueMicrotask'].map((name) => ({
    object: globalThis,
    name,
  })),
  { object: Date, name: 'now' },
  { object: Math, name: 'random' },
  { object: performance, name: 'now' },
  { object: crypto, name: 'randomUUID' },
  { object: crypto, name: 'getRandomValues' },
];

/**
 * Runs `work` while every use of a real clock, timer or random number by our own code throws, with
 * the name of the place. Others may go on: the test runner lives in the same process.
 */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  const undo = [...FORBIDDEN.map(forbid), forbidBareDate()];
  try {
    return await work();
  } finally {
    await settle();
    for (const each of undo) each();
  }
}

function forbid({ object, name }: Patch): () => void {
  const before = Object.getOwnPropertyDescriptor(object, name);
  const original = Reflect.get(object, name) as (...args: readonly unknown[]) => unknown;
  const guard = (...args: readonly unknown[]): unknown => {
    refuse(name);
    return Reflect.apply(original, object, args);
  };
  Object.defineProperty(object, name, { value: guard, configurable: true, writable: true });
  return () => {
    if (before === undefined) Reflect.deleteProperty(object, name);
    else Object.defineProperty(object, name, before);
  };
}

/** `new Date()` reads the clock; with an argument it is a calculation. */
function forbidBareDate(): () => void {
  const original = globalThis.Date;
  globalThis.Date = new Proxy(original, {
    construct: (target, args, newTarget) => {
      if (args.length === 0) refuse('new Date() without an argument');
      return Reflect.construct(target, args, newTarget) as object;
    },
  });
  return () => {
    globalThis.Date = original;
  };
}

function refuse(name: string): void {
  // Frames: the message, this function, its guard, the place that used it.
  const place = new Error().stack?.split('\n')[3]?.trim() ?? '';
  if (/node_modules|node:|\(native\)/.test(place)) return;
  throw new Error(`the real ${name} was used in a simulated world ${place}`);
}
