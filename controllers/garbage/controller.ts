import { isKindName, type KindMap, type KindName, kindsByName } from '../../api/kinds.ts';
import type { OwnerReference, Resource } from '../../api/object.ts';
import { reservedHosts } from '../../api/previews.ts';
import { afterWrite, type Controller, type Outcome } from '../../runtime/control/controller.ts';
import { qualifiedName, splitName } from '../../runtime/store/keys.ts';
import { isKind, type World, type WorldChange } from '../../runtime/store/world.ts';
import type { Author, Operation, Writer } from '../../runtime/store/writer.ts';
import { isOrphan, isVoidClaim } from './plan.ts';

const AUTHOR: Author = { manager: 'garbage-controller', user: 'dom' };

interface GarbagePorts {
  readonly world: World;
  readonly writer: Writer;
}

/**
 * Removes what belonged to something that is gone: objects by their ownerReferences, claims on
 * hosts by their Site. Names: `<kind>/<ns/name>` and `host/<host>`.
 *
 * Why it may act on what the mirror shows (INV-16): an owner is in the store before anything is
 * bound to it, for whoever binds expects the owner in the same commit, so a mirror that shows the
 * owned one has shown the owner; if it does not now, the owner was deleted, and its uid never comes
 * back. The deletion itself is bound to the very revision that was read, and to who bears the names of
 * the owners by now: a Site that is declared again, and not seen here yet, may name a Release that was
 * left behind.
 */
export function garbageController({ world, writer }: GarbagePorts): Controller {
  return {
    name: 'garbage',
    affected: (change) => affected(world, change),
    async reconcile(name): Promise<Outcome> {
      const { namespace: kind, name: rest } = splitName(name);
      const operations = isKindName(kind) ? collect(world, kind, rest) : collectClaim(world, rest);
      return afterWrite(await writer.commit(operations, AUTHOR));
    },
  };
}

/** Kinds that nothing owns; leaving them out keeps the search short. */
const NEVER_OWNED: ReadonlySet<string> = new Set(['Event', 'Node', 'Zone', 'Issuer']);
const OWNED_KINDS = Object.keys(kindsByName)
  .filter(isKindName)
  .filter((kind) => !NEVER_OWNED.has(kind));

function affected(world: World, change: WorldChange): readonly string[] {
  if (change.kind === 'record') return change.record === 'host' ? [`host/${change.id}`] : [];
  const { object, before, deleted } = change;
  const isOwned = (object.metadata.ownerReferences ?? []).length > 0;
  const own = isOwned && !deleted ? [nameOf(object)] : [];
  const gone = deleted ? object : before?.metadata.uid !== object.metadata.uid ? before : undefined;
  const owned = gone === undefined ? [] : ownedBy(world, gone.metadata.uid);
  const sites = [object, before].filter((each) => each !== undefined && isKind(each, 'Site'));
  const hosts = sites.flatMap(reservedHosts);
  // A Release that a Site names is spared, so it is looked at again when the Site lets go of it.
  const spared = sites.flatMap(({ metadata, spec }) =>
    spec.content?.release === undefined
      ? []
      : [`Release/${qualifiedName({ ...metadata, name: spec.content.release })}`],
  );
  return [...own, ...owned, ...spared, ...new Set(hosts.map((host) => `host/${host}`))];
}

function ownedBy(world: World, uid: string): readonly string[] {
  return OWNED_KINDS.flatMap((kind) => world.list(kind) as readonly KindMap[KindName][])
    .filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid))
    .map(nameOf);
}

function nameOf(object: Resource): string {
  return `${object.kind}/${qualifiedName(object.metadata)}`;
}

function collect(world: World, kind: KindName, name: string): readonly Operation[] {
  const scoped = kindsByName[kind].scope === 'cluster' ? { name } : splitName(name);
  const object: Resource | undefined = world.get(kind, scoped);
  if (object === undefined) return [];
  const { namespace } = object.metadata;
  const sites = world.list('Site').filter(({ metadata }) => metadata.namespace === namespace);
  const wantedReleases = new Set(sites.flatMap(({ spec }) => spec.content?.release ?? []));
  const bearer = (owner: OwnerReference): Bearer | undefined => bearerOf(world, owner, namespace);
  // Unknown kinds count as there.
  const exists = (owner: OwnerReference): boolean => bearer(owner)?.isOwner !== false;
  if (!isOrphan({ object, exists, wantedReleases })) return [];
  const owners = object.metadata.ownerReferences ?? [];
  const expected = owners.flatMap((owner) => bearer(owner)?.expected ?? []);
  return [...expected, { kind: 'delete', base: object }];
}

interface Bearer {
  readonly isOwner: boolean;
  /** What a write expects that rests on this. */
  readonly expected: Operation;
}

/** Whoever bears the name of an owner, which is in the namespace of what it owns, or in none. */
function bearerOf(
  world: World,
  { kind, name, uid }: OwnerReference,
  namespace: string | undefined,
): Bearer | undefined {
  if (!isKindName(kind)) return undefined;
  const isCluster = kindsByName[kind].scope === 'cluster';
  const found: Resource | undefined = world.get(kind, isCluster ? { name } : { namespace, name });
  if (found !== undefined)
    return { isOwner: found.metadata.uid === uid, expected: { kind: 'expect', base: found } };
  const bearer = { kind, name, ...(isCluster ? {} : { namespace }) };
  return { isOwner: false, expected: { kind: 'expectNone', name: bearer } };
}

function collectClaim(world: World, host: string): readonly Operation[] {
  const claim = world.record('host', host);
  if (claim === undefined) return [];
  const { namespace, name } = claim.value;
  const site = world.get('Site', { namespace, name });
  if (!isVoidClaim(host, claim.value, site)) return [];
  const { modRevision } = claim;
  return [
    // A Site that takes the host up again at this moment is another revision of it.
    ...(site === undefined ? [] : [{ kind: 'expect', base: site } as const]),
    { kind: 'record', record: 'host', id: host, value: undefined, modRevision },
  ];
}
