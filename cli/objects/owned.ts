import type { Kind } from '../../api/kind.ts';
import { kinds } from '../../api/kinds.ts';
import type { Resource } from '../../api/object.ts';
import { type Api, ApiError } from '../../runtime/api-client.ts';
import { type Cli, CommandError } from '../cli.ts';
import { qualifiedName } from '../render/output.ts';
import { referenceTo } from './targets.ts';
import { waitFor } from './watching.ts';

/** What becomes of what an object owns: dom collects it, b8sctl waits for that too, or it stays. */
export const CASCADES = ['background', 'foreground', 'orphan'] as const;
export type Cascade = (typeof CASCADES)[number];

/** What has this object as its only owner: a Site's Releases and Certificates, say. */
export async function ownedBy(api: Api, { metadata }: Resource): Promise<readonly Resource[]> {
  const namespace = metadata.namespace ?? '';
  const owning = kinds.filter(({ kind }) => kind !== 'Event');
  const lists = await Promise.all(
    owning.map((each) =>
      listed(api, each, each.scope === 'namespace' ? namespace : '').catch((error: unknown) => {
        // A dom that is older than this b8sctl: it has none of a kind that it does not know.
        if (error instanceof ApiError && error.reason === 'Invalid') return [];
        throw error;
      }),
    ),
  );
  return lists.flat().filter((object) => {
    const owners = object.metadata.ownerReferences ?? [];
    return owners.length > 0 && owners.every(({ uid }) => uid === metadata.uid);
  });
}

async function listed(api: Api, { kind }: Kind, namespace: string): Promise<readonly Resource[]> {
  return (await api.list({ kind, namespace })).objects;
}

/** Dom collects what has no owner any more, so there is no way to leave it behind. */
export function refuseOrphans(object: Resource, owned: readonly Resource[]): void {
  if (owned.length === 0) return;
  throw new CommandError(
    `error: --cascade=orphan: ${qualifiedName(object)} owns ${owned.map(qualifiedName).join(', ')}: ` +
      'dom collects what has no owner, so it cannot stay; leave the flag out, or delete with --cascade=foreground',
  );
}

/** Waits until each of them is gone, or has found another owner. */
export async function waitForOwned(
  api: Api,
  owned: readonly Resource[],
  {
    cli,
    ownerUid,
    endMs,
  }: { readonly cli: Cli; readonly ownerUid: string; readonly endMs: number },
): Promise<void> {
  for (const each of owned) {
    const isGone = (object: Resource | undefined) =>
      object === undefined ||
      object.metadata.uid !== each.metadata.uid ||
      object.metadata.ownerReferences?.some(({ uid }) => uid !== ownerUid) === true;
    const timeoutMs = endMs - cli.clock.monotonicMs();
    const waited = await waitFor(api, referenceTo(each), isGone, { ...cli, timeoutMs });
    if (waited.kind === 'timeout') {
      throw new CommandError(
        `error: timed out waiting for ${qualifiedName(each)} to be gone, which it owned`,
      );
    }
  }
}
