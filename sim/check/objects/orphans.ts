import { isKindName, kindsByName } from '../../../api/kinds.ts';
import type { Resource } from '../../../api/object.ts';
import { reservedHosts } from '../../../api/previews.ts';
import type { Release } from '../../../api/release.ts';
import type { Site } from '../../../api/site.ts';
import { kindPrefix, objectKey, parseKey, WORLD_PREFIX } from '../../../runtime/store/keys.ts';
import { decodeObject } from '../../../runtime/store/mirror.ts';
import type {
  AccessRecord,
  HostRecord,
  ReportRecord,
  SessionRecord,
  SigningRecord,
  ZoneRecord,
} from '../../../runtime/store/records.ts';
import type { KeyValue } from '../../../runtime/store/store.ts';
import type { Check, CheckPorts } from '../check.ts';
import type { StoreHistory } from '../store-history.ts';

/** Of these records a cluster has one each, which belongs to itself. */
const SINGLE: ReadonlySet<string> = new Set([
  'authority/ca',
  'geo/current',
  'dnsCookie/current',
  'serial/gone',
]);

/**
 * INV-7 in the store, at rest: whatever is there has a living owner, by uid. Sessions and reports
 * belong to their Node, zones to their Zone, key, chain and order to their Certificate, accounts
 * to their Issuer, what is known of Git to its Repository, hosts to a Site that has them; what has owner references, to at least one of them; a Release that nobody took
 * over, to a Site of the name that it was pushed for, unless that was deleted since. A token is its
 * own owner until it expires.
 */
export function orphansCheck(
  { violated }: Pick<CheckPorts, 'violated'>,
  history: StoreHistory,
): Check {
  return {
    rested() {
      for (const item of history.list(WORLD_PREFIX, history.head)) {
        const fault = new Owners(history).faultOf(item);
        if (fault !== undefined) violated(7, `${item.key} is left over: ${fault}`);
      }
    },
  };
}

class Owners {
  readonly #history: StoreHistory;

  constructor(history: StoreHistory) {
    this.#history = history;
  }

  faultOf(item: KeyValue): string | undefined {
    const parsed = parseKey(item.key);
    if (parsed?.kind === 'record') return this.#faultOfRecord(parsed, item.value);
    return parsed?.kind === 'object' ? this.#faultOfObject(item) : 'nobody knows what it is';
  }

  #faultOfRecord(
    { record, id }: { readonly record: string; readonly id: string },
    value: string,
  ): string | undefined {
    switch (record) {
      case 'session':
      case 'report': {
        const { nodeUid } = JSON.parse(value) as SessionRecord | ReportRecord;
        return this.#faultOfOwner(`${kindPrefix('Node')}${id}`, nodeUid);
      }
      case 'zone':
        return this.#faultOfOwner(
          `${kindPrefix('Zone')}${id}`,
          (JSON.parse(value) as ZoneRecord).zoneUid,
        );
      case 'signing':
        return this.#faultOfOwner(
          `${kindPrefix('Zone')}${id}`,
          (JSON.parse(value) as SigningRecord).zoneUid,
        );
      case 'acmeAccount':
        return this.#faultOfUid('Issuer', id);
      case 'repository':
      case 'repositoryHook':
      case 'repositoryObject':
      case 'repositoryUndo':
        return this.#faultOfUid('Repository', id.split('/')[0] ?? '');
      case 'acmeOrder':
      case 'issuance':
      case 'material':
        return this.#faultOfUid('Certificate', id);
      case 'acmeCount':
      case 'revocation':
        // The CA counts on for a week, and remembers for longer.
        return undefined;
      case 'host':
        return this.#faultOfHost(id, JSON.parse(value) as HostRecord);
      case 'access':
        return this.#faultOfOwner(
          `${kindPrefix('Site')}${id}`,
          (JSON.parse(value) as AccessRecord).siteUid,
        );
      case 'token':
        return undefined;
      case 'authority':
      case 'geo':
      case 'dnsCookie':
      case 'serial':
        return SINGLE.has(`${record}/${id}`) ? undefined : 'there is to be one of its kind';
      default:
        return 'nobody knows such records';
    }
  }

  #faultOfUid(kind: 'Certificate' | 'Issuer' | 'Repository', uid: string): string | undefined {
    const all = this.#history.list(kindPrefix(kind), this.#history.head);
    const isOwned = all.some((each) => decodeObject(each).metadata.uid === uid);
    return isOwned ? undefined : `there is no ${kind} of that uid`;
  }

  #faultOfHost(host: string, { siteUid, namespace, name }: HostRecord): string | undefined {
    const key = objectKey({ kind: 'Site', namespace, name });
    const fault = this.#faultOfOwner(key, siteUid);
    if (fault !== undefined) return fault;
    const site = this.#object(key) as Site;
    return reservedHosts(site).includes(host) ? undefined : `${key} does not have it`;
  }

  #faultOfObject(item: KeyValue): string | undefined {
    const object = decodeObject(item);
    const { ownerReferences = [], namespace } = object.metadata;
    if (object.kind === 'Release' && ownerReferences.length === 0)
      return this.#faultOfRelease(object as Release, item);
    const faults = ownerReferences.map(({ kind, name, uid }) => {
      if (!isKindName(kind)) return undefined;
      const isCluster = kindsByName[kind].scope === 'cluster';
      return this.#faultOfOwner(
        objectKey({ kind, name, namespace: isCluster ? undefined : namespace }),
        uid,
      );
    });
    return faults.includes(undefined) ? undefined : faults[0];
  }

  /** Pushed for a Site that is still to come, it waits; but not for one that came and went. */
  #faultOfRelease({ spec, metadata }: Release, { modRevision }: KeyValue): string | undefined {
    const { namespace } = metadata;
    const key = objectKey({ kind: 'Site', namespace, name: spec.site });
    if (this.#object(key) !== undefined) return undefined;
    const upTo = this.#history.head;
    const since = this.#history.versions(key, { after: modRevision, upTo });
    return since.length === 0 ? undefined : `it was pushed for ${key}, which was deleted since`;
  }

  #faultOfOwner(key: string, uid: string): string | undefined {
    const owner = this.#object(key);
    if (owner === undefined) return `there is no ${key}`;
    return owner.metadata.uid === uid ? undefined : `${key} is another by now`;
  }

  #object(key: string): Resource | undefined {
    const item = this.#history.get(key, this.#history.head);
    return item === undefined ? undefined : decodeObject(item);
  }
}
