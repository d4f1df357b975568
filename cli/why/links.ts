import type { Certificate } from '../../api/certificate.ts';
import { kindOf } from '../../api/kinds.ts';
import type { Node, NodeRole } from '../../api/node.ts';
import type { Condition, Resource } from '../../api/object.ts';
import type { Repository } from '../../api/repository.ts';
import type { Site } from '../../api/site.ts';
import type { ObjectReference } from '../../runtime/api-client.ts';
import { readyOf } from './problems.ts';

type Nodes = ReadonlyMap<string, Node>;

/**
 * The objects that a condition which does not hold comes from, the likeliest first. Those that turn
 * out to be well are left out of the answer, so it is no harm to name one too many.
 */
export function linksOf(
  object: Resource,
  condition: Condition,
  nodes: Nodes,
): readonly ObjectReference[] {
  const { reason, message } = condition;
  const role = SILENT.get(reason);
  if (role !== undefined && object.kind !== 'Node') return silentNodes(nodes, role);
  if (object.kind === 'Node') return [];
  if (object.kind === 'Repository') return repositoryLinks(object as Repository, condition);
  const own =
    object.kind === 'Site'
      ? siteLinks(object as Site, condition)
      : object.kind === 'Certificate'
        ? certificateLinks(object as Certificate, condition)
        : [];
  return own.length > 0 ? own : mentionedNodes(message, nodes);
}

/**
 * The objects that one needs even where none of its conditions says so: a Site is ready while a
 * later version of its Zone is on its way.
 */
export function needsOf(object: Resource): readonly ObjectReference[] {
  const zones = object.kind === 'Site' ? ((object as Site).status?.dns?.zones ?? []) : [];
  const served = zones.map((qualified) => {
    const cut = qualified.lastIndexOf('/');
    const namespace = cut < 0 ? namespaceOf(object) : qualified.slice(0, cut);
    return { kind: 'Zone', namespace, name: qualified.slice(cut + 1) };
  });
  return [...served, ...repositoriesOf(object)];
}

/** Reasons of a Repository whose message names what is waited for. */
const AWAITING: ReadonlySet<string> = new Set(['Waiting', 'NotReady', 'Applying']);
/** Reasons of a Repository that its credentials may explain. */
const OF_SECRET: ReadonlySet<string> = new Set([
  'SecretMissing',
  'SecretLost',
  'SignersInvalid',
  'FetchAccessDenied',
]);

function secretsOf({ secretRef, verify, decryption }: Repository['spec']): readonly string[] {
  const named = [secretRef, verify?.secretRef, decryption?.secretRef];
  return named.filter((name) => name !== undefined);
}

function repositoryLinks(
  { metadata, spec }: Repository,
  { reason, message, type }: Condition,
): readonly ObjectReference[] {
  if (type !== 'Ready') return [];
  const namespace = metadata.namespace ?? '';
  if (reason === 'DependencyNotReady')
    return spec.dependsOn.map((name) => ({ kind: 'Repository', namespace, name }));
  if (OF_SECRET.has(reason))
    return secretsOf(spec).map((name) => ({ kind: 'Secret', namespace, name }));
  return AWAITING.has(reason) ? mentionedObjects(message) : [];
}

/** "waits for Site/default/blog (no release), Issuer/acme (not looked at yet)" */
function mentionedObjects(message: string): readonly ObjectReference[] {
  const words = message.match(/\b[A-Z][A-Za-z]+(?:\/[a-z0-9][a-z0-9.-]*){1,2}/g) ?? [];
  return [...new Set(words)].flatMap((word) => {
    const [kind = '', one = '', two] = word.split('/');
    const scope = kindOf(kind)?.scope;
    if (scope === undefined || (scope === 'namespace') !== (two !== undefined)) return [];
    return [{ kind, namespace: two === undefined ? '' : one, name: two ?? one }];
  });
}

/** Which Repositories declare something of an object. */
function repositoriesOf({ metadata }: Resource): readonly ObjectReference[] {
  return (metadata.managedFields ?? []).flatMap(({ manager }) => {
    const [, namespace, name] = /^repository\/([^/]+)\/([^/]+)$/.exec(manager) ?? [];
    if (namespace === undefined || name === undefined) return [];
    return [{ kind: 'Repository', namespace, name }];
  });
}

/** Reasons that mean: no node of that role is connected. */
const SILENT: ReadonlyMap<string, NodeRole> = new Map([
  ['EdgesSilent', 'edge'],
  ['NameserversSilent', 'nameserver'],
]);

/** Reasons of CertificateReady that are told by the Site's edges, or before there is one. */
const NOT_OF_CERTIFICATE: ReadonlySet<string> = new Set(['CertificateNotFound', 'Distributing']);

function siteLinks(site: Site, { type, reason }: Condition): readonly ObjectReference[] {
  const namespace = namespaceOf(site);
  const { status, spec, metadata } = site;
  switch (type) {
    case 'CertificateReady':
    case 'PreviewsReady': {
      if (NOT_OF_CERTIFICATE.has(reason)) return [];
      return [{ kind: 'Certificate', namespace, name: status?.certificate ?? metadata.name }];
    }
    case 'PasswordsReady':
      return spec.auth === undefined ? [] : [{ kind: 'Secret', namespace, name: spec.auth.secret }];
    case 'ContentReady':
      return reason !== 'ReleaseNotFound' || spec.content?.release === undefined
        ? []
        : [{ kind: 'Release', namespace, name: spec.content.release }];
    default:
      return [];
  }
}

/** Reasons of a Certificate that its Issuer explains. */
const OF_ISSUER: ReadonlySet<string> = new Set([
  'IssuerNotFound',
  'IssuerNotReady',
  'TermsNotAgreed',
  'AccountFailed',
  'Registering',
]);

function certificateLinks(
  { spec, metadata }: Certificate,
  { reason }: Condition,
): readonly ObjectReference[] {
  const namespace = metadata.namespace ?? '';
  if (spec.secret !== undefined) return [{ kind: 'Secret', namespace, name: spec.secret }];
  return OF_ISSUER.has(reason) ? [{ kind: 'Issuer', namespace: '', name: spec.issuer }] : [];
}

function silentNodes(nodes: Nodes, role: NodeRole): readonly ObjectReference[] {
  return [...nodes.values()]
    .filter((node) => node.spec.roles.includes(role) && readyOf(node)?.status !== 'True')
    .map(({ metadata }) => nodeReference(metadata.name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Messages list nodes after what they wait for: "released on 1/3 nodes; waiting for fra1, nyc1 (its
 * disk is full)". The words before are prose, and a node may be called like one of them.
 */
function mentionedNodes(message: string, nodes: Nodes): readonly ObjectReference[] {
  const start = /\b(?:waiting for|not switched while|not well as yet:|connect:|do well for \S+:) /;
  const listed = message.split(start).slice(1).join(' ');
  const words = listed.toLowerCase().match(/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/g) ?? [];
  return [...new Set(words)].filter((word) => nodes.has(word)).map(nodeReference);
}

function nodeReference(name: string): ObjectReference {
  return { kind: 'Node', namespace: '', name };
}

function namespaceOf({ kind, metadata }: Resource): string {
  return kindOf(kind)?.scope === 'cluster' ? '' : (metadata.namespace ?? '');
}
