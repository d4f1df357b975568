import type { CertificateSpec } from '../api/certificate.ts';
import { INTERNAL_ISSUER } from '../api/issuer.ts';
import { type KindName, kindsByName } from '../api/kinds.ts';
import type { NodeRole } from '../api/node.ts';
import { API_VERSION, type Resource } from '../api/object.ts';
import type { Acme, CertificateReader } from '../runtime/acme/acme.ts';
import { createFakeAcmeCa, type FakeAcmeCa } from '../runtime/acme/fake/ca.ts';
import { fakeAcme } from '../runtime/acme/fake/fake-acme.ts';
import type { ValidateProof } from '../runtime/acme/fake/proof.ts';
import { CAPABILITIES, type Capability } from '../runtime/capabilities.ts';
import { runController } from '../runtime/control/control-loop.ts';
import type { Controller } from '../runtime/control/controller.ts';
import type { EventNote, EventRecorder } from '../runtime/control/events.ts';
import { silentLog } from '../runtime/log.ts';
import { noMetrics } from '../runtime/metrics.ts';
import type { Random } from '../runtime/random.ts';
import type { NodeView } from '../runtime/session/node-view.ts';
import { memoryStore } from '../runtime/store/memory-store.ts';
import { Mirror } from '../runtime/store/mirror.ts';
import type { RecordKind, Records, ReportRecord, SiteOnNode } from '../runtime/store/records.ts';
import type { Store } from '../runtime/store/store.ts';
import { type Author, type Operation, type WriteOutcome, Writer } from '../runtime/store/writer.ts';
import { type VirtualClock, virtualClock } from '../runtime/test-clock.ts';
import type { CertificateAuthority, IssuedCertificate, Sealer } from '../runtime/tls/authority.ts';
import { fakeCertificateReader } from '../runtime/tls/fake-certificate-reader.ts';

/** For tests of controllers: a store, its mirror and the control loops, under virtual time. */
export interface Scene {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly world: Mirror;
  readonly writer: Writer;
  readonly random: Random;
  readonly events: EventRecorder & { readonly notes: readonly EventNote[] };
  readonly authority: FakeAuthority;
  readonly sealer: Sealer;
  readonly acme: Acme;
  readonly certificateReader: CertificateReader;
  /** At https://ca.test/directory; it finds every proof unless told otherwise. */
  readonly ca: FakeAcmeCa;
  /** All that can be reached: that one, and what a test adds. */
  readonly cas: FakeAcmeCa[];
  /** How the CA looks from now on. */
  looks(validate: ValidateProof): void;
  /** Starts the loops of these controllers. */
  start(...controllers: readonly Controller[]): void;
  /** Creates an object; its spec is completed by the kind's defaults. */
  create(kind: KindName, name: string, spec: object, metadata?: object): Promise<void>;
  /** Replaces members of an object's spec. */
  configure(kind: KindName, name: string, spec: object): Promise<void>;
  remove(kind: KindName, name: string): Promise<void>;
  node(name: string, roles?: readonly NodeRole[]): Promise<void>;
  connect(node: string): Promise<void>;
  disconnect(node: string): Promise<void>;
  report(node: string, report: Partial<ReportRecord>): Promise<void>;
  put<R extends RecordKind>(record: R, id: string, value: Records[R] | undefined): Promise<void>;
  commit(...operations: readonly Operation[]): Promise<WriteOutcome>;
  /** Lets everything that is ready happen. */
  settle(): Promise<void>;
  revision(): Promise<bigint>;
  /** Ends all loops. */
  end(): Promise<void>;
}

export interface FakeAuthority extends CertificateAuthority {
  /** How the next certificates are issued: undefined: well. */
  failure: Error | undefined;
  readonly issued: readonly (readonly string[])[];
}

export const SCENE_NAMESPACE = 'default';
const AUTHOR: Author = { manager: 'test', user: 'admin' };
const SETTLE_STEPS = 12;

