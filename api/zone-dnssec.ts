import { COUNT, choice, group, integer, list, optional, text, time } from './field.ts';
import type { Violation } from './kind.ts';
import { aboutField } from './rules.ts';
import type { ZoneSpec } from './zone.ts';

/** `spec.dnssec` and `status.ds` of a Zone: how it is signed, and what its parent should hold. */

const keyTag = { minimum: 0, maximum: 65_535 } as const;

export const dnssecSpecSchema = group(
  'Signatures, by which resolvers know that answers are the zone’s own (RFC 4033). Left out: there are none.',
  {
    mode: choice(
      '`signed`: answers are signed. `off`: they are not; a zone that was signed stays so until `parentDs` says that its parent holds no DS record any more.',
      ['off', 'signed'],
      { default: 'off' },
    ),
    keyGeneration: integer(
      'Another number makes a new key, which takes over from the one before it (`b8sctl zone roll-key`).',
      { minimum: 1, maximum: COUNT.maximum, default: 1 },
    ),
    parentDs: optional(
      list(
        'The key tags of the DS records that the parent zone holds, as you have seen there. A change of keys waits for the new one, the end of signing for an empty list.',
        integer('A key tag.', keyTag),
        { maxItems: 8, uniqueItems: true },
      ),
    ),
    parentTtlS: integer('How long resolvers may keep DS records of the parent, in seconds.', {
      minimum: 1,
      maximum: 604_800,
      default: 86_400,
    }),
  },
);

/**
 * An empty list that was declared before there was a DS record would say, once the zone is to be
 * signed no more, that there is none: then it must be news.
 */
export function dnssecViolations({ dnssec }: Pick<ZoneSpec, 'dnssec'>): readonly Violation[] {
  if (dnssec?.mode !== 'signed' || dnssec.parentDs?.length !== 0) return [];
  const message = 'is empty; leave it out until the parent zone holds a DS record';
  return [aboutField(['spec', 'dnssec', 'parentDs'], message)];
}

const dsSchema = group('A DS record (RFC 4034 §5).', {
  keyTag: integer('The number that the key goes by.', keyTag),
  algorithm: integer('13: ECDSA P-256 with SHA-256 (RFC 6605).', { minimum: 0, maximum: 255 }),
  digestType: integer('2: SHA-256 (RFC 4509).', { minimum: 0, maximum: 255 }),
  digest: text('The digest of the key, hex.', { maxLength: 128 }),
});

export const dnssecStatusFields = {
  ds: optional(
    list(
      'The DS records that the parent zone should hold, and no others: give them to the registrar.',
      dsSchema,
      { maxItems: 8 },
    ),
  ),
  dnssec: optional(
    group('Where the keys of the zone are.', {
      phase: choice('What happens to them now.', [
        'signing',
        'steady',
        'publishing',
        'swapping',
        'retiring',
        'withdrawing',
      ]),
      keys: list(
        'The keys, the oldest first.',
        group('A key.', {
          keyTag: integer('The number that the key goes by.', keyTag),
          role: choice('`active` signs; the others are there for those who hold older answers.', [
            'active',
            'published',
            'retired',
          ]),
        }),
        { maxItems: 8 },
      ),
      nextStepTime: optional(
        time('When the next step can be taken; absent: something is waited for.'),
      ),
    }),
  ),
} as const;
