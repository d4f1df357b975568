import type { Api, ObjectReference } from '../../runtime/api-client.ts';
import { CommandError } from '../cli.ts';
import { referenceOf, referenceTo, type Targets } from './targets.ts';

export interface Choice {
  readonly namespace: string;
  /** `-l`. */
  readonly selector?: string | undefined;
  readonly all?: true | undefined;
}

/**
 * What a command is to work on: the objects that are named, or of kinds all that `-l` or `--all`
 * chooses, as dom has them now. Throws a CommandError where it is neither or both.
 */
export async function chosenReferences(
  api: Api,
  targets: Targets,
  { namespace, selector, all }: Choice,
): Promise<readonly ObjectReference[]> {
  const hasRule = selector !== undefined || all === true;
  if (targets.form === 'names') {
    if (hasRule) throw new CommandError('error: names cannot be given together with -l or --all');
    return targets.names.map((target) => referenceOf(target, namespace));
  }
  if (!hasRule) throw new CommandError('error: name the objects, or say -l SELECTOR or --all');
  const lists = targets.kinds.map(async ({ kind, scope }) => {
    const { objects } = await api.list({
      ...{ kind, namespace: scope === 'namespace' ? namespace : '' },
      ...(selector !== undefined && { labelSelector: selector }),
    });
    return objects.map(referenceTo);
  });
  return (await Promise.all(lists)).flat();
}
