import type { Resource } from '../../api/object.ts';
import { SEALED, SECRET_BYTES_MAX, type Secret } from '../../api/secret.ts';
import type { Given } from '../../api/validate.ts';
import type { Sealer } from '../../runtime/authority.ts';
import type { ObjectName } from '../../runtime/keys.ts';
import { RequestError } from '../../runtime/request-error.ts';
import { secretContext } from '../../runtime/secrets.ts';

/**
 * What was written, with the values of a Secret sealed: nothing else of dom ever holds them in the
 * clear. A value that is there already keeps its sealed text, so that to say it again changes
 * nothing. Other kinds come back as they are.
 */
export function sealGiven(
  sealer: Sealer,
  name: ObjectName,
  { given, live }: { readonly given: Given; readonly live: Resource | undefined },
): Given {
  if (name.kind !== 'Secret') return given;
  const { data = {} } = given.spec as Partial<Secret['spec']>;
  const held = (live as Secret | undefined)?.spec.data ?? {};
  const sealed = Object.entries(data).map(([key, value]) => {
    const context = secretContext({ namespace: name.namespace ?? '', name: name.name, key });
    return [key, sealValue(sealer, value, { key, context, held: held[key] })] as const;
  });
  return { ...given, spec: { ...(given.spec as object), data: Object.fromEntries(sealed) } };
}

function sealValue(
  sealer: Sealer,
  value: string,
  {
    key,
    context,
    held,
  }: { readonly key: string; readonly context: string; readonly held: string | undefined },
): string {
  if (value === SEALED) {
    if (held !== undefined) return held;
    throw refused(`spec.data.${key} "${SEALED}": dom holds no such value; write the value itself`);
  }
  if (Buffer.byteLength(value) > SECRET_BYTES_MAX)
    throw refused(`spec.data.${key}: is over ${SECRET_BYTES_MAX} bytes`);
  return held !== undefined && sealer.open(held, context) === value
    ? held
    : sealer.seal(value, context);
}

/** An object as it may leave dom: of a Secret only the names of its values. */
export function shown<Shown extends Resource>(object: Shown): Shown {
  return object.kind === 'Secret' ? { ...object, spec: shownSpec('Secret', object.spec) } : object;
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
