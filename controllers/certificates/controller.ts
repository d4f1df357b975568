import type { Certificate, CertificateStatus } from '../../api/certificate.ts';
import { condition } from '../../api/object.ts';
import type { Secret } from '../../api/secret.ts';
import type { CertificateReader } from '../../runtime/acme/acme.ts';
import type { Clock } from '../../runtime/clock.ts';
import { describeError } from '../../runtime/control/control-loop.ts';
import { afterWrite, type Controller, type Outcome } from '../../runtime/control/controller.ts';
import type { EventRecorder } from '../../runtime/control/events.ts';
import { qualifiedName, splitName } from '../../runtime/store/keys.ts';
import type { MaterialRecord } from '../../runtime/store/records.ts';
import { isKind, type World, type WorldChange } from '../../runtime/store/world.ts';
import { type Author, type Operation, ownedBy, type Writer } from '../../runtime/store/writer.ts';
import type { CertificateAuthority, Sealer } from '../../runtime/tls/authority.ts';
import { keptMaterial } from '../../runtime/tls/material-key.ts';
import { acmeFacts, fallbacksOf } from './acme-facts.ts';
import { reconcileBrought } from './brought.ts';
import { issueMaterial } from './issue.ts';
import {
  certificateStatus,
  type Failure,
  ISSUE_RETRY_MS,
  planCertificate,
  siteCertificate,
} from './plan.ts';
import { planIssuer } from './plan-issuer.ts';
import { previewsAffected, reconcilePreviews } from './previews.ts';

const AUTHOR: Author = { manager: 'certificate-controller', user: 'dom' };
const SOURCE = { component: AUTHOR.manager };

interface CertificatePorts {
  readonly world: World;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly authority: CertificateAuthority;
  readonly sealer: Sealer;
  readonly events: EventRecorder;
  readonly certificateReader: CertificateReader;
}

/**
 * Gives each Site a Certificate, and its previews one, issues and renews them, and says which
 * Issuers can issue. Names: `site:<ns/name>`, `previews:<ns/name of a Certificate>`,
 * `certificate:<ns/name>`, `material:<uid of a Certificate>`, `issuer:<name>`.
 */
export function certificatesController(ports: CertificatePorts): Controller {
  return {
    name: 'certificates',
    affected: (change) => [
      ...affected(ports.world, change),
      ...previewsAffected(change).map((name) => `previews:${name}`),
    ],
    reconcile(name) {
      const cut = name.indexOf(':');
      const rest = name.slice(cut + 1);
      switch (name.slice(0, cut)) {
        case 'site':
          return reconcileSite(ports, rest);
        case 'previews':
          return reconcilePreviews(ports, rest, AUTHOR);
        case 'certificate':
          return reconcileCertificate(ports, rest);
        case 'material':
          return reconcileMaterial(ports, rest);
        default:
          return reconcileIssuer(ports, rest);
      }
    },
  };
}

function affected(world: World, change: WorldChange): readonly string[] {
  if (change.kind === 'record') return byRecord(world, change);
  const { object, before } = change;
  const name = qualifiedName(object.metadata);
  if (isKind(object, 'Site')) return [`site:${name}`];
  if (isKind(object, 'Issuer')) return ofIssuer(world, name);
  if (isKind(object, 'Secret')) return ofSecret(world, object);
  if (!isKind(object, 'Certificate')) return [];
  const uids = new Set([object.metadata.uid, before?.metadata.uid ?? object.metadata.uid]);
  return [`certificate:${name}`, `site:${name}`, ...[...uids].map((uid) => `material:${uid}`)];
}

