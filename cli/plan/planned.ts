import type { Resource } from '../../api/object.ts';
import { SEALED, type Secret } from '../../api/secret.ts';
import type { DeclaredObject, ForecastChange, ObjectReference } from '../../runtime/api-client.ts';
import { declarationOf, leavesOf, sameValue } from '../../runtime/fields.ts';

/** What an object declares at one moment; the values of Secrets are not in it. */
export interface Seen {
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: unknown;
}

/**
 * `own`: only who owns the fields changes. The last four are a Repository's: nothing of the object
 * changes, it stays and is nobody's, another Repository has it from then on, it has drifted.
 */
export const ACTIONS = [
  ...['create', 'update', 'delete', 'own'],
  ...['keep', 'let go', 'hand over', 'put back'],
] as const;

/** One object that is to become another. */
export interface PlannedChange {
  readonly reference: ObjectReference;
  /** One of `ACTIONS`; of a newer dom perhaps another one. */
  readonly action: string;
  /** For a person; may be empty. */
  readonly why: string;
  /** `site.yaml:3`; empty: it is declared nowhere. */
  readonly place: string;
  /** Undefined: it is not there. */
  readonly before: Seen | undefined;
  readonly after: Seen | undefined;
  /** Of a Secret the names of the values that become others. */
  readonly changedValues: readonly string[];
  /** What is applied; undefined: nothing is, or it is read from its file again. */
  readonly declared?: DeclaredObject;
  /** The folder or archive that the Site's release is made of. */
  readonly content?: { readonly where: string; readonly release: string };
}

/** A field that is not the same on both sides; JSON Pointer. */
export interface FieldChange {
  readonly pointer: string;
  /** Undefined: it is not there. */
  readonly from: unknown;
  readonly to: unknown;
}

export function seen(object: Resource | undefined): Seen | undefined {
  if (object === undefined) return undefined;
  const { spec: whole, labels, annotations } = declarationOf(object);
  // Dom does not show them; and whatever dom shows, no value is put into a file.
  const spec = object.kind === 'Secret' ? withoutValues(whole) : whole;
  // As it is after a way through a file.
  return JSON.parse(
    JSON.stringify({ uid: object.metadata.uid, labels, annotations, spec }),
  ) as Seen;
}

function withoutValues(spec: unknown): unknown {
  const { data = {} } = spec as Partial<Secret['spec']>;
  const sealed = Object.keys(data).map((name) => [name, SEALED] as const);
  return { ...(spec as object), data: Object.fromEntries(sealed) };
}

/** The fields that differ, in the order of their names. */
export function fieldChanges(
  before: Omit<Seen, 'uid'> | undefined,
  after: Omit<Seen, 'uid'> | undefined,
): readonly FieldChange[] {
  const [from, to] = [before, after].map((each) => leavesOf(each ?? NOTHING));
  const pointers = [...new Set([...(from?.keys() ?? []), ...(to?.keys() ?? [])])].toSorted();
  return pointers
    .map((pointer) => ({ pointer, from: from?.get(pointer), to: to?.get(pointer) }))
    .filter((each) => !sameValue(each.from, each.to));
}

const NOTHING = { spec: {}, labels: {}, annotations: {} };

export function plannedOf({ before, after, file, line, ...change }: ForecastChange): PlannedChange {
  const place = file === '' || line === 0 ? file : `${file}:${line}`;
  return { ...change, place, before: seen(before), after: seen(after) };
}

/** Whether something of the object itself becomes another. */
export function isEffective({ action }: PlannedChange): boolean {
  return !['keep', 'let go', 'hand over'].includes(action);
}
