import type { Command } from 'commander';
import type { Resource } from '../../api/object.ts';
import { formatPath, parsePointer } from '../../api/path.ts';
import type { Repository } from '../../api/repository.ts';
import type { Api, ObjectReference } from '../../runtime/api-client.ts';
import { declarationOf, isBelow, leavesOf, sameValue } from '../../runtime/fields.ts';
import { printable } from '../../runtime/printable.ts';
import { type Cli, CommandError } from '../cli.ts';
import { findObject, modify } from '../objects/objects.ts';
import { referenceTo } from '../objects/targets.ts';
import { qualifiedName } from '../render/output.ts';

/** What a person says to changing what Git declares. */
export interface GitConsent {
  readonly force?: true;
  readonly suspend?: true;
}

/** Adds the flags of `GitConsent`. */
export function withGitConsent(command: Command): Command {
  return command
    .option('--force', 'also what a Repository declares, which dom soon puts back')
    .option('--suspend', 'suspend the Repository that declares it before');
}

const FIELDS_MAX = 3;
/** The JSON Pointer of an object as a whole (RFC 6901 §5). */
const WHOLE = '';

/**
 * Says so before a change by hand of fields that a Repository declares, or of the deletion of an
 * object (`wanted` is undefined). Throws a CommandError that offers what to do in its place, unless
 * it is consented to or would last.
 */
export async function mindGit(
  api: Api,
  { live, wanted }: { readonly live: Resource; readonly wanted: Resource | undefined },
  { consent, cli }: { readonly consent: GitConsent; readonly cli: Cli },
): Promise<void> {
  const changed = wanted === undefined ? [WHOLE] : changedPointers(live, wanted);
  for (const { reference, pointers } of gitOwners(live, changed)) {
    const repository = (await findObject(api, reference)) as Repository | undefined;
    // What it has declared stays, and is nobody's.
    if (repository === undefined || repository.metadata.deletionTimestamp !== undefined) continue;
    const fields = wanted === undefined ? '' : `${fieldWords(pointers)} of `;
    const what = `${fields}${qualifiedName(live)}`;
    const name = `repository ${reference.namespace}/${reference.name}`;
    const { suspend, driftPolicy } = repository.spec;
    if (suspend)
      note(cli, `${what} is declared by ${name}, and goes back to that once it is resumed`);
    else if (driftPolicy === 'report')
      note(cli, `${what} is declared by ${name}: it is told as drift until a commit changes it`);
    else if (consent.suspend === true) await suspendIt(api, repository, cli);
    else if (consent.force === true)
      note(cli, `${what} is declared by ${name}, which puts it back`);
    else throw await refusal(api, { live, repository, what, isDeletion: wanted === undefined });
  }
}

/** Which Repositories declare which of these fields (JSON Pointers) of an object. */
export function gitOwners(
  { metadata }: Resource,
  pointers: readonly string[],
): readonly { readonly reference: ObjectReference; readonly pointers: readonly string[] }[] {
  return (metadata.managedFields ?? []).flatMap(({ manager, fields }) => {
    const match = /^repository\/([^/]+)\/([^/]+)$/.exec(manager);
    const owned = pointers.filter((pointer) =>
      fields.some((each) => each === pointer || isBelow(pointer, each) || isBelow(each, pointer)),
    );
    const [, namespace = '', name = ''] = match ?? [];
    if (match === null || owned.length === 0) return [];
    return [{ reference: { kind: 'Repository', namespace, name }, pointers: owned }];
  });
}

function changedPointers(live: Resource, wanted: Resource): readonly string[] {
  const [from, to] = [leavesOf(declarationOf(live)), leavesOf(declarationOf(wanted))];
  return [...new Set([...from.keys(), ...to.keys()])]
    .filter((pointer) => !sameValue(from.get(pointer), to.get(pointer)))
    .toSorted();
}

function fieldWords(pointers: readonly string[]): string {
  const names = pointers.map((pointer) => formatPath(parsePointer(pointer)));
  const more = names.length - FIELDS_MAX;
  return `${names.slice(0, FIELDS_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function note(cli: Cli, text: string): void {
  cli.terminal.error(`Note: ${printable(text)}\n`);
}

async function suspendIt(api: Api, repository: Repository, cli: Cli): Promise<void> {
  const { object } = await modify(api, referenceTo(repository), (current) => {
    const found = current as Repository;
    return found.spec.suspend ? found : { ...found, spec: { ...found.spec, suspend: true } };
  });
  const { name } = repository.metadata;
  const resume = `b8sctl patch repository ${name} -p '{"spec":{"suspend":false}}'`;
  cli.terminal.error(`${qualifiedName(object)} suspended; later: ${resume}\n`);
}

interface Refused {
  readonly live: Resource;
  readonly repository: Repository;
  readonly what: string;
  readonly isDeletion: boolean;
}

async function refusal(
  api: Api,
  { live, repository, what, isDeletion }: Refused,
): Promise<CommandError> {
  const { namespace, name } = repository.metadata;
  const commit = (await lastCommit(api, live, repository)) ?? repository.status?.lastAppliedCommit;
  const revert = isDeletion
    ? 'remove its manifest from Git'
    : commit === undefined
      ? 'change it in Git'
      : `git revert ${commit}`;
  return new CommandError(
    [
      `error: ${printable(what)} is declared by repository ${namespace}/${name}, which would put it back`,
      `for good: ${revert}, and push`,
      `for a while: --suspend, which has dom leave all of ${name} alone until it is resumed`,
      'all the same: --force',
    ].join('\n  '),
  );
}

/** The commit of a Repository that changed an object last. */
async function lastCommit(
  api: Api,
  live: Resource,
  { metadata }: Repository,
): Promise<string | undefined> {
  const entries = await api.history(referenceTo(live)).catch(() => []);
  const manager = `repository/${metadata.namespace}/${metadata.name}`;
  const last = entries.findLast((entry) => entry.manager === manager);
  return /^commit ([0-9a-f]{40}) of /.exec(last?.command ?? '')?.[1];
}