/** What is sealed can be read by a test, and is opened for its context only. */
const fakeSealer: Sealer = {
  seal: (secret, context) => `${context}|${secret}`,
  open(sealed, context) {
    if (sealed.startsWith(`${context}|`)) return sealed.slice(context.length + 1);
    throw new Error(`open what was sealed for ${context}: another key, or changed`);
  },
};

export async function scene(): Promise<Scene> {
  const clock = virtualClock();
  const store = memoryStore({ clock });
  const random = countingRandom();
  const world = new Mirror({ store, clock, random, log: silentLog });
  const writer = new Writer({ store, clock, random, fence: () => [] });
  const stop = new AbortController();
  let validate: ValidateProof = async () => undefined;
  const caRandom = countingRandom();
  const cas: FakeAcmeCa[] = [];
  const ca = createFakeAcmeCa({ clock, random: caRandom, validate: (proof) => validate(proof) });
  cas.push(ca);
  const running = [world.run(stop.signal)];
  const notes: EventNote[] = [];
  const where = (kind: KindName, name: string) => ({
    name,
    ...(kindsByName[kind].scope === 'cluster' ? {} : { namespace: SCENE_NAMESPACE }),
  });
  const settle = async (): Promise<void> => {
    // Conflicts are tried again after milliseconds, so time moves a little as well.
    for (let step = 0; step < SETTLE_STEPS; step += 1) await clock.advance(10);
  };
  const base = (kind: KindName, name: string): Resource => {
    const object = world.get(kind, where(kind, name));
    if (object === undefined) throw new Error(`no ${kind} ${name} in this scene`);
    return object;
  };
  const commit = async (...operations: readonly Operation[]): Promise<WriteOutcome> => {
    const outcome = await writer.commit(operations, AUTHOR);
    if (outcome.outcome === 'conflict')
      throw new Error('the scene lost to a controller: settle first');
    await settle();
    return outcome;
  };
  const put: Scene['put'] = async (record, id, value) => {
    await commit({ kind: 'record', record, id, value, modRevision: undefined } as Operation);
  };
  const self: Scene = {
    clock,
    store,
    world,
    writer,
    random,
    events: { notes, record: (note) => void notes.push(note) },
    authority: fakeAuthority(clock),
    sealer: fakeSealer,
    acme: fakeAcme({ random, cas }),
    cas,
    certificateReader: fakeCertificateReader,
    ca,
    looks(next) {
      validate = next;
    },
    start(...controllers) {
      const ports = { mirror: world, clock, random, log: silentLog, metrics: noMetrics };
      for (const each of controllers) running.push(runController(each, ports, stop.signal));
    },
    async create(kind, name, spec, metadata = {}) {
      const object = {
        kind,
        metadata: { ...where(kind, name), ...metadata },
        spec: kindsByName[kind].normalize(spec),
      };
      await commit({ kind: 'create', object });
    },
    async configure(kind, name, spec) {
      const before = base(kind, name);
      const next = { ...before, spec: { ...(before.spec as object), ...spec } };
      await commit({ kind: 'replace', base: before, next });
    },
    async remove(kind, name) {
      await commit({ kind: 'delete', base: base(kind, name) });
    },
    async node(name, roles = ['edge', 'nameserver']) {
      const index = world.list('Node').length + 1;
      await self.create('Node', name, {
        roles,
        ipv4: [`192.0.2.${index}`],
        ipv6: [`2001:db8::${index}`],
      });
    },
    async connect(node) {
      const connectedSince = new Date(clock.nowMs()).toISOString();
      const nodeUid = base('Node', node).metadata.uid;
      const agent = { agentVersion: '0.1.0', capabilities: CAPABILITIES };
      await put('session', node, { nodeUid, ...agent, connectedSince });
    },
    disconnect: (node) => put('session', node, undefined),
    report: (node, report) =>
      put('report', node, { ...emptyReport(base('Node', node).metadata.uid), ...report }),
    put,
    commit,
    settle,
    revision: async () => (await store.list('/b8s/')).revision,
    async end() {
      stop.abort();
      ca.close();
      await Promise.all(running);
    },
  };
  await settle();
  return self;
}

