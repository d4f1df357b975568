import type { Certificate } from '../../api/certificate.ts';
import { condition } from '../../api/object.ts';
import type { Acme } from '../../runtime/acme/acme.ts';
import type { ValidateProof } from '../../runtime/acme/fake/proof.ts';
import type { FakeAcmeSettings } from '../../runtime/acme/fake/state.ts';
import type { KnownAcmeLimits } from '../../runtime/acme/limits.ts';
import { proofsUp } from '../../runtime/acme/proofs.ts';
import type { IssuanceRecord } from '../../runtime/acme/records.ts';
import type { Controller } from '../../runtime/control/controller.ts';
import type { DnsClient } from '../../runtime/dns/client.ts';
import type { PublicDns } from '../../runtime/dns/public-dns.ts';
import { zonesByOrigin } from '../../runtime/dns/zones.ts';
import { hasRole, nodeViews } from '../../runtime/session/node-view.ts';
import type { MaterialRecord, RecordSetRecord } from '../../runtime/store/records.ts';
import type { Operation } from '../../runtime/store/writer.ts';
import { emptyReport, type Scene, scene } from '../test-scene.ts';
import { acmeController } from './controller.ts';
import { AUTHOR } from './ports.ts';

export const DIRECTORY = 'https://ca.test/directory';
export const DAY_MS = 86_400_000;

/** A scene with an Issuer, a Zone example.com and two obedient nodes, and the controller's loop. */
export async function acmeScene(
  options: {
    readonly acme?: object;
    readonly nodes?: readonly string[];
    /** `none`: neither the controller nor its Issuer. */
    readonly controllers?: 'all' | 'none';
    /** Nodes that do nothing of what they are told. */
    readonly deaf?: readonly string[];
    /** How CAs are asked; left out: as the scene does. */
    readonly acmeOf?: (at: Scene) => Acme;
    readonly publicDns?: PublicDns;
    readonly dns?: DnsClient;
    /** Of CAs, as they are known beforehand; left out: as published. */
    readonly acmeLimits?: KnownAcmeLimits;
    /** What the zone says its name servers are. */
    readonly nameservers?: readonly string[];
    /** Of the CA. */
    readonly settings?: Partial<FakeAcmeSettings>;
  } = {},
): Promise<Scene> {
  const at = await scene();
  for (const name of options.nodes ?? ['a', 'b']) {
    await at.node(name);
    await at.connect(name);
  }
  await at.create('Zone', 'example', { origin: 'example.com' });
  at.looks(everywhere(at));
  at.ca.set(options.settings ?? {});
  at.start(fakeZones(at, options.nameservers ?? []), obedience(at, options.deaf ?? []));
  if (options.controllers === 'none') return at;
  const acme = options.acmeOf?.(at) ?? at.acme;
  const { publicDns, dns, acmeLimits } = options;
  at.start(acmeController({ ...at, acme, publicDns, dns, acmeLimits }));
  await at.create('Issuer', 'letsencrypt', {
    acme: { directory: DIRECTORY, termsOfServiceAgreed: true, ...options.acme },
  });
  return at;
}

export function certificateOf(at: Scene, name = 'blog'): Certificate {
  const certificate = at.world.get('Certificate', { namespace: 'default', name });
  if (certificate === undefined) throw new Error(`no Certificate ${name}`);
  return certificate;
}

export function materialOf(at: Scene, name = 'blog'): MaterialRecord | undefined {
  return at.world.record('material', certificateOf(at, name).metadata.uid)?.value;
}

export function readyOf(at: Scene, name = 'blog'): string | undefined {
  return condition(certificateOf(at, name), 'Ready')?.reason;
}

export function issuanceOf(at: Scene, name = 'blog'): IssuanceRecord | undefined {
  return at.world.record('issuance', certificateOf(at, name).metadata.uid)?.value;
}

/** Declares a Certificate, and lets what follows happen. */
export async function order(
  at: Scene,
  {
    name = 'blog',
    names = ['blog.example.com'],
    ms = 60_000,
  }: { readonly name?: string; readonly names?: readonly string[]; readonly ms?: number } = {},
): Promise<void> {
  await at.create('Certificate', name, { names, issuer: 'letsencrypt' });
  await finish(at, ms);
}

export async function annotate(
  at: Scene,
  kind: 'Certificate' | 'Issuer',
  name: string,
  annotations: Readonly<Record<string, string>>,
): Promise<void> {
  const base = kind === 'Issuer' ? at.world.get(kind, { name }) : certificateOf(at, name);
  if (base === undefined) throw new Error(`no ${kind} ${name}`);
  const metadata = {
    ...base.metadata,
    annotations: { ...base.metadata.annotations, ...annotations },
  };
  await at.commit({ kind: 'replace', base, next: { ...base, metadata } });
}

