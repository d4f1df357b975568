import type { Mutant } from '../mutant.ts';

/** Git repositories that dom follows: what becomes of commits, and of what they no longer declare. */
export const GIT: readonly Mutant[] = [
  {
    name: 'empty-tree-prunes',
    file: 'controllers/repository/plan.ts',
    find: '  if (set.desired.length === 0) {',
    replace: '  if (set.desired.length < 0) {',
    story: 'A tree that declares nothing takes all away, if somebody has allowed that.',
    expects: [43],
  },
  {
    name: 'mass-deletion-unasked',
    file: 'controllers/repository/plan.ts',
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
    file: 'controllers/repository/bad-commit.ts',
    find: 'export function meantBy({ spec }: Repository): string {\n  const { url, path, timeout } = spec;',
    replace:
      'export function meantBy({ spec, metadata }: Repository): string {\n  const { url, path, timeout = metadata.generation } = { ...spec, timeout: undefined };',
    story: 'Who suspends a Repository for a while gets the bad commit once more.',
    expects: [42],
  },
  {
    name: 'moved-object-deleted',
    file: 'controllers/repository/plan.ts',
    find: 'const to = facts.claimant(key);',
    replace: 'const to = undefined;',
    story: 'An object that goes from one Repository to another is deleted on the way.',
    expects: [43],
  },
  {
    name: 'claim-not-waited-for',
    file: 'controllers/repository/plan.ts',
    find: 'const mayRemove = isLate || facts.behind(attempt.commit) === undefined;',
    replace: 'const mayRemove = isLate || facts.behind(attempt.commit) !== attempt.commit;',
    story: 'Nobody asks whether another Repository is to take over what a commit removes.',
    expects: [43],
  },
  {
    name: 'undo-dropped-early',
    file: 'controllers/repository/plan.ts',
    find: "      undo: 'keep',\n      record: { ...record, attempt: { ...attempt, phase: 'waiting' } },",
    replace:
      "      undo: 'drop',\n      record: { ...record, attempt: { ...attempt, phase: 'waiting' } },",
    story: 'What would undo a commit is thrown away as soon as all of it is applied.',
    expects: [41],
  },
  {
    name: 'undo-of-the-last-step-only',
    file: 'controllers/repository/steps.ts',
    find: '  if (facts.undo.has(key)) return [];\n  const kept',
    replace: '  const kept',
    story: 'An object that two commits have changed goes back to the first of them.',
    expects: [1, 41],
  },
  {
    name: 'release-left-behind',
    file: 'controllers/repository/steps.ts',
    find: '      ...releaseOnce(ports.world, before),\n',
    replace: '',
    story:
      'A Site that a bad commit has removed comes back, and names a release that went with it.',
    expects: [1, 41],
  },
  {
    name: 'defaults-are-drift',
    file: 'controllers/repository/drift.ts',
    find: 'const want = wanted.has(pointer) ? wanted.get(pointer) : value;',
    replace: "const want = wanted.has(pointer) && pointer !== '/spec/hosts' ? 'a default' : value;",
    story: 'A field that dom has filled in counts as changed by somebody.',
    expects: [1, 2, 44],
  },
  {
    name: 'drift-left-while-refused',
    file: 'controllers/repository/upkeep.ts',
    find: "driftPolicy === 'report' || !isWhole",
    replace: "driftPolicy === 'report' || !isWhole || step.say.mood === 'stalled'",
    story: 'Nobody puts a changed field back while the newest commit is refused.',
    expects: [44],
  },
  {
    name: 'drift-takes-labels',
    file: 'controllers/repository/steps.ts',
    find: "  return {\n    ...{ object, manager: managerOf(repository), values: 'sealed' },\n    command: `put back what",
    replace:
      "  return {\n    ...{ object: { ...object, metadata: { ...object.metadata, labels: { team: 'git' } } }, manager: managerOf(repository), values: 'sealed' },\n    command: `put back what",
    story: 'Whoever puts a field back sets others that nobody has declared.',
    expects: [44],
  },
  {
    name: 'superseded-commit-waited-for',
    file: 'controllers/repository/plan.ts',
    find: "if (isNewer && coming.kind !== 'rest') return coming;",
    replace: "if (isNewer && coming.kind === 'check') return coming;",
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