function byRecord(
  world: World,
  { record, id }: WorldChange & { readonly kind: 'record' },
): readonly string[] {
  switch (record) {
    case 'material':
      return [`material:${id}`, ...ownerOf(world, id)];
    case 'acmeOrder':
    case 'issuance':
      return ownerOf(world, id);
    case 'acmeAccount': {
      const issuer = world.list('Issuer').find(({ metadata }) => metadata.uid === id);
      return issuer === undefined ? [] : ofIssuer(world, issuer.metadata.name);
    }
    case 'session':
    case 'report':
    case 'zone':
      // Who waits for nodes says for which.
      return world
        .records('acmeOrder')
        .filter(([, { value }]) => value.phase === 'validating')
        .map(([, { value }]) => `certificate:${qualifiedName(value.certificate)}`);
    case 'acmeCount':
    case 'access':
    case 'authority':
    case 'dnsCookie':
    case 'geo':
    case 'host':
    case 'notification':
    case 'repository':
    case 'repositoryHook':
    case 'repositoryObject':
    case 'repositoryTold':
    case 'repositoryUndo':
    case 'revocation':
    case 'serial':
    case 'signing':
    case 'token':
    case 'transferKey':
    case 'user':
      return [];
  }
}

function ownerOf(world: World, uid: string): readonly string[] {
  const owner = world.list('Certificate').find(({ metadata }) => metadata.uid === uid);
  return owner === undefined ? [] : [`certificate:${qualifiedName(owner.metadata)}`];
}

function ofIssuer(world: World, name: string): readonly string[] {
  const users = world.list('Certificate').filter(({ spec }) => spec.issuer === name);
  return [
    `issuer:${name}`,
    ...users.map(({ metadata }) => `certificate:${qualifiedName(metadata)}`),
  ];
}

function ofSecret(world: World, { metadata: { namespace, name } }: Secret): readonly string[] {
  return world
    .list('Certificate')
    .filter(({ metadata, spec }) => spec.secret === name && metadata.namespace === namespace)
    .map(({ metadata }) => `certificate:${qualifiedName(metadata)}`);
}

/** A Certificate of that name which a person declared is theirs, and left as it is. */
async function reconcileSite({ world, writer }: CertificatePorts, name: string): Promise<Outcome> {
  const site = world.get('Site', splitName(name));
  if (site === undefined || site.metadata.deletionTimestamp !== undefined) return 'settled';
  const certificate = world.get('Certificate', splitName(name));
  const spec = siteCertificate(site);
  const expected: Operation = { kind: 'expect', base: site };
  if (certificate === undefined) {
    const metadata = { ...splitName(name), ownerReferences: [ownedBy(site)] };
    const object = { kind: 'Certificate', metadata, spec } as const;
    return afterWrite(await writer.commit([expected, { kind: 'create', object }], AUTHOR));
  }
  const owners = certificate.metadata.ownerReferences ?? [];
  if (!owners.some(({ uid }) => uid === site.metadata.uid)) return 'settled';
  // The key type and the renewal may be chosen by hand; the names and the Issuer are the Site's.
  const { keyType, renewal } = certificate.spec;
  const chosen = renewal === undefined ? { keyType } : { keyType, renewal };
  const next = { ...certificate, spec: { ...spec, ...chosen } };
  const replace: Operation = { kind: 'replace', base: certificate, next };
  return afterWrite(await writer.commit([expected, replace], AUTHOR));
}

