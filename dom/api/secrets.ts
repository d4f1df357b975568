import type { Resource } from '../../api/object.ts';
import { SEALED, SECRET_BYTES_MAX, type Secret } from '../../api/secret.ts';
import type { Given } from '../../api/validate.ts';
import { RequestError } from '../../runtime/request-error.ts';
import { secretContext } from '../../runtime/secret/secrets.ts';
import type { ObjectName } from '../../runtime/store/keys.ts';
import type { Sealer } from '../../runtime/tls/authority.ts';

/** What is to be stored, and what the person who wrote it should know. */
export interface Sealed {
  readonly given: Given;
  readonly warnings: readonly string[];
}

/**
 * What was written, with the values of a Secret sealed: nothing else of dom ever holds them in the
 * clear. A value that is there already keeps its sealed text, so that to say it again changes
 * nothing. Other kinds come back as they are.
 */
export function sealGiven(
  sealer: Sealer,
  name: ObjectName,
  { given, live }: { readonly given: Given; readonly live: Resource | undefined },
): Sealed {
  if (name.kind !== 'Secret') return { given, warnings: [] };
  const warnings: string[] = [];
  const { data = {} } = given.spec as Partial<Secret['spec']>;
  const held = (live as Secret | undefined)?.spec.data ?? {};
  const sealed = Object.entries(data).map(([key, value]) => {
    const context = secretContext({ namespace: name.namespace ?? '', name: name.name, key });
    const before = heldValue(sealer, { sealed: held[key], context });
    if (before.kind === 'lost' && value !== SEALED) warnings.push(replacedWarning(key));
    return [key, sealValue(sealer, value, { key, context, before })] as const;
  });
  const spec = { ...(given.spec as object), data: Object.fromEntries(sealed) };
  return { given: { ...given, spec }, warnings };
}

type Held =
  | { readonly kind: 'none' }
  | { readonly kind: 'held'; readonly sealed: string; readonly value: string }
  /** It was sealed with a key that is lost. */
  | { readonly kind: 'lost'; readonly sealed: string };

function heldValue(
  sealer: Sealer,
  { sealed, context }: { readonly sealed: string | undefined; readonly context: string },
): Held {
  if (sealed === undefined) return { kind: 'none' };
  try {
    return { kind: 'held', sealed, value: sealer.open(sealed, context) };
  } catch {
    return { kind: 'lost', sealed };
  }
}

function replacedWarning(key: string): string {
  return `spec.data.${key}: what was there had been sealed with another seal key, and could not be read; it is replaced`;
}

function sealValue(
  sealer: Sealer,
  value: string,
  {
    key,
    context,
    before,
  }: { readonly key: string; readonly context: string; readonly before: Held },
): string {
  if (value === SEALED) {
    // Also one that is lost: the seal key from before may come back, and others are changed now.
    if (before.kind !== 'none') return before.sealed;
    throw refused(`spec.data.${key} "${SEALED}": dom holds no such value; write the value itself`);
  }
  if (Buffer.byteLength(value) > SECRET_BYTES_MAX)
    throw refused(`spec.data.${key}: is over ${SECRET_BYTES_MAX} bytes`);
  return before.kind === 'held' && before.value === value
    ? before.sealed
    : sealer.seal(value, context);
}

/** An object as it may leave dom: of a Secret only the names of its values. */
export function shown<Shown extends Resource>(object: Shown): Shown {
  return object.kind === 'Secret' ? { ...object, spec: shownSpec('Secret', object.spec) } : object;
}

/** The names of a Secret's values that are others than before, sorted; of other kinds none. */
export function changedValues(before: Resource | undefined, after: Resource): readonly string[] {
  if (after.kind !== 'Secret') return [];
  const [old, now] = [dataOf(before), dataOf(after)];
  const names = new Set([...Object.keys(old), ...Object.keys(now)]);
  // One that is the same keeps its sealed text.
  return [...names].filter((name) => old[name] !== now[name]).toSorted();
}

function dataOf(object: Resource | undefined): Readonly<Record<string, string>> {
  return (object as Secret | undefined)?.spec.data ?? {};
}

export function shownSpec(kind: string, spec: unknown): unknown {
  if (kind !== 'Secret') return spec;
  const { data = {} } = spec as Partial<Secret['spec']>;
  const names = Object.keys(data).map((key) => [key, SEALED] as const);
  return { ...(spec as object), data: Object.fromEntries(names) };
}

function refused(message: string): RequestError {
  return new RequestError('INVALID_ARGUMENT', message);
}
