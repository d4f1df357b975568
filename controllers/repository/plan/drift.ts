import { kindOf } from '../../../api/kinds.ts';
import type { Resource } from '../../../api/object.ts';
import { formatPath, parsePointer } from '../../../api/path.ts';
import type { RepositoryStatus } from '../../../api/repository.ts';
import { quote } from '../../../api/rules.ts';
import type { DeclaredObject } from '../../../runtime/api-client.ts';
import {
  declarationOf,
  isBelow,
  isEmptyGroup,
  leavesOf,
  sameValue,
} from '../../../runtime/fields.ts';
import { REPOSITORY_MANAGER, shownKey } from '../facts.ts';

export type Drift = NonNullable<RepositoryStatus['drift']>[number];

/** What a Repository declares of an object, and the field manager that it does so as. */
export interface Declaration {
  readonly key: string;
  readonly declared: DeclaredObject;
  readonly manager: string;
}

/**
 * The fields of an object that are not as they were declared, in the order of their names. Fields
 * that were not declared are nobody's here, and defaults are what was meant.
 */
export function driftOf(
  { key, declared, manager }: Declaration,
  live: Resource | undefined,
): readonly Drift[] {
  const object = shownKey(key);
  if (live === undefined) return [{ object, declared: 'there', found: 'missing' }];
  const { metadata } = declared;
  const given = leavesOf({
    spec: declared.spec ?? {},
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
  });
  // The items of lists have defaults, too, so both sides are compared with all of them.
  const spec = kindOf(declared.kind)?.normalize(declared.spec ?? {});
  const wanted = leavesOf({
    spec,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
  });
  const found = leavesOf(declarationOf(live));
  const drift: Drift[] = [];
  for (const [pointer, value] of given) {
    const want = wanted.has(pointer) ? wanted.get(pointer) : value;
    if (isEmptyGroup(want) || isEmptyGroup(value)) {
      // An empty group only asks for a group to be there.
      const isThere = [...found.keys()].some((each) => each === pointer || isBelow(each, pointer));
      if (!isThere)
        drift.push(differing(object, { pointer, want, live, manager, found: undefined }));
    } else if (!sameValue(found.get(pointer), want)) {
      drift.push(differing(object, { pointer, want, live, manager, found: found.get(pointer) }));
    }
  }
  return drift.toSorted((one, other) => ((one.field ?? '') < (other.field ?? '') ? -1 : 1));
}

function differing(
  object: string,
  {
    pointer,
    want,
    found,
    live,
    manager,
  }: {
    readonly pointer: string;
    readonly want: unknown;
    readonly found: unknown;
    readonly live: Resource;
    readonly manager: string;
  },
): Drift {
  const isSecret = live.kind === 'Secret' && pointer.startsWith('/spec/');
  const setters = (live.metadata.managedFields ?? []).filter(
    (each) => each.manager !== manager && each.fields.some((field) => touches(field, pointer)),
  );
  // Of several who agree, one that keeps it so.
  const by = setters.find((each) => each.manager.startsWith(REPOSITORY_MANAGER)) ?? setters[0];
  return {
    object,
    field: formatPath(parsePointer(pointer)),
    declared: isSecret ? '(sealed)' : quote(want),
    found: found === undefined ? 'nothing' : isSecret ? '(sealed)' : quote(found),
    ...(by !== undefined && { manager: by.manager, time: by.time }),
  };
}

function touches(field: string, pointer: string): boolean {
  return field === pointer || isBelow(field, pointer) || isBelow(pointer, field);
}

/** `spec.ttl of Site/default/blog is 60, not 30: set by b8sctl at 2026-…`. */
export function driftText({ object, field, declared, found, manager, time }: Drift): string {
  if (field === undefined) return `${object} is missing`;
  const who = manager === undefined ? '' : `: set by ${manager}${time ? ` at ${time}` : ''}`;
  return `${field} of ${object} is ${found}, not ${declared}${who}`;
}
