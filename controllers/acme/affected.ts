import { isDeepStrictEqual } from 'node:util';
import type { Certificate } from '../../api/certificate.ts';
import type { Issuer } from '../../api/issuer.ts';
import { proofsUp } from '../../runtime/acme/proofs.ts';
import type { AcmeOrderRecord, RevocationRecord } from '../../runtime/acme/records.ts';
import { qualifiedName } from '../../runtime/store/keys.ts';
import { isBeyondStatus, isKind, type World, type WorldChange } from '../../runtime/store/world.ts';

/** Which of the controller's names a change concerns. */
export function affected(world: World, change: WorldChange): readonly string[] {
  return change.kind === 'record' ? byRecord(world, change) : byObject(world, change);
}

function byRecord(
  world: World,
  { record, id }: WorldChange & { readonly kind: 'record' },
): readonly string[] {
  switch (record) {
    case 'acmeOrder':
    case 'issuance':
      return ofUid(world, id);
    case 'material':
      return [
        ...ofUid(world, id),
        ...revocations(world, ({ certificate }) => certificate.uid === id),
      ];
    case 'acmeAccount': {
      const issuer = world.list('Issuer').find(({ metadata }) => metadata.uid === id);
      const waiting = revocations(world, ({ issuerUid }) => issuerUid === id);
      // That the CA is in trouble lets nobody go on, and a thousand would look each time it is told.
      if (issuer !== undefined && isInTrouble(world, id))
        return [`account:${issuer.metadata.name}`];
      return issuer === undefined ? [`owner:${id}`] : [...ofIssuer(world, issuer), ...waiting];
    }
    case 'acmeCount':
      return ['counts'];
    case 'revocation':
      return [`revocation:${id}`];
    case 'zone':
      return proving(world, (order) => dependsOn(order, id));
    case 'session':
    case 'report':
      return [...proving(world, () => true), ...revocations(world, () => true)];
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
    case 'serial':
    case 'signing':
    case 'token':
    case 'transferKey':
    case 'user':
      return [];
  }
}

function byObject(
  world: World,
  change: WorldChange & { readonly kind: 'object' },
): readonly string[] {
  const { object, before } = change;
  if (isKind(object, 'Certificate')) {
    const isAsked = !isDeepStrictEqual(object.metadata.annotations, before?.metadata.annotations);
    // The status is written after each step; all that counts of it is in the records.
    if (!isBeyondStatus(change) && !isAsked) return [];
    const name = qualifiedName(object.metadata);
    const uids = new Set([object.metadata.uid, before?.metadata.uid ?? object.metadata.uid]);
    const revoked = revocations(world, ({ certificate }) => uids.has(certificate.uid));
    return [...named(name), ...[...uids].map((uid) => `owner:${uid}`), ...revoked];
  }
  if (isKind(object, 'Issuer')) {
    const isAsked = !isDeepStrictEqual(object.metadata.annotations, before?.metadata.annotations);
    if (!isBeyondStatus(change) && !isAsked) return [];
    const uids = new Set([object.metadata.uid, before?.metadata.uid ?? object.metadata.uid]);
    const waiting = revocations(world, ({ issuerUid }) => uids.has(issuerUid));
    const owners = [...uids].map((uid) => `owner:${uid}`);
    // It may be the one that a certificate is from again, or no longer.
    const renewals = usersOf(world, object).map(
      ({ metadata }) => `renewal:${qualifiedName(metadata)}`,
    );
    return [...ofIssuer(world, object), ...renewals, ...owners, ...waiting];
  }
  if (isKind(object, 'Secret')) {
    const name = qualifiedName(object.metadata);
    return world
      .list('Issuer')
      .filter(({ spec }) => spec.acme?.externalAccount?.secret === name)
      .map(({ metadata }) => `account:${metadata.name}`);
  }
  return [];
}

function isInTrouble(world: World, issuerUid: string): boolean {
  const account = world.record('acmeAccount', issuerUid)?.value;
  return account?.failure !== undefined || account?.troubled !== undefined;
}

/** Of a Certificate, or of one that is gone. */
function ofUid(world: World, uid: string): readonly string[] {
  const found = world.list('Certificate').find(({ metadata }) => metadata.uid === uid);
  return found === undefined ? [`owner:${uid}`] : ofCertificate(found);
}

function ofCertificate({ metadata }: Certificate): readonly string[] {
  return named(qualifiedName(metadata));
}

function named(name: string): readonly string[] {
  return [`order:${name}`, `renewal:${name}`];
}

function revocations(
  world: World,
  concerns: (revocation: RevocationRecord) => boolean,
): readonly string[] {
  return world
    .records('revocation')
    .filter(([, { value }]) => concerns(value))
    .map(([fingerprint]) => `revocation:${fingerprint}`);
}

function ofIssuer(world: World, issuer: Issuer): readonly string[] {
  const users = usersOf(world, issuer);
  return [
    `account:${issuer.metadata.name}`,
    ...users.map(({ metadata }) => `order:${qualifiedName(metadata)}`),
  ];
}

/** Those that use it, as it stands or as a fallback. */
function usersOf(world: World, { metadata: { name } }: Issuer): readonly Certificate[] {
  const standing = world
    .list('Issuer')
    .filter(({ spec }) => spec.acme?.fallbacks.includes(name))
    .map(({ metadata }) => metadata.name);
  const names = new Set([name, ...standing]);
  return world.list('Certificate').filter(({ spec }) => names.has(spec.issuer));
}

/** Orders whose proofs are on their way. */
function proving(world: World, concerns: (order: AcmeOrderRecord) => boolean): readonly string[] {
  return world
    .records('acmeOrder')
    .filter(([, { value }]) => value.phase === 'validating' && concerns(value))
    .map(([, { value }]) => `order:${qualifiedName(value.certificate)}`);
}

/** Hosts may lie in any zone; of records the zone is known. */
function dependsOn(order: AcmeOrderRecord, zone: string): boolean {
  return proofsUp(order).some(({ proof }) => proof.type !== 'dns-01' || proof.zone === zone);
}
