import type { ForecastQuery, RepositoryForecast } from '../../runtime/api-client.ts';
import { printable } from '../../runtime/printable.ts';
import { type Cli, CommandError } from '../cli.ts';
import { reconcileNow, repositoryNamed } from '../commands/reconcile.ts';
import { findObject } from '../objects/objects.ts';
import { referenceOf } from '../objects/targets.ts';
import { quotedName } from '../render/output.ts';
import { refusal } from './apply-plan.ts';
import { changedSince } from './changed-since.ts';
import type { Plan, RepositorySource } from './plan-file.ts';
import { fieldChanges, isEffective, type PlannedChange, plannedOf } from './planned.ts';
import { shownName } from './render-plan.ts';

export interface RepositoryOptions {
  readonly repository: string;
  readonly ref?: string;
  readonly forceConflicts?: true;
  readonly allowMassDeletion?: true;
}

export interface RepositoryPlan {
  readonly forecast: RepositoryForecast;
  readonly changes: readonly PlannedChange[];
  /** Why nothing is done of the commit; undefined: it is. */
  readonly problem: string | undefined;
  /** For a person: what comes first. */
  readonly notes: readonly string[];
}

/** What dom would do for a commit: dom says so itself. */
export async function planRepository(
  { repository, ref = '', forceConflicts, allowMassDeletion }: RepositoryOptions,
  cli: Cli,
): Promise<RepositoryPlan> {
  const { namespace, name } = referenceOf(repositoryNamed(repository), await cli.namespace());
  const [force, confirmPrune] = [forceConflicts === true, allowMassDeletion === true];
  return await ask({ namespace, name, ref, force, confirmPrune }, cli);
}

async function ask(query: ForecastQuery, cli: Cli): Promise<RepositoryPlan> {
  const forecast = await (await cli.api()).forecast(query, cli.signal);
  const final = forecast.holds.find(({ passes }) => !passes);
  const notes = forecast.holds.filter(({ passes }) => passes);
  return {
    forecast,
    changes: forecast.changes.map(plannedOf),
    problem: final && `error: ${final.reason}: ${lines(final.message)}`,
    notes: notes.map(
      ({ reason, message }) => `Not before this is over: ${reason}: ${lines(message)}`,
    ),
  };
}

/** The problems of a commit come one a line. */
function lines(message: string): string {
  return message.split('\n').map(printable).join('\n');
}

/** `commit 1c0d8a0 (Mend the blog) by Ada for default/infra, where 027fdf4 is in force` */
export function commitWords({ forecast }: RepositoryPlan): string {
  const { commit, subject, author, appliedCommit, repository } = forecast;
  const { namespace, name } = repository.metadata;
  const now = appliedCommit === '' ? 'nothing' : appliedCommit.slice(0, 7);
  const by = author === '' ? '' : ` by ${author}`;
  const what = `commit ${commit.slice(0, 7)} (${subject})${by}`;
  return printable(`${what} for ${namespace}/${name}, where ${now} is in force`);
}

export function sourceOf(
  { forecast }: RepositoryPlan,
  options: RepositoryOptions,
): RepositorySource {
  const { metadata } = forecast.repository;
  const { namespace = '', name, uid } = metadata;
  return {
    ...{ namespace, name, uid, commit: forecast.commit, subject: forecast.subject },
    force: options.forceConflicts === true,
    confirmPrune: options.allowMassDeletion === true,
  };
}

/**
 * Has dom follow the commit of a plan, if it would do now what the plan says: dom is asked for a
 * plan of the same commit, and both are compared.
 */
export async function applyRepositoryPlan(
  plan: Plan,
  source: RepositorySource,
  { cli, timeoutMs }: { readonly cli: Cli; readonly timeoutMs: number },
): Promise<void> {
  const { namespace, name, uid, commit, force, confirmPrune } = source;
  const now = await ask({ namespace, name, ref: commit, force, confirmPrune }, cli);
  if (now.forecast.repository.metadata.uid !== uid)
    throw new CommandError(
      `error: ${quotedName('Repository', name)} is another one of that name by now: make a new plan`,
    );
  const differences = await differencesOf(plan, now, cli);
  if (differences.length > 0) throw refusal(plan, differences);
  if (now.problem !== undefined) throw new CommandError(now.problem);
  if (now.notes.length > 0)
    throw new CommandError(`error: nothing is done: ${now.notes.join('\n')}`);
  if (!plan.changes.some(isEffective) && now.forecast.appliedCommit === commit) {
    cli.terminal.out(`Nothing to do: commit ${commit.slice(0, 7)} is in force\n`);
    return;
  }
  const reference = { kind: 'Repository', namespace, name };
  const { digest: expect } = now.forecast;
  const asked = { withRef: commit, force, confirmPrune, expect, timeoutMs };
  await reconcileNow(reference, asked, cli);
}

async function differencesOf(
  plan: Plan,
  now: RepositoryPlan,
  cli: Cli,
): Promise<readonly string[]> {
  const api = await cli.api();
  const keyOf = ({ reference }: PlannedChange): string => shownName(reference);
  const current = new Map(now.changes.map((each) => [keyOf(each), each]));
  const planned = new Set(plan.changes.map(keyOf));
  const found: string[] = [];
  for (const change of plan.changes) {
    const since = await changedSince(api, change, await findObject(api, change.reference));
    found.push(...since);
    if (since.length > 0) continue;
    const other = current.get(keyOf(change));
    if (other === undefined)
      found.push(`${keyOf(change)}: ${change.action}, which is not to be done now`);
    else if (!isSame(change, other))
      found.push(
        `${keyOf(change)}: ${other.action}, which was ${change.action}, or something else comes of it`,
      );
  }
  for (const change of now.changes)
    if (!planned.has(keyOf(change)))
      found.push(
        `${keyOf(change)}: ${change.action}, which the plan does not have${change.why === '' ? '' : ` (${printable(change.why)})`}`,
      );
  return found;
}

function isSame(one: PlannedChange, other: PlannedChange): boolean {
  return (
    one.action === other.action &&
    fieldChanges(one.after, other.after).length === 0 &&
    (one.after === undefined) === (other.after === undefined) &&
    one.changedValues.join() === other.changedValues.join()
  );
}
