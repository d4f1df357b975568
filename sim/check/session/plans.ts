import { isDeepStrictEqual } from 'node:util';
import type { KindName } from '../../../api/kinds.ts';
import type { Node } from '../../../api/node.ts';
import type { Resource } from '../../../api/object.ts';
import { previewCertificateName } from '../../../api/previews.ts';
import type { Release } from '../../../api/release.ts';
import type { Site } from '../../../api/site.ts';
import type {
  CertificatePlan,
  NodePlan,
  PlanObject,
  SitePlan,
  ZonePlan,
} from '../../../proto/gen/b8s/v1/plan.ts';
import { releaseOn, releasesShown } from '../../../runtime/content/site-releases.ts';
import { kindPrefix, type ObjectName, objectKey, recordKey } from '../../../runtime/store/keys.ts';
import { decodeObject } from '../../../runtime/store/mirror.ts';
import type { RecordKind, Records } from '../../../runtime/store/records.ts';
import type { Revision } from '../../../runtime/store/store.ts';
import type { Check, CheckPorts, SentFrame } from '../check.ts';
import type { StoreHistory } from '../store-history.ts';
import { PlanFrames } from './plan-frames.ts';

/**
 * INV-34: a plan is the set of objects that its node needs and is allowed to see, nothing else.
 *
 * Each plan says of which revision it is. At that revision the Node that it goes to was not gone, by
 * the uid of its certificate (it may have come since, to a plan that others like it had); each object of the plan says what the store said then; sites and
 * their certificates go to edges, zones, geography and the secrets of cookies to nameservers, and of the nodes an edge
 * alone sees itself.
 */
export function plansCheck(
  { violated }: Pick<CheckPorts, 'violated'>,
  history: StoreHistory,
): Check {
  const frames = new PlanFrames();
  return {
    sent(frame) {
      const plan = frames.of(frame);
      if (plan === undefined) return;
      const revision = plan.position?.revision ?? 0n;
      const past = new Then(history, revision);
      const to = `the plan of revision ${revision} for ${frame.node} (${frame.nodeUid})`;
      const node = past.nodeSince(frame.node, frame.nodeUid);
      if (node === undefined) return violated(34, `${to}, who is gone by then`);
      for (const upsert of plan.upserts) {
        const fault = faultOf(upsert, { node, past, frame });
        if (fault !== undefined) violated(34, `${to} holds ${upsert.key}, ${fault}`);
      }
    },
  };
}

/** The store as it was at one revision. */
class Then {
  readonly #history: StoreHistory;
  readonly #revision: Revision;

  constructor(history: StoreHistory, revision: Revision) {
    this.#history = history;
    this.#revision = revision;
  }

