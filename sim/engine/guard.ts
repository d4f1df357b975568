import { registerHooks, syncBuiltinESMExports } from 'node:module';
import { settle } from '../../runtime/node/settle.ts';
import { type Forbidden, forbiddenThings, isHarmless, isLocalTime } from './forbidden.ts';
import { callerOf, type Past } from './place.ts';

/**
 * What stands guard in this process. It is put up once and stays: to take it down after each world
 * would cost a fifth of the time, for V8 gives up what it knows of an object that is changed.
 */
const guard: { worlds: number; refused: Error | undefined; posts: readonly Post[] } = {
  worlds: 0,
  refused: undefined,
  posts: [],
};

/** What stands where something forbidden was. */
interface Post {
  readonly object: object;
  readonly name: string;
  readonly descriptor: PropertyDescriptor;
}

/**
 * Runs `work` while every use by our own code, or by a package, of a real clock, timer, random
 * number, thread, socket or file, or of the machine's environment, time zone or language, throws with
 * the name of the place; and once more in the end, for the code may have caught it. Node's own code
 * may go on, and the test runner, which lives in the same process.
 */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  if (guard.worlds === 0) putUp();
  guard.worlds += 1;
  const outcome = await work().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  await settle();
  guard.worlds -= 1;
  const { refused } = guard;
  if (guard.worlds === 0) guard.refused = undefined;
  // Whatever else went wrong may have come of it.
  if (refused !== undefined) throw refused;
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}

function putUp(): void {
  if (guard.posts.length === 0) {
    guard.posts = [...forbiddenThings().map(postFor), postForDate()];
    forbidLoading();
  }
  // The test runner takes some back.
  const missing = guard.posts.filter(({ object, name, descriptor: { value, get } }) => {
    const now = Object.getOwnPropertyDescriptor(object, name);
    return now === undefined || now.value !== value || now.get !== get;
  });
  for (const { object, name, descriptor } of missing)
    Object.defineProperty(object, name, descriptor);
  // Only now do the names that a module imports of Node's follow.
  if (missing.length > 0) syncBuiltinESMExports();
}

/** Throws if code of the world stands behind a use of it, and remembers that it did. */
function refuse(label: string, past: Past = 'all but the loader'): void {
  if (guard.worlds === 0) return;
  const place = callerOf(past);
  if (place === undefined || isHarmless(label, place)) return;
  const error = new Error(`INV-40: the real ${label} was used in a simulated world at ${place}`);
  guard.refused ??= error;
  throw error;
}

function postFor(forbidden: Forbidden): Post {
  const { object, name, label, past } = forbidden;
  const own = Object.getOwnPropertyDescriptor(object, name);
  const common = { configurable: true, enumerable: own?.enumerable ?? false };
  const value: unknown = own?.get === undefined ? Reflect.get(object, name) : undefined;
  if (typeof value === 'function' || (typeof value === 'object' && value !== null)) {
    const descriptor = { ...common, value: guardOf(value, forbidden), writable: true };
    return { object, name, descriptor };
  }
  const get = (): unknown => {
    refuse(label, past);
    return own?.get === undefined ? value : Reflect.apply(own.get, object, []);
  };
  return { object, name, descriptor: { ...common, get } };
}

/** Is called, made, or (where it is no function) read. */
function guardOf<T extends object>(value: T, forbidden: Forbidden): T {
  const { label, when, past } = forbidden;
  const check = (args: readonly unknown[]): void => {
    if (when === undefined || when(args)) refuse(label, past);
  };
  const isFunction = typeof value === 'function';
  return new Proxy(value, {
    apply: (target, self, args: readonly unknown[]) => {
      check(args);
      return Reflect.apply(target as Call, self, args);
    },
    construct: (target, args: readonly unknown[], newTarget) => {
      check(args);
      return Reflect.construct(target as Call, args, newTarget) as object;
    },
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key);
      if (!isFunction) check([]);
      // `hrtime.bigint`, or what `promisify` looks for.
      const isDetour = isFunction && typeof member === 'function' && Object.hasOwn(target, key);
      return isDetour && key !== 'prototype' ? guardOf(member, forbidden) : member;
    },
    has: (target, key) => {
      if (!isFunction) check([]);
      return Reflect.has(target, key);
    },
    ownKeys: (target) => {
      if (!isFunction) check([]);
      return Reflect.ownKeys(target);
    },
  });
}

type Call = (...args: readonly unknown[]) => unknown;

/** With one argument it is a calculation, unless that says a time of no zone. */
function postForDate(): Post {
  const value = new Proxy(globalThis.Date, {
    apply: (target, self, args) => {
      refuse('Date()');
      return Reflect.apply(target, self, args);
    },
    construct: (target, args, newTarget) => {
      if (args.length === 0) refuse('new Date() without an argument');
      if (args.length > 1 || isLocalTime(args[0])) refuse('time zone, by new Date()');
      return Reflect.construct(target, args, newTarget) as object;
    },
  });
  const descriptor = { value, configurable: true, enumerable: false, writable: true };
  return { object: globalThis, name: 'Date', descriptor };
}

/**
 * A module that is loaded while a world runs takes other turns of the real event loop than one that
 * is there already: the first run in a process would differ from the next.
 */
function forbidLoading(): void {
  const importers = new Map<string, string>();
  registerHooks({
    resolve: (specifier, context, nextResolve) => {
      const found = nextResolve(specifier, context);
      if (context.parentURL !== undefined) importers.set(found.url, context.parentURL);
      return found;
    },
    load: (url, context, nextLoad) => {
      refuse(`loading of ${url} (by ${importers.get(url)}; load it before)`, 'all');
      return nextLoad(url, context);
    },
  });
}
