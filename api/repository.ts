import { ageColumn, NONE, nameColumn, readyColumn, reasonColumn } from './column.ts';
import { parseDurationMs } from './duration.ts';
import {
  COUNT,
  choice,
  type Declared,
  flag,
  group,
  integer,
  list,
  optional,
  statusGroup,
  text,
  time,
} from './field.ts';
import { defineKind } from './kind.ts';
import type { Resource } from './object.ts';
import { repositoryRules } from './repository-rules.ts';

/** Asks for a look at the remote now: when, and what else is wanted; `b8sctl reconcile` writes it. */
export const RECONCILE_REQUESTED = 'b8s.dev/reconcile-requested';

/** On an object of a Repository: `disabled` keeps it when its manifest is gone. */
export const PRUNE = 'b8s.dev/prune';

/** Differences that a status tells one by one. */
export const DRIFT_TOLD_MAX = 50;

/** Where dom's port takes calls of Git hosts, behind which come namespace and name. */
export const HOOKS_PATH = '/hooks/';

const SIGNERS_MAX = 64;
/** Of an armored key of OpenPGP with its signatures. */
const KEY_LENGTH_MAX = 64 * 1024;

const signerSchema = group('One who may sign, with one key.', {
  name: text('Who, for people.', { minLength: 1, maxLength: 253 }),
  key: text(
    'The public key: a line of a `.pub` file of ssh, or what `gpg --armor --export` prints.',
    { maxLength: KEY_LENGTH_MAX },
  ),
  validAfter: optional(time('What was signed before is not taken.')),
  validBefore: optional(time('What was signed then or later is not taken.')),
  revoked: flag('Nothing that it signed is taken, whenever that was.'),
});

export const repositorySpecSchema = group('What to follow, and how.', {
  url: text(
    'Where it is: `https://host/path.git`, `ssh://git@host/path.git`, `git://host/path.git`, or `file:///path` if dom allows it.',
    { maxLength: 1024 },
  ),
  ref: optional(
    group('What to follow: at most one of its fields. Left out: the branch that is HEAD there.', {
      branch: optional(text('A branch, e.g. main.', { maxLength: 255 })),
      tag: optional(text('A tag, e.g. v1.2.0.', { maxLength: 255 })),
      semver: optional(
        text('The greatest version among the tags within a range, e.g. ^1.2.', { maxLength: 255 }),
      ),
      commit: optional(text('One commit, by its 40 hex digits.', { pattern: '^[0-9a-f]{40}$' })),
    }),
  ),
  path: text('The folder with the manifests, and all folders in it.', { default: '.' }),
  interval: text('How often to look for a new commit; a tenth more or less, by chance.', {
    default: '5m',
  }),
  timeout: text('How long a fetch may take; and a change, until all that it touched is Ready.', {
    default: '5m',
  }),
  suspend: flag('Do nothing: fetch, apply, remove and put back nothing.'),
  prune: choice(
    'What becomes of objects whose manifest is gone: `on` deletes them, `off` leaves them and forgets them.',
    ['on', 'off'],
    { default: 'on' },
  ),
  massDeletionPercent: integer(
    'A commit that would delete more than this share of the objects waits for a person.',
    { minimum: 0, maximum: 100, default: 50 },
  ),
  allowMassDeletion: flag('Delete as many as a commit asks for.'),
  driftPolicy: choice(
    'What becomes of a field that others changed: `correct` puts it back, `report` only tells.',
    ['correct', 'report'],
    { default: 'correct' },
  ),
  onFailure: choice(
    'What becomes of a commit that is not Ready in time: `rollback` returns to the one before and remembers the bad one, `keep` leaves it and goes on waiting.',
    ['rollback', 'keep'],
    { default: 'keep' },
  ),
  dependsOn: list(
    'Repositories of its namespace, by name, that must be Ready before.',
    text('A Repository.'),
    { maxItems: 64, uniqueItems: true, default: [] },
  ),
  secretRef: optional(
    text(
      'A Secret of its namespace with what the remote asks for: `token` (and `username`), or `sshKey` and `knownHosts`; `caBundle` for a CA of your own.',
    ),
  ),
  verify: optional(
    group('Which signature a commit must have. One without it is refused whole.', {
      mode: choice(
        'What must be signed: `HEAD` the commit, `Tag` the tag that `ref` names, `TagAndHEAD` both.',
        ['HEAD', 'Tag', 'TagAndHEAD'],
        { default: 'HEAD' },
      ),
      signers: list('Who may sign.', signerSchema, { maxItems: SIGNERS_MAX, default: [] }),
      secretRef: optional(
        text(
          'A Secret of its namespace with more of them: each value is armored keys of OpenPGP, or lines as in the file `allowed_signers` of ssh.',
        ),
      ),
    }),
  ),
  decryption: optional(
    group('How encrypted manifests are decrypted.', {
      provider: choice('`sops`: files that SOPS has encrypted for keys of age.', ['sops'], {
        default: 'sops',
      }),
      secretRef: text(
        'A Secret of its namespace whose values are private keys of age, as `age-keygen` writes them.',
      ),
    }),
  ),
  webhook: optional(
    group('Lets the Git host say that something was pushed, so that nobody waits for `interval`.', {
      secretRef: text(
        'A Secret of its namespace with what the host signs its calls with, under `secret`.',
      ),
    }),
  ),
  commitStatus: optional(
    group(
      'Tells the Git host of each commit whether it is being brought in, in force, or failed.',
      {
        provider: choice('What the host speaks; `gitea` is for Forgejo as well.', [
          'github',
          'gitlab',
          'gitea',
        ]),
        url: optional(
          text(
            'Where its API is, e.g. https://git.example.com/api/v1; left out: from `spec.url`.',
            {
              maxLength: 1024,
            },
          ),
        ),
        project: optional(
          text('What the host calls the repository, e.g. team/infra; left out: from `spec.url`.', {
            maxLength: 512,
          }),
        ),
        context: optional(
          text('Tells several apart at one commit; left out: b8s/<namespace>/<name>.', {
            maxLength: 200,
          }),
        ),
        secretRef: optional(
          text(
            'A Secret of its namespace with a `token` that may write statuses, and `caBundle` for a CA of your own; left out: the one of `spec.secretRef`.',
          ),
        ),
      },
    ),
  ),
});

