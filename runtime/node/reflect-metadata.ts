/*
 * tsyringe, which @peculiar/x509 is built on, refuses to load without the metadata functions of
 * `Reflect`, and uses these two. Nothing else in b8s reads metadata.
 */
const metadata = new WeakMap<object, Map<unknown, unknown>>();

function defineMetadata(key: unknown, value: unknown, target: object): void {
  const entries = metadata.get(target) ?? new Map<unknown, unknown>();
  metadata.set(target, entries.set(key, value));
}

function getOwnMetadata(key: unknown, target: object): unknown {
  return metadata.get(target)?.get(key);
}

// A real polyfill, when someone else has loaded one, stays.
if (!('getMetadata' in Reflect)) {
  Object.assign(Reflect, { defineMetadata, getOwnMetadata, getMetadata: getOwnMetadata });
}