/** Lets the CA and everybody come to an end. */
export async function finish(at: Scene, ms = 60_000): Promise<void> {
  await at.clock.advance(ms);
  await at.settle();
}

/** Whether a CA that asks any node finds the proof, by what they reported. */
export function everywhere(at: Scene): ValidateProof {
  return async ({ type, name, token, txt }) => {
    for (const { name: node, report } of nodeViews(at.world)) {
      if (type !== 'dns-01') {
        if (!report?.challenges?.includes(token)) return `${node} does not know the token`;
        continue;
      }
      const held = VERSIONS.get(at.world)?.get(report?.zones[0]?.serial ?? 0) ?? [];
      const set = held.find((each) => each.name === `_acme-challenge.${name}`);
      if (!set?.values.some((value) => value.includes(txt))) return `${node} has no such record`;
    }
    return undefined;
  };
}

/** The records of each version of a zone that there was, by serial. */
const VERSIONS = new WeakMap<object, Map<number, readonly RecordSetRecord[]>>();

/** What the DNS controller does, as far as it matters here: proofs become records. */
function fakeZones({ world, writer }: Scene, nameservers: readonly string[]): Controller {
  return {
    name: 'zones',
    affected: (change) =>
      change.kind === 'record' ? (change.record === 'acmeOrder' ? ['all'] : []) : ['all'],
    async reconcile() {
      for (const zone of zonesByOrigin(world.list('Zone')).values()) {
        const id = `${zone.metadata.namespace}/${zone.metadata.name}`;
        const stored = world.record('zone', id);
        const texts = world
          .records('acmeOrder')
          .flatMap(([, { value }]) =>
            proofsUp(value).flatMap(({ proof }) =>
              proof.type === 'dns-01' && proof.zone === id
                ? [{ name: proof.recordName, value: `"${proof.recordValue}"` }]
                : [],
            ),
          );
        const records = [...new Set(texts.map(({ name }) => name))].toSorted().map((name) => ({
          ...{ name, type: 'TXT', ttlS: 1 },
          values: texts.filter((each) => each.name === name).map((each) => each.value),
        }));
        const hosts = world.list('Certificate').flatMap(({ spec }) => spec.names);
        const addresses = hosts.map((name) => ({
          name,
          type: 'A',
          ttlS: 60,
          values: ['192.0.2.1'],
        }));
        const { origin } = zone.spec;
        const servers = { name: origin, type: 'NS', ttlS: 60, values: nameservers };
        const all = [...records, ...addresses, ...(nameservers.length > 0 ? [servers] : [])];
        const { secondaries } = zone.spec;
        const transfer = secondaries && { secondaries, addresses: [] };
        const { records: before, transfer: handed } = stored?.value ?? {};
        if (JSON.stringify([all, transfer]) === JSON.stringify([before, handed])) continue;
        const value = {
          ...{ zoneUid: zone.metadata.uid, generation: 1, origin: zone.spec.origin },
          ...{ primaryNameserver: 'ns', mailbox: 'h', refreshS: 1, retryS: 1, expireS: 1 },
          ...{ negativeTtlS: 1, records: all, geoNames: [] },
          ...(transfer && { transfer }),
          serial: (stored?.value.serial ?? 100) + 1,
        };
        const modRevision = stored?.modRevision ?? 0n;
        const versions = VERSIONS.get(world) ?? new Map<number, readonly RecordSetRecord[]>();
        VERSIONS.set(world, versions.set(value.serial, all));
        await writer.commit([{ kind: 'record', record: 'zone', id, value, modRevision }], AUTHOR);
      }
      return 'settled';
    },
  };
}

/** Nodes that do at once what they are told, and say so. */
function obedience({ world, writer }: Scene, deaf: readonly string[]): Controller {
  return {
    name: 'obedience',
    affected: (change) =>
      change.kind === 'record' &&
      ['zone', 'acmeOrder', 'session', 'material'].includes(change.record)
        ? ['all']
        : [],
    async reconcile() {
      const zones = world.records('zone').map(([, { value }]) => ({
        ...{ uid: value.zoneUid, serial: value.serial, error: '' },
      }));
      const challenges = world
        .records('acmeOrder')
        .flatMap(([, { value }]) => proofsUp(value).map(({ proof }) => proof.token))
        .toSorted();
      const operations = nodeViews(world).flatMap((view): Operation[] => {
        if (!view.connected || deaf.includes(view.name)) return [];
        const { uid } = view.node.metadata;
        const held = hasRole(view, 'edge') ? challenges : [];
        const value = { ...emptyReport(uid), zones, challenges: held };
        if (JSON.stringify(value) === JSON.stringify(view.report)) return [];
        return [{ kind: 'record', record: 'report', id: view.name, value, modRevision: undefined }];
      });
      await writer.commit(operations, AUTHOR);
      return 'settled';
    },
  };
}
