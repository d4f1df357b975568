import type { Command } from 'commander';
import { condition, type Resource } from '../../api/object.ts';
import { RECONCILE_REQUESTED, type Repository, repositoryKind } from '../../api/repository.ts';
import type { ObjectReference } from '../../runtime/api-client.ts';
import { type Cli, CommandError } from '../cli.ts';
import { durationOption } from '../flags.ts';
import { modify } from '../objects/objects.ts';
import { type NamedTarget, parseName, referenceOf } from '../objects/targets.ts';
import { waitFor } from '../objects/watching.ts';
import { qualifiedName } from '../render/output.ts';
import { annotated } from './cert.ts';

const TIMEOUT_MS = 10 * 60_000;

interface ReconcileOptions {
  readonly withRef?: string;
  readonly force?: true;
  readonly confirmPrune?: true;
  readonly timeout: number;
}

/** `reconcile repository/NAME` */
export function registerReconcile(command: Command, cli: Cli): void {
  command
    .argument('<repository>', 'repository/NAME')
    .option(
      '--with-ref <commit>',
      'follow this commit, by its 40 hex digits, until the ref goes on',
    )
    .option('--force', 'take fields over from others, and try a bad commit again')
    .option('--confirm-prune', 'let this commit delete as many objects as it asks for')
    .addOption(durationOption('how long to wait; 0: not at all', TIMEOUT_MS))
    .addHelpText('after', EXAMPLES)
    .action(async (word: string, options: ReconcileOptions) => {
      await reconcile(word, options, cli);
    });
}

const EXAMPLES = `
Examples:
  b8sctl reconcile repository/infra
  b8sctl reconcile repository/infra --confirm-prune
  b8sctl reconcile repository/infra --with-ref 1c0d8a0e5b3f4f0b9a6d7c8e9f00112233445566`;

async function reconcile(word: string, options: ReconcileOptions, cli: Cli): Promise<void> {
  const reference = referenceOf(repositoryNamed(word), await cli.namespace());
  const { withRef, force, confirmPrune, timeout } = options;
  const asked = { withRef, force: force === true, confirmPrune: confirmPrune === true };
  await reconcileNow(reference, { ...asked, timeoutMs: timeout }, cli);
}

export interface ReconcileRequest {
  /** A commit by its 40 hex digits; undefined: what the ref means. */
  readonly withRef: string | undefined;
  readonly force: boolean;
  readonly confirmPrune: boolean;
  /** The digest of a forecast: dom does what that said, or nothing. Absent: whatever there is to do. */
  readonly expect?: string;
  /** 0: nobody waits. */
  readonly timeoutMs: number;
}

/** Asks for a look, and waits for what comes of it. Throws a CommandError if it does not go well. */
export async function reconcileNow(
  reference: ObjectReference,
  asked: ReconcileRequest,
  cli: Cli,
): Promise<void> {
  const request = requestText(asked, cli.clock.nowMs());
  const api = await cli.api();
  const { object } = await modify(api, reference, (current) => {
    if (!(current as Repository).spec.suspend)
      return annotated(current, RECONCILE_REQUESTED, request);
    const mend = `b8sctl patch repository ${reference.name} -p '{"spec":{"suspend":false}}'`;
    throw new CommandError(`error: ${reference.name} is suspended; resume it first: ${mend}`);
  });
  const { timeoutMs } = asked;
  if (timeoutMs === 0) {
    cli.terminal.out(`${qualifiedName(object)} is looked at\n`);
    return;
  }
  const isDone = (found: Resource | undefined): boolean =>
    found === undefined || isAnswered(found as Repository, request);
  const waited = await waitFor(api, reference, isDone, { ...cli, timeoutMs });
  if (waited.kind === 'timeout')
    throw new CommandError(`error: ${reference.name} was not reconciled in time; it goes on`);
  if (waited.object === undefined) throw new CommandError(`error: ${reference.name} was deleted`);
  const ready = condition(waited.object, 'Ready');
  if (ready?.status !== 'True')
    throw new CommandError(`error: ${reference.name} is not Ready: ${ready?.message ?? ''}`);
  cli.terminal.out(`${qualifiedName(waited.object)} reconciled: ${ready.message}\n`);
}

function isAnswered(repository: Repository, request: string): boolean {
  const { status } = repository;
  const isWorking = condition(repository, 'Reconciling')?.status === 'True';
  return status?.handledRequest === request && !isWorking;
}

function requestText(asked: ReconcileRequest, nowMs: number): string {
  const { withRef, force, confirmPrune, expect = '' } = asked;
  if (withRef !== undefined && !/^[0-9a-f]{40}$/.test(withRef))
    throw new CommandError(
      `error: --with-ref "${withRef}" is not a commit: write its 40 hex digits`,
    );
  return [
    new Date(nowMs).toISOString(),
    ...(force ? ['force'] : []),
    ...(confirmPrune ? ['confirm-prune'] : []),
    ...(withRef === undefined ? [] : [`ref=${withRef}`]),
    ...(expect === '' ? [] : [`expect=${expect}`]),
  ].join(' ');
}

/** `repository/infra`, `repo/infra`, or the name alone. */
export function repositoryNamed(word: string): NamedTarget {
  if (!word.includes('/')) return { kind: repositoryKind, name: word };
  const target = parseName([word]);
  if (target.kind.kind === 'Repository') return target;
  throw new CommandError(`error: "${word}" is no Repository; write repository/NAME`);
}
