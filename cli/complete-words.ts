import { kindOf, kinds } from '../api/kinds.ts';
import type { Resource } from '../api/object.ts';
import { type Shape, shapeOf } from '../api/shape.ts';
import type { Site } from '../api/site.ts';
import type { Zone } from '../api/zone.ts';
import type { Api } from '../runtime/api-client.ts';
import type { Cli } from './cli.ts';

/** Of these kinds people have objects in each namespace that they use. */
const IN_NAMESPACES = ['Site', 'Zone', 'Repository', 'Secret', 'Notification'] as const;

/** Names of objects, in the namespace to work in. */
export async function namesOfKind(word: string, cli: Cli): Promise<readonly string[]> {
  return (await objectsOf(word, cli)).map(({ metadata }) => metadata.name);
}

export function prefixed(prefix: string, names: readonly string[]): readonly string[] {
  return names.map((name) => prefix + name);
}

export async function namespaces(cli: Cli): Promise<readonly string[]> {
  const found = await fromDom(cli, async (api) => {
    const lists = IN_NAMESPACES.map((kind) => api.list({ kind, namespace: '' }));
    const objects = (await Promise.all(lists)).flatMap((each) => each.objects);
    return objects.map(({ metadata }) => metadata.namespace ?? '');
  });
  return [...new Set(['default', ...found])];
}

export async function contexts(cli: Cli): Promise<readonly string[]> {
  try {
    return (await cli.config()).contexts.map(({ name }) => name);
  } catch {
    return [];
  }
}

/**
 * Paths that go on from what is typed: for `site.spec.t` those fields of `site.spec`. `head` stands
 * before the first field: the kind for explain, nothing or a dot for --sort-by.
 */
export function fieldPaths(
  kindName: string,
  { current, head }: { readonly current: string; readonly head: string },
): readonly string[] {
  const kind = kindOf(kindName);
  if (kind === undefined || !current.startsWith(head)) return [];
  const fields = current.slice(head.length).split('.').slice(0, -1);
  let shape: Shape | undefined = shapeOf(kind);
  for (const field of fields) shape = shape?.fields.get(field);
  const before = `${head}${fields.map((field) => `${field}.`).join('')}`;
  return prefixed(before, [...(shape?.fields.keys() ?? [])]);
}

type Candidates = (cli: Cli, operands: readonly string[]) => Promise<readonly string[]>;

/** What each command takes that is no TYPE and no NAME of any kind, by its path. */
export const ARGUMENTS: ReadonlyMap<string, Candidates> = new Map<string, Candidates>([
  ['completion', async () => ['bash', 'fish', 'zsh']],
  ['config use-context', contexts],
  ...['cordon', 'uncordon', 'drain'].map((name) => [name, named('Node')] as const),
  ...['export', 'ds', 'roll-key'].map((name) => [`zone ${name}`, named('Zone')] as const),
  ...['describe', 'renew', 'revoke'].map((name) => [`cert ${name}`, named('Certificate')] as const),
  ['issuer rollover', named('Issuer')],
  ['reconcile', named('Repository', 'repository/')],
  ['logs', named('Site', 'site/')],
  ...['status', 'history', 'undo', 'pause', 'resume'].map(
    (name) => [`rollout ${name}`, named('Site', 'site/')] as const,
  ),
  ['dns explain', hosts],
  ['dns check', zonesAndOrigins],
  ['auth can-i', async (_, operands) => (operands.length === 0 ? VERBS : plurals())],
  ['user revoke', (cli) => fromDom(cli, async (api) => namesIn(await api.listUsers()))],
  [
    'node token revoke',
    (cli) => fromDom(cli, async (api) => (await api.listTokens()).map(({ id }) => id)),
  ],
  [
    'transfer-key delete',
    (cli) => fromDom(cli, async (api) => namesIn(await api.listTransferKeys())),
  ],
]);

const VERBS = 'get list watch history apply create update patch delete'.split(' ');

function plurals(): readonly string[] {
  return kinds.map(({ plural }) => plural);
}

function named(kind: string, prefix = ''): (cli: Cli) => Promise<readonly string[]> {
  return async (cli) => prefixed(prefix, await namesOfKind(kind, cli));
}

function namesIn(items: readonly { readonly name: string }[]): readonly string[] {
  return items.map(({ name }) => name);
}

async function hosts(cli: Cli): Promise<readonly string[]> {
  return (await objectsOf('Site', cli)).flatMap((object) => (object as Site).spec.hosts);
}

async function zonesAndOrigins(cli: Cli): Promise<readonly string[]> {
  const zones = await objectsOf('Zone', cli);
  return zones.flatMap((zone) => [zone.metadata.name, (zone as Zone).spec.origin]);
}

async function objectsOf(word: string, cli: Cli): Promise<readonly Resource[]> {
  const kind = kindOf(word);
  if (kind === undefined) return [];
  return await fromDom(cli, async (api) => {
    const namespace = kind.scope === 'namespace' ? await cli.namespace() : '';
    return (await api.list({ kind: kind.kind, namespace })).objects;
  });
}

/** A shell that asks for candidates has no place for an error. */
async function fromDom<Item>(
  cli: Cli,
  ask: (api: Api) => Promise<readonly Item[]>,
): Promise<readonly Item[]> {
  try {
    return await ask(await cli.api());
  } catch {
    return [];
  }
}
