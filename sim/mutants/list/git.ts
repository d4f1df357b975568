import type { Mutant } from '../mutant.ts';

/** Git repositories that dom follows: what becomes of commits, and of what they no longer declare. */
export const GIT: readonly Mutant[] = [
  {
    name: 'webhook-of-a-burst-lost',
    file: 'dom/hooks/desk.ts',
    find: 'if (this.#isIdle(pace)) void this.#writeLater(repository, pace);',
    replace: 'if (!this.#isIdle(pace)) void this.#writeLater(repository, pace);',
    story: 'A call that comes too soon after others is said to be taken, and forgotten.',
    expects: [1],
  },
  {
    name: 'empty-tree-prunes',
    file: 'controllers/repository/plan/plan.ts',
    find: '  if (set.desired.length === 0) {',
    replace: '  if (set.desired.length < 0) {',
    story: 'A tree that declares nothing takes all away, if somebody has allowed that.',
    expects: [43],
  },
  {
    name: 'mass-deletion-unasked',
    file: 'controllers/repository/plan/plan.ts',
    find: 'share <= massDeletionPercent)',
    replace: 'share <= 2 * massDeletionPercent)',
    story: 'A commit takes nearly all away, and nobody is asked.',
    expects: [43],
  },
  {
    name: 'bad-commit-forgotten-at-restart',
    file: 'controllers/repository/controller.ts',
    find: 'keepUp(facts, planRepository(facts, clock.nowMs()))',
    replace:
      "(facts.record.attempt?.phase === 'undoing' && (memory.knows = true), keepUp(facts, planRepository(memory.knows ? facts : { ...facts, record: { ...facts.record, bad: undefined } }, clock.nowMs())))",
    story: 'Only the process that has rolled a commit back knows that it is bad.',
    expects: [42],
  },
  {
    name: 'bad-commit-forgotten-by-suspension',
    file: 'controllers/repository/plan/bad-commit.ts',
    find: 'export function meantBy({ spec }: Repository): string {\n  const { url, path, timeout } = spec;',
    replace:
      'export function meantBy({ spec, metadata }: Repository): string {\n  const { url, path, timeout = metadata.generation } = { ...spec, timeout: undefined };',
    story: 'Who suspends a Repository for a while gets the bad commit once more.',
    expects: [42],
  },
  {
    name: 'moved-object-deleted',
    file: 'controllers/repository/plan/removals.ts',
    find: 'const to = facts.claimant(key);',
    replace: 'const to = undefined;',
    story: 'An object that goes from one Repository to another is deleted on the way.',
    expects: [43],
  },
  {
    name: 'claim-not-waited-for',
    file: 'controllers/repository/plan/removals.ts',
    find: 'const unread = remote.set === undefined ? undefined : facts.unread(remote.set.commit);',
    replace: 'const unread = remote.set === undefined ? facts.unread(key) : undefined;',
    story: 'Nobody asks whether another Repository is to take over what a commit removes.',
    expects: [43],
  },
  {
    name: 'undo-dropped-early',
    file: 'controllers/repository/plan/plan.ts',
    find: "      undo: 'keep',\n      record: { ...record, attempt: { ...attempt, phase: 'waiting' } },",
    replace:
      "      undo: 'drop',\n      record: { ...record, attempt: { ...attempt, phase: 'waiting' } },",
    story: 'What would undo a commit is thrown away as soon as all of it is applied.',
    expects: [41],
  },
  {
    name: 'undo-of-the-last-step-only',
    file: 'controllers/repository/plan/steps.ts',
    find: '  if (facts.undo.has(key)) return [];\n  const kept',
    replace: '  const kept',
    story: 'An object that two commits have changed goes back to the first of them.',
    expects: [1, 41],
  },
  {
    name: 'release-left-behind',
    file: 'controllers/repository/plan/steps.ts',
    find: '      ...releaseOnce(ports.world, { ...before, uid }),\n',
    replace: '',
    story:
      'A Site that a bad commit has removed comes back, and names a release that went with it.',
    expects: [1, 41],
  },
  {
    name: 'release-taken-for-there',
    file: 'controllers/repository/plan/steps.ts',
    find: '    const { ownerReferences = [], ...metadata } = found.metadata;\n',
    replace:
      '    if (found !== null) return [];\n    const { ownerReferences = [], ...metadata } = found.metadata;\n',
    story: 'A Site comes back without its release, of whose end dom has not heard yet.',
    expects: [41],
  },
  {
    name: 'defaults-are-drift',
    file: 'controllers/repository/plan/drift.ts',
    find: 'const want = wanted.has(pointer) ? wanted.get(pointer) : value;',
    replace: "const want = wanted.has(pointer) && pointer !== '/spec/hosts' ? 'a default' : value;",
    story: 'A field that dom has filled in counts as changed by somebody.',
    expects: [1, 2, 44],
  },
  {
    name: 'drift-left-while-refused',
    file: 'controllers/repository/plan/upkeep.ts',
    find: "driftPolicy === 'report' || !isWhole",
    replace: "driftPolicy === 'report' || !isWhole || step.say.mood === 'stalled'",
    story: 'Nobody puts a changed field back while the newest commit is refused.',
    expects: [44],
  },
  {
    name: 'drift-takes-labels',
    file: 'controllers/repository/plan/steps.ts',
    find: "  return {\n    ...{ object, manager: managerOf(repository), values: 'sealed' },\n    command: `put back what",
    replace:
      "  return {\n    ...{ object: { ...object, metadata: { ...object.metadata, labels: { team: 'git' } } }, manager: managerOf(repository), values: 'sealed' },\n    command: `put back what",
    story: 'Whoever puts a field back sets others that nobody has declared.',
    expects: [44],
  },
  {
    name: 'superseded-commit-waited-for',
    file: 'controllers/repository/plan/plan.ts',
    find: "if (coming.kind !== 'rest') return coming;",
    replace: "if (coming.kind === 'check') return coming;",
    story: 'A commit that is never Ready is waited for, though a good one has come.',
    expects: [1],
  },
  {
    name: 'ready-while-applying',
    file: 'controllers/repository/words.ts',
    find: '  if (attempt === undefined || attempt.sinceMs === before.attempt?.sinceMs) return undefined;',
    replace: '  if (attempt === undefined || attempt.sinceMs >= 0) return undefined;',
    story: 'A Repository says that it is Ready while half of a commit is applied.',
    expects: [41],
  },
];
