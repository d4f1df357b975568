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
  text,
  time,
} from './field.ts';
import type { Violation } from './kind.ts';
import { check } from './rules.ts';

export const rolloutSchema = group(
  'How a new release reaches the nodes. Every node holds and has verified it before any serves it.',
  {
    strategy: choice(
      '`all`: every node switches at once; `rolling`: some at a time, each batch watched before the next.',
      ['all', 'rolling'],
      { default: 'all' },
    ),
    deadline: text(
      'How long a connected node that does not get the release may hold up the others, e.g. 10m.',
      { default: '10m' },
    ),
    quorumPercent: integer(
      'How many percent of the connected nodes are enough once the deadline is over.',
      { minimum: 1, maximum: 100, default: 51 },
    ),
    batch: text('With `rolling`: how many nodes switch at a time, e.g. 1 or 25%.', {
      default: '1',
      pattern: '^([1-9][0-9]{0,3}|[1-9][0-9]?%|100%)$',
    }),
    observe: text('With `rolling`: how long a batch is watched before the next one, e.g. 30s.', {
      default: '30s',
    }),
    errorPercent: integer(
      'With `rolling`: how many percent of the answers of switched nodes may be errors (5xx), beyond those of the nodes that have not switched.',
      { minimum: 0, maximum: 100, default: 5 },
    ),
    onFailure: choice(
      'With `rolling`, when a batch does worse: `undo` goes back to the release before; `pause` waits for a person.',
      ['undo', 'pause'],
      { default: 'undo' },
    ),
    paused: flag('Fetch new releases, but switch to none: see `b8sctl rollout pause`.'),
    keep: integer(
      'How many releases are kept for `b8sctl rollout undo`, those in use not counted.',
      {
        minimum: 0,
        maximum: 100,
        default: 10,
      },
    ),
  },
);

export const rolloutStatusSchema = group('The latest change of release.', {
  release: text('The release being rolled out.'),
  from: optional(text('The release that was served before; absent: none.')),
  phase: optional(
    choice(
      '`verifying`: nodes fetch and verify it; `rolling`: some serve it and are watched; `paused`: `spec.rollout.paused` holds it; `halted`: it did worse, and a person is to decide; `undone`: it did worse, and the release before is served again; `done`: it is served.',
      ['verifying', 'rolling', 'paused', 'halted', 'undone', 'done'],
    ),
  ),
  verified: integer('How many nodes hold and have verified it.', COUNT),
  switched: optional(
    integer('How many nodes are told to serve it, while not all are; see `ahead`.', COUNT),
  ),
  total: integer('How many nodes should.', COUNT),
  startedAt: time('When it began.'),
  batchAt: optional(time('When the latest batch of nodes was switched.')),
  finishedAt: optional(
    time('When every node had it, or when it was undone or halted; absent until then.'),
  ),
  message: optional(text('Why it was halted or undone.')),
  request: optional(
    text('The request to go on (`b8s.dev/rollout-resumed`) that was there when it stopped.'),
  ),
});

export const aheadSchema = list(
  'While a release is rolled out: which nodes are told to serve another one than `release`.',
  group('Nodes that serve one release.', {
    release: text('The release.'),
    switchedAt: time('When the first of them was switched to it.'),
    nodes: list('The nodes, by name, sorted.', text('A node.'), { maxItems: 10_000 }),
  }),
  { maxItems: 10_000 },
);

export type RolloutSpec = Declared<typeof rolloutSchema>;
export type RolloutStatus = Declared<typeof rolloutStatusSchema>;
/** Nodes that are told to serve one release. */
export type NodesAhead = Declared<typeof aheadSchema>[number];

/** What holds for a Site that says nothing of it. */
export const ROLLOUT_DEFAULTS: RolloutSpec = {
  strategy: 'all',
  deadline: '10m',
  quorumPercent: 51,
  batch: '1',
  observe: '30s',
  errorPercent: 5,
  onFailure: 'undo',
  paused: false,
  keep: 10,
};

export function rolloutViolations(rollout: RolloutSpec | undefined): readonly Violation[] {
  if (rollout === undefined) return [];
  const steps = ['spec', 'rollout'];
  return [
    ...check([...steps, 'deadline'], rollout.deadline, durationProblem),
    ...check([...steps, 'observe'], rollout.observe, durationProblem),
  ];
}

function durationProblem(duration: string): string | undefined {
  const ms = parseDurationMs(duration);
  return ms === undefined || ms === 0 ? 'must be a duration, e.g. 90s, 10m or 1h30m' : undefined;
}
