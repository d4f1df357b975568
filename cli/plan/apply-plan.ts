import { type Api, ApiError, type DeclaredObject } from '../../runtime/api-client.ts';
import type { Declaration } from '../../runtime/declarations.ts';
import { type Cli, CommandError, errorText } from '../cli.ts';
import { publish, readLocal } from '../content/declared-content.ts';
import type { LocalRelease } from '../content/release.ts';
import { readDeclarations } from '../objects/manifests.ts';
import { findObject } from '../objects/objects.ts';
import { withSet } from '../objects/prune.ts';
import { changedSince } from './changed-since.ts';
import type { Plan } from './plan-file.ts';
import type { FileSource } from './plan-files.ts';
import { fieldChanges, type PlannedChange, seen } from './planned.ts';
import { shownName } from './render-plan.ts';

/** How often a change is tried again because something that the plan does not touch changed. */
const TRIES_MAX = 5;

/** What is needed to make one change, once all is known to be as the plan found it. */
interface Ready {
  readonly change: PlannedChange;
  /** Undefined: it is deleted. */
  readonly object: DeclaredObject | undefined;
  readonly release: LocalRelease | undefined;
}

/**
 * Does what a plan of files says, and nothing else: first all of it is compared with the cluster and
 * with the files it needs again, and nothing is written if anything differs.
 */
export async function applyFilePlan(plan: Plan, source: FileSource, cli: Cli): Promise<void> {
  const api = await cli.api();
  const problems: string[] = [];
  for (const change of plan.changes) {
    const live = await findObject(api, change.reference);
    problems.push(...(await changedSince(api, change, live)));
  }
  if (problems.length > 0) throw refusal(plan, problems);
  const ready = await readyOf(plan, source, cli);
  await rehearse(api, ready, { plan, source });
  for (const each of ready) {
    cli.signal.throwIfAborted();
    await act(api, each, { plan, source, cli });
  }
  if (ready.length === 0) cli.terminal.out('Nothing to do: all is as the plan wants it\n');
}

export function refusal({ made }: Plan, problems: readonly string[]): CommandError {
  const head = `error: nothing is done: this is not as it was when the plan was made (${made}):`;
  return new CommandError([head, ...problems, 'Look at it, and make a new plan.'].join('\n  '));
}

/** Secrets are not in the plan, and content only by its digest: both are read again. */
async function readyOf(plan: Plan, source: FileSource, cli: Cli): Promise<readonly Ready[]> {
  const isMissing = ({ action, declared }: PlannedChange): boolean =>
    action !== 'delete' && declared === undefined;
  const read = plan.changes.some(isMissing) ? await secretsOf(source, cli) : [];
  const ready: Ready[] = [];
  const problems: string[] = [];
  for (const change of plan.changes) {
    const { reference, action, content } = change;
    const found = read.find(
      ({ object: { kind, metadata } }) =>
        kind === reference.kind &&
        metadata.name === reference.name &&
        (metadata.namespace ?? '') === reference.namespace,
    );
    const object = action === 'delete' ? undefined : (change.declared ?? found?.object);
    if (object === undefined && action !== 'delete')
      problems.push(`${shownName(reference)} is in no file any more, and a plan holds no Secrets`);
    const release = content === undefined ? undefined : await localOf(content.where, cli);
    if (content !== undefined && release?.digest !== content.release)
      problems.push(
        `the content of ${shownName(reference)}, ${content.where}, is ${release?.digest ?? 'gone'}, and was ${content.release}`,
      );
    ready.push({ change, object, release });
  }
  if (problems.length > 0) throw refusal(plan, problems);
  return ready;
}

async function localOf(where: string, cli: Cli): Promise<LocalRelease | undefined> {
  const isGone = !where.includes('://') && (await cli.files.kind(where)) === undefined;
  return isGone ? undefined : await readLocal(cli, where, { memory: 'cache' });
}

async function secretsOf(source: FileSource, cli: Cli): Promise<readonly Declaration[]> {
  const { filename, recursive, applyset } = source;
  const { declarations } = await readDeclarations(cli, filename, { recursive });
  const secrets = declarations.filter(({ object }) => object.kind === 'Secret');
  return applyset === undefined ? secrets : withSet(secrets, applyset);
}

/** Asks dom for all of it once more: what others own, defaults and rules may have changed. */
async function rehearse(
  api: Api,
  ready: readonly Ready[],
  { plan, source }: { readonly plan: Plan; readonly source: FileSource },
): Promise<void> {
  const problems: string[] = [];
  const freedHosts = plan.changes.flatMap(({ before, after }) => {
    const kept = new Set(hostsOf(after));
    return hostsOf(before).filter((host) => !kept.has(host));
  });
  for (const { change, object } of ready) {
    if (object === undefined) continue;
    const name = shownName(change.reference);
    try {
      const options = optionsOf(source);
      const applied = await api.apply(object, { ...options, dryRun: true, freedHosts });
      const after = seen(applied.object);
      for (const { pointer } of fieldChanges(change.after, after))
        problems.push(`${name} would get another value at ${pointer}`);
      const { changedValues = [] } = applied;
      if (changedValues.join() !== change.changedValues.join())
        problems.push(
          `${name} would get other values: ${changedValues.join(', ') || 'none'}, not ${change.changedValues.join(', ') || 'none'}`,
        );
    } catch (error) {
      if (!(error instanceof ApiError) || !['Conflict', 'Invalid'].includes(error.reason))
        throw error;
      problems.push(`${name}: ${errorText(error)}`);
    }
  }
  if (problems.length > 0) throw refusal(plan, problems);
}

function hostsOf(side: PlannedChange['before']): readonly string[] {
  const { hosts } = (side?.spec ?? {}) as { readonly hosts?: unknown };
  return Array.isArray(hosts) ? hosts.filter((host) => typeof host === 'string') : [];
}

function optionsOf({ fieldManager, forceConflicts }: FileSource) {
  return { manager: fieldManager, forceConflicts };
}

interface Acting {
  readonly plan: Plan;
  readonly source: FileSource;
  readonly cli: Cli;
}

/** Only of the version that was compared; a status that changed meanwhile is compared anew. */
async function act(api: Api, ready: Ready, { plan, source, cli }: Acting): Promise<void> {
  const { change, object, release } = ready;
  const { reference } = change;
  const { namespace, name } = reference;
  if (release !== undefined) await publish(api, release, { site: { namespace, name }, cli });
  for (let tries = 1; ; tries += 1) {
    const live = await findObject(api, reference);
    const problems = await changedSince(api, change, live);
    if (problems.length > 0) throw refusal(plan, problems);
    const resourceVersion = live?.metadata.resourceVersion ?? '0';
    try {
      if (object === undefined) {
        await api.delete(reference, { uid: change.before?.uid ?? '', resourceVersion });
        cli.terminal.out(`${shownName(reference)} pruned\n`);
      } else {
        const { outcome, warnings } = await api.apply(object, {
          ...optionsOf(source),
          resourceVersion,
        });
        for (const warning of warnings) cli.terminal.error(`Warning: ${warning}\n`);
        cli.terminal.out(`${shownName(reference)} ${outcome}\n`);
      }
      return;
    } catch (error) {
      const isOther = error instanceof ApiError && error.reason === 'Aborted';
      if (!isOther || tries === TRIES_MAX) throw error;
    }
  }
}
