import type { Resource } from '../../api/object.ts';
import { reservedHosts } from '../../api/previews.ts';
import type { Site } from '../../api/site.ts';
import { recordKey } from '../../runtime/store/keys.ts';
import type { HostRecord } from '../../runtime/store/records.ts';
import type { Revision, Store } from '../../runtime/store/store.ts';
import type { Operation } from '../../runtime/store/writer.ts';
import { invalid } from './names.ts';

/**
 * Hosts changed in one write, which is one transaction. A Site that changes more of them leaves
 * some of those that it gives up to the garbage controller.
 */
const HOSTS_PER_WRITE_MAX = 96;

/** Whether a Site, by uid, is about to give a host up, and another one may count on it. */
export type WillFree = (host: string, siteUid: string) => boolean;

/**
 * The records that reserve a Site's hosts, changed together with the Site: so two Sites can never
 * both have one, however their writes race. Throws INVALID_ARGUMENT naming the host and its holder.
 */
export async function reserveHosts(
  store: Store,
  before: Resource | undefined,
  after: { readonly object: Resource; readonly uid: string } | undefined,
  willFree: WillFree = () => false,
): Promise<readonly Operation[]> {
  const old = hostsOf(before);
  const wanted = hostsOf(after?.object);
  const gained = wanted.filter((host) => !old.includes(host));
  const lost = old
    .filter((host) => !wanted.includes(host))
    .slice(0, HOSTS_PER_WRITE_MAX - gained.length);
  const taken = await Promise.all(
    gained.map(async (host) => {
      const holder = await readHost(store, host);
      const holderUid = holder?.value.siteUid;
      const ours = holderUid === undefined || holderUid === after?.uid;
      return { host, holder, ours: ours || willFree(host, holderUid) };
    }),
  );
  const violations = taken.flatMap(({ host, holder, ours }) =>
    ours || holder === undefined
      ? []
      : [
          {
            path: pathOf(host, after?.object),
            message: `"${host}": is served by site ${holder.value.namespace}/${holder.value.name} already; remove it from one of the two`,
          },
        ],
  );
  if (violations.length > 0) throw invalid(violations);
  return [
    ...taken.map(({ host, holder }) => reserve(host, after, holder?.modRevision ?? 0n)),
    ...(await Promise.all(lost.map((host) => release(store, host, before)))).flat(),
  ];
}

/** Two Sites of one name in several namespaces would have the same hosts for their previews. */
function hostsOf(object: Resource | undefined): readonly string[] {
  return object?.kind === 'Site' ? reservedHosts(object as Site) : [];
}

function pathOf(host: string, object: Resource | undefined): string {
  const index = object?.kind === 'Site' ? (object as Site).spec.hosts.indexOf(host) : -1;
  return index < 0 ? 'spec.previews.domain' : `spec.hosts[${index}]`;
}

function reserve(
  host: string,
  after: { readonly object: Resource; readonly uid: string } | undefined,
  modRevision: Revision,
): Operation {
  const { namespace = '', name = '' } = after?.object.metadata ?? {};
  const value = { siteUid: after?.uid ?? '', namespace, name };
  return { kind: 'record', record: 'host', id: host, value, modRevision };
}

async function release(
  store: Store,
  host: string,
  before: Resource | undefined,
): Promise<readonly Operation[]> {
  const holder = await readHost(store, host);
  if (holder === undefined || holder.value.siteUid !== before?.metadata.uid) return [];
  const { modRevision } = holder;
  return [{ kind: 'record', record: 'host', id: host, value: undefined, modRevision }];
}

async function readHost(
  store: Store,
  host: string,
): Promise<{ readonly value: HostRecord; readonly modRevision: Revision } | undefined> {
  const item = await store.get(recordKey('host', host));
  if (item === undefined) return undefined;
  return { value: JSON.parse(item.value) as HostRecord, modRevision: item.modRevision };
}