const driftSchema = group('A field that is not what the repository says.', {
  object: text('The object: `Site/default/blog`.'),
  field: optional(text('The field; absent: the object itself is missing.')),
  declared: text('What the repository says.'),
  found: text('What it is.'),
  manager: optional(text('Who set it; absent: nobody says so.')),
  time: optional(time('When.')),
});

export const repositoryStatusSchema = statusGroup({
  lastAppliedCommit: optional(text('The commit whose objects are in force.')),
  subject: optional(text('The first line of its message.')),
  attemptedCommit: optional(text('The commit that was last found to follow.')),
  badCommit: optional(
    group('A commit that was rolled back; it is not tried again.', {
      commit: text('Which.'),
      message: text('Why.', { maxLength: 32_768 }),
      time: time('When.'),
    }),
  ),
  signedBy: optional(text('Who signed it, where `spec.verify` asks for a signature.')),
  objects: optional(integer('How many objects it keeps.', COUNT)),
  drift: optional(
    list('Fields that are not what the repository says.', driftSchema, {
      maxItems: DRIFT_TOLD_MAX,
    }),
  ),
  driftCount: optional(integer('How many such fields there are.', COUNT)),
  webhook: optional(
    group('The webhook, if there is one.', {
      urls: list('What to enter at the Git host: one for each dom.', text('A URL.'), {
        maxItems: 16,
      }),
      lastCall: optional(time('When a push was last told of.')),
      problem: optional(text('Why no call can be taken; absent: they can.')),
    }),
  ),
  commitStatus: optional(
    group('What the Git host was told last.', {
      commit: optional(text('Of which commit.')),
      state: optional(
        choice('What of it; `superseded`: another took its place before it was Ready.', [
          'pending',
          'success',
          'failure',
          'superseded',
        ]),
      ),
      lastError: optional(text('Why the host does not take what comes next; absent: it does.')),
      nextTry: optional(time('When it is tried again.')),
    }),
  ),
  handledRequest: optional(text('The request (`b8s.dev/reconcile-requested`) that was answered.')),
});

export type RepositorySpec = Declared<typeof repositorySpecSchema>;
export type RepositoryStatus = Declared<typeof repositoryStatusSchema>;
/** A Git repository whose manifests dom keeps in force. */
export type Repository = Resource<RepositorySpec, RepositoryStatus>;

export const repositoryKind = defineKind({
  kind: 'Repository',
  plural: 'repositories',
  shortNames: ['repo'],
  scope: 'namespace',
  description:
    'A Git repository that dom follows: its manifests are applied, kept as they are, and removed when they are gone.',
  spec: repositorySpecSchema,
  status: repositoryStatusSchema,
  rules: repositoryRules,
  columns: [
    nameColumn,
    readyColumn,
    { header: 'COMMIT', value: ({ status }) => status?.lastAppliedCommit?.slice(0, 7) ?? NONE },
    { header: 'SUBJECT', value: ({ status }) => cut(status?.subject) },
    ageColumn,
    { header: 'DRIFT', value: ({ status }) => String(status?.driftCount ?? 0) },
    { header: 'OBJECTS', wide: true, value: ({ status }) => String(status?.objects ?? 0) },
    { header: 'URL', wide: true, value: ({ spec }) => spec.url },
    reasonColumn,
  ],
});

const SUBJECT_SHOWN = 50;

function cut(subject: string | undefined): string {
  if (subject === undefined || subject === '') return NONE;
  const characters = [...subject];
  if (characters.length <= SUBJECT_SHOWN) return subject;
  return `${characters.slice(0, SUBJECT_SHOWN - 1).join('')}…`;
}

/** In milliseconds; a valid Repository's texts are durations. */
export function durationOf(text: string): number {
  return parseDurationMs(text) ?? 0;
}
