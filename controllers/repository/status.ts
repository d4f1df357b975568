import { DRIFT_TOLD_MAX, type Repository, type RepositoryStatus } from '../../api/repository.ts';
import { type ConditionInput, replaceConditions } from '../../runtime/control/conditions.ts';
import type { RepositoryRecord } from '../../runtime/repository-records.ts';
import type { Drift } from './plan/drift.ts';
import type { Say } from './words.ts';

export interface StatusFacts {
  readonly repository: Repository;
  readonly record: RepositoryRecord;
  readonly say: Say;
  /** The commit that is to be followed; undefined: it is not known. */
  readonly target: string | undefined;
  /** Undefined: nobody, or nobody was asked. */
  readonly signedBy: string | undefined;
  readonly objects: number;
  readonly drift: readonly Drift[];
  readonly webhook: RepositoryStatus['webhook'];
  readonly commitStatus: RepositoryStatus['commitStatus'];
}

/** What a condition can hold; a thousand problems help nobody. */
const MESSAGE_MAX = 8_000;

export function statusOf(facts: StatusFacts, nowMs: number): RepositoryStatus {
  const { repository, record, target, drift, objects } = facts;
  const { applied, bad, request } = record;
  const attempted = record.attempt?.commit ?? target ?? repository.status?.attemptedCommit;
  return {
    observedGeneration: repository.metadata.generation,
    conditions: replaceConditions(repository.status?.conditions ?? [], conditionsOf(facts), nowMs),
    ...(applied && { lastAppliedCommit: applied.commit, subject: applied.subject }),
    ...(attempted !== undefined && { attemptedCommit: attempted }),
    ...(facts.signedBy !== undefined && { signedBy: facts.signedBy }),
    ...(bad && {
      badCommit: {
        commit: bad.commit,
        message: bad.message,
        time: new Date(bad.atMs).toISOString(),
      },
    }),
    objects,
    ...(drift.length > 0 && { drift: drift.slice(0, DRIFT_TOLD_MAX), driftCount: drift.length }),
    ...(facts.webhook && { webhook: facts.webhook }),
    ...(facts.commitStatus && { commitStatus: facts.commitStatus }),
    ...(request !== undefined && { handledRequest: request }),
  };
}

function conditionsOf({ repository, say }: StatusFacts): readonly ConditionInput[] {
  const observedGeneration = repository.metadata.generation;
  const message = say.message.slice(0, MESSAGE_MAX);
  const { status, reason } = say.ready;
  const other = (type: string, holds: boolean): ConditionInput => ({
    type,
    status: holds ? 'True' : 'False',
    reason: holds ? reason : `Not${type}`,
    message: holds ? message : '',
    observedGeneration,
  });
  return [
    { type: 'Ready', status, reason, message, observedGeneration },
    other('Reconciling', say.mood === 'working'),
    other('Stalled', say.mood === 'stalled'),
  ];
}