/** What an edge reports of a site that it serves well. */
export function served(site: Resource, release: string, certificate = 'f1'): SiteOnNode {
  const { uid, generation } = site.metadata;
  return { uid, generation, serving: release, verified: [release], certificate, error: '' };
}

export function emptyReport(nodeUid: string): ReportRecord {
  return { nodeUid, sites: [], zones: [], unreachable: [], conditions: [], geo: [] };
}

/** `sha256-` and 64 times one hex digit. */
export function digest(digit: string): string {
  return `sha256-${digit.repeat(64)}`;
}

/** An object as dom would hold it, for tests of plans. */
export function object<Kind extends Resource>(
  kind: KindName,
  name: string,
  spec: object,
  rest: { readonly metadata?: object; readonly status?: object } = {},
): Kind {
  const scope = kindsByName[kind].scope === 'cluster' ? {} : { namespace: SCENE_NAMESPACE };
  return {
    apiVersion: API_VERSION,
    kind,
    metadata: {
      name,
      ...scope,
      uid: `uid-${kind.toLowerCase()}-${name}`,
      resourceVersion: '5',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00.000Z',
      ...rest.metadata,
    },
    spec: kindsByName[kind].normalize(spec),
    ...(rest.status === undefined ? {} : { status: rest.status }),
  } as unknown as Kind;
}

/** A node view for tests of plans. */
export function view(
  name: string,
  options: {
    readonly roles?: readonly NodeRole[];
    readonly connected?: boolean;
    readonly capabilities?: readonly Capability[];
    readonly report?: Partial<ReportRecord>;
    readonly ipv4?: readonly string[];
    readonly ipv6?: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
  } = {},
): NodeView {
  const { roles = ['edge', 'nameserver'], ipv4 = ['192.0.2.1'], ipv6 = [], labels } = options;
  const bare: NodeView['node'] = object('Node', name, { roles, ipv4, ipv6 });
  const node = { ...bare, metadata: { ...bare.metadata, ...(labels && { labels }) } };
  const report = { ...emptyReport(node.metadata.uid), ...options.report };
  return {
    node,
    name,
    connected: options.connected ?? true,
    capabilities: options.capabilities ?? CAPABILITIES,
    report,
    site: (uid) => report.sites.find((each) => each.uid === uid),
  };
}

export const internalCertificate = (names: readonly string[]): CertificateSpec => ({
  names,
  issuer: INTERNAL_ISSUER,
  keyType: 'ecdsa-p256',
});

function countingRandom(): Random {
  let drawn = 0;
  return {
    next: () => 0.5,
    bytes(count) {
      drawn += 1;
      const bytes = Buffer.alloc(Math.max(count, 4));
      bytes.writeUInt32BE(drawn);
      return bytes.subarray(0, count);
    },
  };
}

function fakeAuthority(clock: VirtualClock): FakeAuthority {
  const issued: (readonly string[])[] = [];
  const refuse = () => Promise.reject(new Error('not in this scene'));
  const self: FakeAuthority = {
    caPem: '',
    caHash: 'sha256:0',
    failure: undefined,
    issued,
    async issueServer({ names, lifetimeMs }): Promise<IssuedCertificate> {
      if (self.failure !== undefined) throw self.failure;
      issued.push(names);
      const notBeforeMs = clock.nowMs();
      const number = String(issued.length);
      return {
        chainPem: `chain ${number}`,
        keyPem: `key ${number}`,
        notBeforeMs,
        notAfterMs: notBeforeMs + lifetimeMs,
        fingerprint: `f${number}`,
        serialNumber: number,
      };
    },
    issueClient: refuse,
    signRequest: refuse,
  };
  return self;
}
