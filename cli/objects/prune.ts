import { kinds } from '../../api/kinds.ts';
import { labelValueProblem } from '../../api/labels.ts';
import type { Resource } from '../../api/object.ts';
import { PRUNE } from '../../api/repository.ts';
import type { Api, ObjectReference } from '../../runtime/api-client.ts';
import { type Declaration, rankOf } from '../../runtime/declarations.ts';
import { type Cli, CommandError } from '../cli.ts';
import { qualifiedName } from '../render/output.ts';
import { forEachOrFail } from './objects.ts';
import { referenceTo } from './targets.ts';

/** Which set an object was applied with: the objects with one value are the inventory of the set. */
const APPLY_SET = 'b8s.dev/apply-set';

/** What is there in no file, and made by itself. */
const NEVER_APPLIED: ReadonlySet<string> = new Set(['Event', 'Release']);

/** The same declarations, each marked as one of the set. Throws for what is no name of a set. */
export function withSet(declarations: readonly Declaration[], set: string): readonly Declaration[] {
  const problem = set === '' ? 'must not be empty' : labelValueProblem(set);
  if (problem !== undefined) throw new CommandError(`error: --applyset "${set}": ${problem}`);
  return declarations.map((declaration) => {
    const { object } = declaration;
    const labels = { ...object.metadata.labels, [APPLY_SET]: set };
    return { ...declaration, object: { ...object, metadata: { ...object.metadata, labels } } };
  });
}

export interface PrunePlan {
  /** What the files no longer name, in an order in which none is needed by a later one. */
  readonly doomed: readonly Resource[];
  /** Those that say that they are to be kept. */
  readonly kept: readonly Resource[];
}

/** Pure: what of the inventory goes, now that these are declared. */
export function planPrune(
  inventory: readonly Resource[],
  declared: readonly ObjectReference[],
): PrunePlan {
  const wanted = new Set(declared.map(keyOf));
  const gone = inventory
    .filter((object) => !wanted.has(keyOf(referenceTo(object))))
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .toSorted((a, b) => rankOf(b.kind) - rankOf(a.kind));
  const isKept = ({ metadata }: Resource): boolean => metadata.annotations?.[PRUNE] === 'disabled';
  return { doomed: gone.filter((each) => !isKept(each)), kept: gone.filter(isKept) };
}

/** What of a set is to go, and why it may not. */
export interface PruneFindings extends Pick<PrunePlan, 'doomed'> {
  /** Of each that says that it is to be kept, a line. */
  readonly kept: readonly string[];
  /** So many at once need a word; undefined: not these. */
  readonly problem: string | undefined;
}

/** Reads what was applied with the set before, and is in none of the files any more. */
export async function pruneOf(
  api: Api,
  declarations: readonly Declaration[],
  { set, allowMassDeletion }: { readonly set: string; readonly allowMassDeletion: boolean },
): Promise<PruneFindings> {
  const inventory = await inventoryOf(api, set);
  const { doomed, kept } = planPrune(inventory, declarations.map(referenceOf));
  const names = doomed.map((object) => `\n  ${qualifiedName(object)}`).join('');
  const isMass = doomed.length * 2 > inventory.length && !allowMassDeletion;
  return {
    doomed,
    kept: kept.map((object) => `${qualifiedName(object)} is kept: ${PRUNE} is disabled`),
    problem: isMass
      ? `error: nothing is pruned: ${doomed.length} of the ${inventory.length} objects of set "${set}" would go, more than half; if that is meant, say --allow-mass-deletion:${names}`
      : undefined,
  };
}

/** Deletes what was applied with the set before, and is in none of the files any more. */
export async function prune(
  api: Api,
  declarations: readonly Declaration[],
  options: {
    readonly set: string;
    readonly allowMassDeletion: boolean;
    readonly dryRun: boolean;
    readonly cli: Cli;
  },
): Promise<void> {
  const { dryRun, cli } = options;
  const { doomed, kept, problem } = await pruneOf(api, declarations, options);
  for (const line of kept) cli.terminal.error(`${line}\n`);
  if (problem !== undefined && !dryRun) throw new CommandError(problem);
  await forEachOrFail(cli, doomed, async (object) => {
    const { uid } = object.metadata;
    await api.delete(referenceTo(object), { uid, dryRun });
    cli.terminal.out(`${qualifiedName(object)} pruned${dryRun ? ' (server dry run)' : ''}\n`);
  });
}

async function inventoryOf(api: Api, set: string): Promise<readonly Resource[]> {
  const labelSelector = `${APPLY_SET}=${set}`;
  const lists = kinds
    .filter(({ kind }) => !NEVER_APPLIED.has(kind))
    .map(({ kind }) => api.list({ kind, namespace: '', labelSelector }));
  return (await Promise.all(lists)).flatMap(({ objects }) => objects);
}

function referenceOf({ object }: Declaration): ObjectReference {
  const { kind, metadata } = object;
  return { kind, namespace: metadata.namespace ?? '', name: metadata.name };
}

function keyOf({ kind, namespace, name }: ObjectReference): string {
  return `${kind}/${namespace}/${name}`;
}
