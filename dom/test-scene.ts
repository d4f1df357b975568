import type { Resource } from '../api/object.ts';
import {
  type Hello,
  type Plan,
  SessionRequest,
  SessionResponse,
} from '../proto/gen/b8s/v1/agent.ts';
import { fakeAcme } from '../runtime/acme/fake/fake-acme.ts';
import type { Disk } from '../runtime/disk/disk.ts';
import { memoryDisk } from '../runtime/disk/memory-disk.ts';
import type { Git } from '../runtime/git/git.ts';
import { type Log, silentLog } from '../runtime/log.ts';
import { noMetrics } from '../runtime/metrics.ts';
import type { Random } from '../runtime/random.ts';
import type { Link } from '../runtime/session/link.ts';
import { linkPair } from '../runtime/session/memory-link.ts';
import { memoryStore } from '../runtime/store/memory-store.ts';
import type { Store } from '../runtime/store/store.ts';
import { type VirtualClock, virtualClock } from '../runtime/test-clock.ts';
import type { Identity } from '../runtime/tls/authority.ts';
import { encodeFakeRequest, fakeAuthority, fakeKey } from '../runtime/tls/fake-authority.ts';
import { fakeCertificateReader } from '../runtime/tls/fake-certificate-reader.ts';
import { Dom, type Term } from './dom.ts';
import { createSealer } from './identity/sealer.ts';

export const ADMIN = { identity: { kind: 'user', name: 'admin', role: 'admin' } } as const;
export const VIEWER = { identity: { kind: 'user', name: 'eve', role: 'viewer' } } as const;

/** A node's end of a session. */
export interface NodeSession {
  readonly plans: Plan[];
  send(message: SessionRequest['message']): void;
  hello(more?: Partial<Hello>): void;
  /** Undefined while it lasts; else why it ended, for people. */
  ended(): string | undefined;
}

export interface DomScene {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly dom: Dom;
  readonly term: Term;
  apply(object: unknown): Promise<Resource>;
  remove(kind: string, name: string): Promise<void>;
  join(name: string, roles?: readonly string[]): Promise<NodeIdentity>;
  /** `wrap` may put something between dom and its end of the link. */
  open(identity: Identity, wrap?: (link: Link) => Link): NodeSession;
  stop(): void;
}

export type NodeIdentity = Extract<Identity, { kind: 'node' }>;

/** A dom that leads, in memory and virtual time. */
export async function domScene(
  options: {
    readonly wrapStore?: (store: Store) => Store;
    readonly clock?: VirtualClock;
    readonly store?: Store;
    readonly disk?: Disk;
    readonly log?: Log;
    readonly git?: Git;
  } = {},
): Promise<DomScene> {
  const { clock = virtualClock(), disk = memoryDisk(), log = silentLog, git } = options;
  const plain = options.store ?? memoryStore({ clock });
  const store = options.wrapStore?.(plain) ?? plain;
  const random = countingRandom();
  const stopping = new AbortController();
  const sealer = createSealer({ key: new Uint8Array(32), random });
  const authority = fakeAuthority({ clock, random });
  const dom = new Dom(
    {
      ...{ store, clock, random, disk, log, metrics: noMetrics, sealer, authority },
      acme: fakeAcme({ random, cas: [] }),
      certificateReader: fakeCertificateReader,
      git,
    },
    {
      holder: 'dom',
      mode: 'sole',
      version: '1.0.0',
      storeName: 'memory',
      addresses: ['dom:7443'],
    },
  );
  void dom.run(stopping.signal);
  await clock.advance(100);
  const term = await dom.leading();

  async function apply(object: unknown): Promise<Resource> {
    const objectJson = JSON.stringify(object);
    const how = { manager: 'b8sctl', forceConflicts: true, dryRun: false, command: 'test' };
    const answer = await term.api.apply({ objectJson, ...how }, ADMIN);
    return JSON.parse(answer.objectJson) as Resource;
  }

  async function remove(kind: string, name: string): Promise<void> {
    const reference = { kind, namespace: '', name };
    await term.api.delete({ reference, uid: '', command: '', dryRun: false }, ADMIN);
  }

  async function join(
    name: string,
    roles: readonly string[] = ['edge', 'nameserver'],
  ): Promise<NodeIdentity> {
    const { token } = await term.api.createToken({ node: name, ttlS: 60 }, ADMIN);
    const specJson = JSON.stringify({ roles, ipv4: ['192.0.2.1'] });
    const { publicKey } = fakeKey(random);
    const request = encodeFakeRequest({ publicKey, signedBy: publicKey, strength: 'strong' });
    const csr = Buffer.from(request);
    const response = await term.join.join({ token, node: name, csr, specJson, agentVersion: '1' });
    return { kind: 'node', name, uid: response.nodeUid };
  }

  function open(identity: Identity, wrap = (link: Link): Link => link): NodeSession {
    const pair = linkPair();
    const plans: Plan[] = [];
    let end: string | undefined;
    void dom.accept(wrap(pair.dom), identity, stopping.signal);
    void (async () => {
      for await (const frame of pair.sub.frames()) {
        const { message } = SessionResponse.decode(frame);
        if (message?.$case === 'plan') plans.push(message.value);
      }
    })().then(
      () => (end = 'ended'),
      (error: unknown) => (end = String(error)),
    );
    const send = (message: SessionRequest['message']): void => {
      pair.sub.send(SessionRequest.encode({ message }).finish());
    };
    const hello = (more: Partial<Hello> = {}): void => {
      const value = { node: identity.name, agentVersion: '1', capabilities: [], heldDigest: '' };
      send({ $case: 'hello', value: { ...value, held: undefined, ...more } });
    };
    return { plans, send, hello, ended: () => end };
  }

  return { clock, store, dom, term, apply, remove, join, open, stop: () => stopping.abort() };
}

/** A Site of the default namespace. */
export function siteNamed(name: string, spec: object = {}): object {
  const hosts = [`${name}.example.com`];
  return { apiVersion: 'b8s.dev/v1', kind: 'Site', metadata: { name }, spec: { hosts, ...spec } };
}

/** Not random at all, and never the same twice. */
function countingRandom(): Random {
  let count = 0;
  return {
    next: () => ((count += 1) % 97) / 97,
    bytes(length) {
      count += 1;
      const bytes = new Uint8Array(length);
      new DataView(bytes.buffer).setUint32(0, count);
      return bytes;
    },
  };
}
