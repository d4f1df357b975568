import { type KeyPattern, parseKeyPattern } from './key-pattern.ts';

/** What a file says of how it was encrypted, under `sops`. */
export interface SopsBlock {
  /** One part of the data key for each group; of one group, all of it. */
  readonly groups: readonly (readonly AgeRecipient[])[];
  /** How many parts make the whole. */
  readonly threshold: number;
  /** As it is written: the MAC is sealed for it. */
  readonly lastModified: string;
  readonly mac: string;
  readonly macOver: 'all' | 'encrypted';
  /** Whether the value at the end of these keys is encrypted. */
  isEncrypted(keys: readonly string[]): boolean;
}

export interface AgeRecipient {
  /** `age1…` */
  readonly recipient: string;
  /** Armored. */
  readonly enc: string;
}

/** `problem` is what is wrong, for a person. */
export type SopsBlockRead =
  | { readonly kind: 'block'; readonly block: SopsBlock }
  | { readonly kind: 'problem'; readonly problem: string };

const GROUPS_MAX = 20;
const RECIPIENTS_MAX = 100;
const ENC_LENGTH_MAX = 16_384;

/** Reads what is under `sops` in a file. */
export function parseSopsBlock(raw: unknown): SopsBlockRead {
  if (!isFields(raw)) return problem('its sops block is none');
  const text = (name: string): string => {
    const value = raw[name];
    return typeof value === 'string' ? value : '';
  };
  if (text('mac') === '' || text('lastmodified') === '')
    return problem('its sops block has no mac and lastmodified: encrypt it again');
  const groups = groupsOf(raw);
  if (typeof groups === 'string') return problem(groups);
  if (text('encrypted_comment_regex') !== '' || text('unencrypted_comment_regex') !== '')
    return problem('which values are encrypted is told by comments; use --encrypted-regex');
  const rules = rulesOf(text);
  if (typeof rules === 'string') return problem(rules);
  const threshold = raw['shamir_threshold'];
  const macOver = raw['mac_only_encrypted'] === true ? 'encrypted' : 'all';
  return {
    kind: 'block',
    block: {
      ...{ groups, macOver, mac: text('mac'), lastModified: text('lastmodified') },
      threshold: typeof threshold === 'number' && threshold > 0 ? threshold : groups.length,
      isEncrypted: (keys) => rules.every((rule) => rule(keys)),
    },
  };
}

/** A text says what is wrong. */
function groupsOf(
  raw: Readonly<Record<string, unknown>>,
): readonly (readonly AgeRecipient[])[] | string {
  const given = raw['key_groups'];
  const lists = Array.isArray(given) && given.length > 0 ? given : [raw];
  if (lists.length > GROUPS_MAX) return `it has more than ${GROUPS_MAX} groups of keys`;
  const groups: (readonly AgeRecipient[])[] = [];
  for (const list of lists) {
    const entries: unknown = isFields(list) ? list['age'] : undefined;
    const group = Array.isArray(entries) ? entries.flatMap(recipientOf) : [];
    if (group.length > RECIPIENTS_MAX) return `it has more than ${RECIPIENTS_MAX} recipients`;
    groups.push(group);
  }
  if (groups.every((group) => group.length === 0))
    return 'it is encrypted for no age key, and dom has no others: sops --add-age';
  return groups;
}

function recipientOf(entry: unknown): readonly AgeRecipient[] {
  if (!isFields(entry)) return [];
  const { recipient, enc } = entry;
  if (typeof recipient !== 'string' || typeof enc !== 'string') return [];
  return recipient.length > ENC_LENGTH_MAX || enc.length > ENC_LENGTH_MAX
    ? []
    : [{ recipient, enc }];
}

type Rule = (keys: readonly string[]) => boolean;

/** All must hold. SOPS writes one of them; a text says what is wrong. */
function rulesOf(text: (name: string) => string): readonly Rule[] | string {
  const rules: Rule[] = [];
  const ends =
    (suffix: string): Rule =>
    (keys) =>
      keys.some((key) => key.endsWith(suffix));
  const [plainEnd, sealedEnd] = [text('unencrypted_suffix'), text('encrypted_suffix')];
  if (plainEnd !== '') rules.push((keys) => !ends(plainEnd)(keys));
  if (sealedEnd !== '') rules.push(ends(sealedEnd));
  for (const name of ['unencrypted_regex', 'encrypted_regex']) {
    const written = text(name);
    if (written === '') continue;
    const pattern = parseKeyPattern(written);
    if (pattern === undefined)
      return `its ${name} is not one that dom can read; use a plain one, e.g. ^data$`;
    rules.push(fitting(pattern, name === 'encrypted_regex' ? 'fits' : 'fits not'));
  }
  if (rules.length > 1) return 'it says in more than one way which values are encrypted; keep one';
  return rules;
}

function fitting(pattern: KeyPattern, wanted: 'fits' | 'fits not'): Rule {
  return (keys) => keys.some((key) => pattern.fits(key)) === (wanted === 'fits');
}

function problem(text: string): SopsBlockRead {
  return { kind: 'problem', problem: text };
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