async function reconcileCertificate(ports: CertificatePorts, name: string): Promise<Outcome> {
  const { world, writer, clock, authority, sealer, events } = ports;
  const certificate = world.get('Certificate', splitName(name));
  if (certificate === undefined || certificate.metadata.deletionTimestamp !== undefined)
    return 'settled';
  if (certificate.spec.secret !== undefined)
    return await reconcileBrought(ports, certificate, AUTHOR);
  const { uid } = certificate.metadata;
  const issuer = world.get('Issuer', { name: certificate.spec.issuer });
  const stored = world.record('material', uid);
  const facts = {
    certificate,
    issuer,
    material: keptMaterial(sealer, uid, stored?.value),
    isKeyLost: stored !== undefined && keptMaterial(sealer, uid, stored.value) === undefined,
    fallbacks: fallbacksOf(world, issuer),
    acme: acmeFacts(world, certificate, issuer),
  };
  const nowMs = clock.nowMs();
  const plan = planCertificate(facts, nowMs);
  if (plan.kind !== 'issue' || issuer === undefined) {
    const failure = plan.kind === 'wait' ? plan.failure : undefined;
    const status = certificateStatus(facts, failure, nowMs);
    const outcome = await writer.commit([{ kind: 'status', base: certificate, status }], AUTHOR);
    if (outcome.outcome === 'written') warnIfLate(events, certificate, status);
    return afterWrite(outcome, plan.kind === 'issue' ? Infinity : plan.recheckInMs);
  }
  const { lifetimeMs } = plan;
  const tried = await issueMaterial(authority, sealer, {
    certificate,
    issuer,
    lifetimeMs,
    nowMs,
  }).then(
    (material) => ({ material, failure: undefined }),
    (error: unknown) => ({ material: undefined, failure: failureOf(error, nowMs) }),
  );
  const after = { ...facts, material: tried.material ?? facts.material };
  const status = certificateStatus(after, tried.failure, nowMs);
  const operations: Operation[] = [{ kind: 'status', base: certificate, status }];
  if (tried.material !== undefined)
    operations.push(
      { kind: 'expect', base: issuer },
      write(uid, tried.material, stored?.modRevision),
    );
  const written = await writer.commit(operations, AUTHOR);
  if (written.outcome === 'written') {
    events.record({ regarding: certificate, source: SOURCE, ...note(tried) });
    warnIfLate(events, certificate, status);
  }
  return afterWrite(written, tried.failure === undefined ? Infinity : ISSUE_RETRY_MS);
}

/** Once for each step from "in time" to "ended" (INV-31). */
function warnIfLate(
  events: EventRecorder,
  certificate: Certificate,
  { conditions = [] }: CertificateStatus,
): void {
  const current = conditions.find(({ type }) => type === 'Current');
  const before = condition(certificate, 'Current');
  if (current?.status !== 'False' || current.reason === before?.reason) return;
  const { reason, message } = current;
  events.record({ regarding: certificate, source: SOURCE, type: 'Warning', reason, message });
}

/** The old material stays where it is unless the new one takes its place (INV-29). */
function write(id: string, value: MaterialRecord, modRevision: bigint = 0n): Operation {
  return { kind: 'record', record: 'material', id, value, modRevision };
}

function failureOf(error: unknown, nowMs: number): Failure {
  return { message: describeError(error), nextTryMs: nowMs + ISSUE_RETRY_MS };
}

function note({ failure }: { readonly failure: Failure | undefined }): {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
} {
  return failure === undefined
    ? { type: 'Normal', reason: 'CertificateIssued', message: 'a certificate was issued' }
    : { type: 'Warning', reason: 'IssueFailed', message: failure.message };
}

/**
 * Removes the key and chain of a Certificate that is gone. Safe though read from the mirror: they
 * are written only while their Certificate is there, and uids never come back.
 */
async function reconcileMaterial(
  { world, writer }: CertificatePorts,
  uid: string,
): Promise<Outcome> {
  const stored = world.record('material', uid);
  const isOwned = world.list('Certificate').some(({ metadata }) => metadata.uid === uid);
  if (stored === undefined || isOwned) return 'settled';
  const { modRevision } = stored;
  return afterWrite(
    await writer.commit(
      [{ kind: 'record', record: 'material', id: uid, value: undefined, modRevision }],
      AUTHOR,
    ),
  );
}

async function reconcileIssuer(
  { world, writer, clock }: CertificatePorts,
  name: string,
): Promise<Outcome> {
  const issuer = world.get('Issuer', { name });
  if (issuer === undefined) return 'settled';
  const account = world.record('acmeAccount', issuer.metadata.uid)?.value;
  const status = planIssuer(issuer, account, clock.nowMs());
  return afterWrite(await writer.commit([{ kind: 'status', base: issuer, status }], AUTHOR));
}
