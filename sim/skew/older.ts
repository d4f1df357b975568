import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as blobSource from '../../runtime/content/blob-source.ts';
import * as link from '../../runtime/session/link.ts';
import * as store from '../../runtime/store/store.ts';
import type { Code } from '../hosts/code.ts';

/** Where the parts of `Code` lie. */
const MODULES = {
  'agent/agent.ts': ['createAgent'],
  'agent/plane/in-process-plane.ts': ['createInProcessPlane'],
  'dom/dom.ts': ['Dom'],
  'dom/bootstrap/geo.ts': ['importGeo'],
  'dom/identity/sealer.ts': ['createSealer'],
} as const;

/** Modules whose errors go from a port to the code that uses it, and are told apart by class. */
const ERRORS = {
  'runtime/content/blob-source.ts': blobSource,
  'runtime/session/link.ts': link,
  'runtime/store/store.ts': store,
} as const;

/** Where they lay before `runtime/` had rooms. */
const FORMERLY: Readonly<Record<string, string>> = {
  'runtime/content/blob-source.ts': 'runtime/blob-source.ts',
  'runtime/session/link.ts': 'runtime/link.ts',
  'runtime/store/store.ts': 'runtime/store.ts',
};

/**
 * The production code of another version, from a folder that holds all of it with its packages. To
 * be called before a world runs. Throws an Error that names what is not there.
 */
export async function loadOlder(folder: string): Promise<Code> {
  const parts: Record<string, unknown> = {};
  for (const [path, names] of Object.entries(MODULES)) {
    const found = await load(folder, path);
    for (const name of names) {
      if (typeof found[name] !== 'function') throw new Error(`${folder}/${path} has no ${name}`);
      parts[name] = found[name];
    }
  }
  for (const [path, own] of Object.entries(ERRORS)) recognize(own, await loadMoved(folder, path));
  return { version: folder, ...parts } as unknown as Code;
}

async function loadMoved(folder: string, path: string): Promise<Readonly<Record<string, unknown>>> {
  const former = FORMERLY[path];
  if (former === undefined) return load(folder, path);
  return load(folder, former).catch(() => load(folder, path));
}

async function load(folder: string, path: string): Promise<Readonly<Record<string, unknown>>> {
  const url = pathToFileURL(join(folder, path)).href;
  return (await import(url)) as Readonly<Record<string, unknown>>;
}

/**
 * The simulated ports throw errors of the present; to the older code they are of its own classes of
 * the same name.
 */
function recognize(
  own: Readonly<Record<string, unknown>>,
  older: Readonly<Record<string, unknown>>,
): void {
  for (const [name, their] of Object.entries(older)) {
    const ours = own[name];
    if (!isErrorClass(their) || !isErrorClass(ours) || their === ours) continue;
    const value = (error: unknown): boolean =>
      Function.prototype[Symbol.hasInstance].call(their, error) || error instanceof ours;
    Object.defineProperty(their, Symbol.hasInstance, { value, configurable: true });
  }
}

function isErrorClass(value: unknown): value is new () => Error {
  return typeof value === 'function' && value.prototype instanceof Error;
}
