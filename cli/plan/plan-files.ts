import type { Resource } from '../../api/object.ts';
import { reservedHosts } from '../../api/previews.ts';
import type { Site } from '../../api/site.ts';
import type { Api, Applied } from '../../runtime/api-client.ts';
import type { Declaration } from '../../runtime/declarations.ts';
import { type Cli, CommandError, errorText } from '../cli.ts';
import { explained } from '../commands/apply.ts';
import { contentPlace, resolveContent } from '../content/declared-content.ts';
import { readDeclarations } from '../objects/manifests.ts';
import { isFatal } from '../objects/objects.ts';
import { pruneOf, withSet } from '../objects/prune.ts';
import { referenceTo } from '../objects/targets.ts';
import { qualifiedName } from '../render/output.ts';
import { fieldChanges, type PlannedChange, seen } from './planned.ts';

/** What `apply -f` was told. */
export interface FileSource {
  readonly filename: readonly string[];
  readonly recursive: boolean;
  readonly fieldManager: string;
  readonly forceConflicts: boolean;
  readonly applyset: string | undefined;
  readonly prune: boolean;
  readonly allowMassDeletion: boolean;
}

export interface FilePlan {
  /** In the order of `apply`. */
  readonly changes: readonly PlannedChange[];
  /** What `apply` would fail of, each as it is shown. */
  readonly errors: readonly string[];
  /** For a person. */
  readonly notes: readonly string[];
}

/** What `apply` with the same flags would do, with nothing written: reading is enough. */
export async function planFiles(source: FileSource, cli: Cli): Promise<FilePlan> {
  const { filename, recursive, applyset } = source;
  if (source.prune && applyset === undefined)
    throw new CommandError('error: --prune needs the name of a set: --applyset NAME');
  const { declarations: read, problems } = await readDeclarations(cli, filename, { recursive });
  const declarations = applyset === undefined ? read : withSet(read, applyset);
  const api = await cli.api();
  const ledger = new HostLedger();
  const changes: PlannedChange[] = [];
  const errors = [...problems, ...twice(declarations)];
  const notes: string[] = [];
  for (const declaration of declarations) {
    cli.signal.throwIfAborted();
    try {
      const { change, warnings } = await planOne(api, declaration, { source, ledger, cli });
      notes.push(...warnings.map((warning) => `Warning: ${warning}`));
      if (change !== undefined) changes.push(change);
    } catch (error) {
      if (cli.signal.aborted || isFatal(error)) throw error;
      errors.push(errorText(error));
    }
  }
  // As with apply: what cannot be read may be what is missing.
  if (!source.prune || applyset === undefined || errors.length > 0)
    return { changes, errors, notes };
  const options = { set: applyset, allowMassDeletion: source.allowMassDeletion };
  const { doomed, kept, problem } = await pruneOf(api, declarations, options);
  notes.push(...kept);
  if (problem !== undefined) errors.push(problem);
  return { changes: [...changes, ...doomed.map(pruned)], errors, notes };
}

function pruned(object: Resource): PlannedChange {
  const finalizers = object.metadata.finalizers ?? [];
  return {
    ...{ reference: referenceTo(object), action: 'delete', place: '', changedValues: [] },
    why: finalizers.length === 0 ? '' : `${finalizers.join(', ')} must let it go first`,
    ...{ before: seen(object), after: undefined },
  };
}

interface Planning {
  readonly source: FileSource;
  readonly ledger: HostLedger;
  readonly cli: Cli;
}

interface PlannedOne {
  /** Undefined: it is so already. */
  readonly change: PlannedChange | undefined;
  readonly warnings: readonly string[];
}

async function planOne(
  api: Api,
  declaration: Declaration,
  { source, ledger, cli }: Planning,
): Promise<PlannedOne> {
  const { document } = declaration;
  try {
    const resolved = await resolveContent(declaration, cli);
    const declared = resolved?.object ?? declaration.object;
    const applied = await api.apply(declared, {
      manager: source.fieldManager,
      forceConflicts: source.forceConflicts,
      dryRun: true,
      freedHosts: ledger.freed(),
    });
    ledger.take(applied, `${document.source}:${document.locate('')}`);
    const where = contentPlace(declaration);
    const release = resolved?.release.digest;
    const change = changeOf(applied, {
      place: `${document.source}:${document.locate('')}`,
      ...(declared.kind !== 'Secret' && { declared }),
      ...(where !== undefined && release !== undefined && { content: { where, release } }),
    });
    return { change, warnings: applied.warnings };
  } catch (error) {
    throw explained(error, declaration);
  }
}

function changeOf(
  { outcome, object, previous, changedValues = [] }: Applied,
  about: Pick<PlannedChange, 'place' | 'declared' | 'content'>,
): PlannedChange | undefined {
  if (outcome === 'unchanged') return undefined;
  const [before, after] = [seen(previous), seen(object)];
  const isSame = fieldChanges(before, after).length === 0 && changedValues.length === 0;
  const action = outcome === 'created' ? 'create' : isSame ? 'own' : 'update';
  const reference = referenceTo(object);
  const why = action === 'own' ? 'only who owns its fields changes' : '';
  return { ...about, reference, action, why, before, after, changedValues };
}

/** An object that is declared twice would be what its last file says. */
function twice(declarations: readonly Declaration[]): readonly string[] {
  const places = new Map<string, string>();
  return declarations.flatMap(({ object, document }) => {
    const { kind, metadata } = object;
    const key = `${kind}/${metadata.namespace ?? ''}/${metadata.name}`;
    const place = `${document.source}:${document.locate('')}`;
    const first = places.get(key);
    places.set(key, place);
    if (first === undefined) return [];
    return [`error: ${qualifiedName(object)} is declared twice (${first}, ${place})`];
  });
}

/** Who has which host once all before has been applied: no two Sites may have one. */
class HostLedger {
  readonly #freed = new Set<string>();
  readonly #taken = new Map<string, string>();

  freed(): readonly string[] {
    return [...this.#freed];
  }

  /** Throws where an earlier file has a host already. */
  take({ object, previous }: Applied, place: string): void {
    const [old, wanted] = [hostsOf(previous), hostsOf(object)];
    for (const host of wanted.filter((each) => !old.includes(each))) {
      const other = this.#taken.get(host);
      if (other !== undefined)
        throw new CommandError(`error: the host ${host} is of two Sites (${other}, ${place})`);
      this.#taken.set(host, place);
      this.#freed.delete(host);
    }
    for (const host of old) if (!wanted.includes(host)) this.#freed.add(host);
  }
}

function hostsOf(object: Resource | undefined): readonly string[] {
  return object?.kind === 'Site' ? reservedHosts(object as Site) : [];
}
