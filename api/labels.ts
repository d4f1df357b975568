import { LABEL_BYTES_MAX, objectNameProblem } from './names.ts';

/** How many labels one object may have. */
export const LABELS_MAX = 64;

/** How large all annotations of one object together may be, in bytes: 256 KiB, as in Kubernetes. */
export const ANNOTATIONS_BYTES_MAX = 256 * 1024;

/** One condition on the labels of an object. */
export type LabelRequirement =
  | { readonly operator: 'in' | 'notIn'; readonly key: string; readonly values: readonly string[] }
  | { readonly operator: 'exists' | 'doesNotExist'; readonly key: string };

export type SelectorOutcome =
  | { readonly kind: 'selector'; readonly requirements: readonly LabelRequirement[] }
  | { readonly kind: 'error'; readonly message: string };

/** Parses `a=b,c!=d,e,!f,g in (x,y),h notin (z)` as kubectl does; an empty text selects all. */
export function parseLabelSelector(text: string): SelectorOutcome {
  const requirements: LabelRequirement[] = [];
  if (text.trim() === '') return { kind: 'selector', requirements };
  for (const part of splitOutsideParentheses(text)) {
    const requirement = parseRequirement(part);
    const problem = requirement === undefined ? SYNTAX : requirementProblem(requirement);
    if (requirement === undefined || problem !== undefined) {
      return { kind: 'error', message: `label selector "${part}": ${problem}` };
    }
    requirements.push(requirement);
  }
  return { kind: 'selector', requirements };
}

/** Whether labels meet every requirement. As in Kubernetes, `c!=d` is also met without a `c`. */
export function matchesLabels(
  requirements: readonly LabelRequirement[],
  labels: Readonly<Record<string, string>> = {},
): boolean {
  return requirements.every((requirement) => {
    const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
    switch (requirement.operator) {
      case 'in':
        return value !== undefined && requirement.values.includes(value);
      case 'notIn':
        return value === undefined || !requirement.values.includes(value);
      case 'exists':
        return value !== undefined;
      case 'doesNotExist':
        return value === undefined;
    }
  });
}

/** What is wrong with the key of a label or annotation: `tier` or `example.com/tier`. */
export function labelKeyProblem(key: string): string | undefined {
  const parts = key.split('/');
  if (parts.length > 2) return 'has more than one "/"; write it as prefix/name';
  const [name = '', prefix] = parts.toReversed();
  if (prefix !== undefined && objectNameProblem(prefix) !== undefined) {
    return `prefix "${prefix}" must be a DNS name, e.g. example.com/${name || 'tier'}`;
  }
  if (name.length > LABEL_BYTES_MAX) {
    return `the name is ${name.length} characters long; at most ${LABEL_BYTES_MAX} are possible`;
  }
  return LABEL_WORD.test(name) ? undefined : `the name ${WORD_RULE}, e.g. tier`;
}

/** What is wrong with the value of a label; it may be empty. */
export function labelValueProblem(value: string): string | undefined {
  if (value.length > LABEL_BYTES_MAX) {
    return `is ${value.length} characters long; a label has at most ${LABEL_BYTES_MAX} (annotations may be longer)`;
  }
  return value === '' || LABEL_WORD.test(value) ? undefined : `${WORD_RULE}, e.g. front-end`;
}

const LABEL_WORD = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const WORD_RULE = 'must be letters, digits, "-", "_" and ".", with a letter or digit at both ends';
const SYNTAX = 'write it as key=value, key!=value, key, !key, key in (a,b) or key notin (a,b)';

function splitOutsideParentheses(text: string): readonly string[] {
  return text.split(/,(?![^(]*\))/).map((part) => part.trim());
}

function parseRequirement(part: string): LabelRequirement | undefined {
  const set = /^([^\s=!(),]+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(part);
  if (set !== null) {
    const [, key = '', operator, values = ''] = set;
    return {
      operator: operator === 'in' ? 'in' : 'notIn',
      key,
      values: values.split(',').map((value) => value.trim()),
    };
  }
  const comparison = /^([^\s=!(),]+)\s*(==?|!=)\s*([^\s=!(),]*)$/.exec(part);
  if (comparison !== null) {
    const [, key = '', operator, value = ''] = comparison;
    return { operator: operator === '!=' ? 'notIn' : 'in', key, values: [value] };
  }
  const presence = /^(!?)\s*([^\s=!(),]+)$/.exec(part);
  if (presence === null) return undefined;
  return { operator: presence[1] === '!' ? 'doesNotExist' : 'exists', key: presence[2] ?? '' };
}

function requirementProblem(requirement: LabelRequirement): string | undefined {
  const keyProblem = labelKeyProblem(requirement.key);
  if (keyProblem !== undefined) return keyProblem;
  if (!('values' in requirement)) return undefined;
  return requirement.values.map(labelValueProblem).find((problem) => problem !== undefined);
}