  /** As it was then, or when it was declared later. */
  nodeSince(name: string, uid: string): Node | undefined {
    const key = objectKey({ kind: 'Node', name });
    const span = { after: this.#revision, upTo: this.#history.head };
    const later = this.#history.versions(key, span).map(({ item }) => item);
    const items = [this.#history.get(key, this.#revision), ...later];
    const nodes = items.flatMap((item) => (item === undefined ? [] : (decodeObject(item) as Node)));
    return nodes.find(({ metadata }) => metadata.uid === uid);
  }

  object<R extends Resource>(name: ObjectName): R | undefined {
    const item = this.#history.get(objectKey(name), this.#revision);
    return item === undefined ? undefined : (decodeObject(item) as R);
  }

  objects<R extends Resource>(kind: KindName, namespace: string): readonly R[] {
    const items = this.#history.list(`${kindPrefix(kind)}${namespace}/`, this.#revision);
    return items.map((item) => decodeObject(item) as R);
  }

  record<R extends RecordKind>(kind: R, id: string): Records[R] | undefined {
    const item = this.#history.get(recordKey(kind, id), this.#revision);
    return item === undefined ? undefined : (JSON.parse(item.value) as Records[R]);
  }
}

interface Recipient {
  readonly node: Node;
  readonly past: Then;
  readonly frame: SentFrame;
}

function faultOf({ object }: PlanObject, { node, past, frame }: Recipient): string | undefined {
  const isEdge = node.spec.roles.includes('edge');
  const isNameserver = node.spec.roles.includes('nameserver');
  switch (object?.$case) {
    case 'site':
      return isEdge ? faultOfSite(object.value, past, frame.node) : 'and it is no edge';
    case 'certificate':
      return isEdge ? faultOfCertificate(object.value, past) : 'and it is no edge';
    case 'zone':
      return isNameserver ? faultOfZone(object.value, past) : 'and it is no nameserver';
    case 'geo': {
      const databases = object.value.databases.map((each) => each.digest);
      const kept = past.record('geo', 'current')?.databases.map((each) => each.digest);
      if (!isNameserver) return 'and it is no nameserver';
      return isDeepStrictEqual(databases, kept) ? undefined : 'which dom does not have';
    }
    case 'dns': {
      const kept = Object.values(past.record('dnsCookie', 'current') ?? {});
      const secrets = kept.filter((each) => typeof each === 'object');
      if (!isNameserver) return 'and it is no nameserver';
      const isWhole = object.value.cookieSecrets.length === secrets.length;
      return isWhole ? undefined : 'with other secrets than dom has';
    }
    case 'node':
      if (!isNameserver && object.value.name !== frame.node) return 'and it is no nameserver';
      return faultOfNode(object.value, past);
    case 'challenge': {
      const { http, alpn } = object.value;
      const tokens = [...http, ...alpn].map(({ token }) => token);
      const order = past.record('acmeOrder', object.value.uid);
      const kept = order?.authorizations.map(({ proof }) => proof?.token) ?? [];
      if (!isEdge) return 'and it is no edge';
      return tokens.every((token) => kept.includes(token)) ? undefined : 'which no order asks for';
    }
    case undefined:
      return 'which nobody knows';
  }
}

function faultOfSite(plan: SitePlan, past: Then, node: string): string | undefined {
  const { namespace, name, uid, generation, serving, hosts, prepare } = plan;
  const site = past.object<Site>({ kind: 'Site', namespace, name });
  const fault = faultOfLife(site, uid);
  if (site === undefined || fault !== undefined) return fault;
  const { spec, status, metadata } = site;
  if (Number(generation) !== metadata.generation) return `which was ${metadata.generation} then`;
  if (!isDeepStrictEqual(hosts, spec.hosts)) return 'with other hosts';
  const { release: told = '', switchedAt } = releaseOn(status, node) ?? {};
  if (serving !== told) return `served from ${serving} instead of ${told}`;
  const switchedMs = switchedAt === undefined ? 0 : Date.parse(switchedAt);
  // An older dom does not say it.
  if (![0, switchedMs].includes(Number(plan.switchedAtMs)))
    return 'with another time of its switch';
  const named = releasesShown(site);
  const stray = prepare.find((each) => !named.includes(each));
  if (stray !== undefined) return `with the release ${stray}, which it does not name`;
  const wrong = plan.variants.find(({ release, index }) => {
    const noted = past.object<Release>({ kind: 'Release', namespace, name: release });
    return !named.includes(release) || noted?.status?.variants?.index !== index;
  });
  return wrong === undefined ? undefined : `with forms of ${wrong.release} that dom did not make`;
}

/** Bound to a Site of its name, or to its previews: nobody else's goes to an edge. */
function faultOfCertificate(plan: CertificatePlan, past: Then): string | undefined {
  const { namespace, name, uid, fingerprint } = plan;
  const certificate = past.object({ kind: 'Certificate', namespace, name });
  const fault = faultOfLife(certificate, uid);
  if (fault !== undefined) return fault;
  const ofPreviews = past
    .objects<Site>('Site', namespace)
    .some(({ spec: { previews } }) => previews && previewCertificateName(previews) === name);
  const isOfSite = ofPreviews || past.object({ kind: 'Site', namespace, name }) !== undefined;
  if (!isOfSite) return 'of no Site';
  return past.record('material', uid)?.fingerprint === fingerprint
    ? undefined
    : 'whose material is another';
}

function faultOfZone(plan: ZonePlan, past: Then): string | undefined {
  const record = past.record('zone', `${plan.namespace}/${plan.name}`);
  if (record === undefined) return 'which is not served';
  const isSame = record.zoneUid === plan.uid && record.serial === plan.serial;
  return isSame ? undefined : `while ${record.zoneUid} serial ${record.serial} is served`;
}

function faultOfNode({ name, uid, ready, ipv4 }: NodePlan, past: Then): string | undefined {
  const node = past.object<Node>({ kind: 'Node', name });
  const fault = faultOfLife(node, uid);
  if (node === undefined || fault !== undefined) return fault;
  if (!isDeepStrictEqual(ipv4, node.spec.ipv4)) return 'with other addresses';
  const hadSession = past.record('session', name)?.nodeUid === uid;
  return hadSession === ready ? undefined : `said to be ${ready ? 'ready' : 'away'}, and is not`;
}

function faultOfLife(object: Resource | undefined, uid: string): string | undefined {
  if (object === undefined) return 'which is not there';
  if (object.metadata.deletionTimestamp !== undefined) return 'which is about to be deleted';
  return object.metadata.uid === uid ? undefined : `while there is ${object.metadata.uid}`;
}
