import type { Certificate } from '../../api/certificate.ts';
import { condition } from '../../api/object.ts';
import type { Site } from '../../api/site.ts';
import type { ConditionInput } from '../../runtime/control/conditions.ts';
import { withoutNameserver } from '../../runtime/session/nameservers.ts';
import { type NodeView, servesZone } from '../../runtime/session/node-view.ts';
import type { AccessRecord } from '../../runtime/store/records.ts';
import { coversHost } from '../../runtime/tls/certificate-names.ts';

import type { Standing } from './standing.ts';
import { nameWithError, shortDigest, shortList } from './words.ts';

/** How one host of a site resolves. */
export interface HostOnDns {
  readonly host: string;
  /** The Zone that answers for it, `namespace/name`; undefined: none of ours. */
  readonly zone: string | undefined;
  /** The nodes that its nameservers may answer with. */
  readonly candidates: readonly string[];
  /** The version of the Zone since when it leads to them; undefined: one from long ago. */
  readonly since?: { readonly uid: string; readonly serial: number };
}

/** Whether there is a certificate for every host, and every connected edge has it in use. */
export function certificateReady(
  site: Site,
  certificate: Certificate | undefined,
  edges: readonly NodeView[],
): ConditionInput {
  const type = 'CertificateReady';
  if (certificate === undefined) {
    const message = 'its Certificate is about to be made';
    return { type, status: 'False', reason: 'CertificateNotFound', message };
  }
  const uncovered = site.spec.hosts.filter(
    (host) => !certificate.spec.names.some((name) => coversHost(name, host)),
  );
  if (uncovered.length > 0) {
    const message = `the Certificate does not have ${shortList(uncovered)}: add it to spec.names`;
    return { type, status: 'False', reason: 'HostsNotCovered', message };
  }
  const ready = condition(certificate, 'Ready');
  const isCurrent =
    ready?.observedGeneration === certificate.metadata.generation && isInStep(certificate, site);
  if (ready?.status !== 'True' || !isCurrent) {
    const reason = ready !== undefined && isCurrent ? ready.reason : 'Issuing';
    const message = ready !== undefined && isCurrent ? ready.message : 'it is being issued';
    return { type, status: 'False', reason, message };
  }
  const missing = edges.filter((edge) => !usesCertificate(edge, site, certificate));
  if (missing.length > 0) {
    const names = shortList(missing.map((edge) => nameWithError(edge, site)));
    const message = `waiting for ${names} to use it`;
    return { type, status: 'False', reason: 'Distributing', message };
  }
  return { type, status: 'True', reason: ready.reason, message: ready.message };
}

/** Whether every connected edge serves this very generation of the site from what is desired. */
export function released(
  site: Site,
  { serving, ahead }: Pick<Standing, 'serving' | 'ahead'>,
  edges: readonly NodeView[],
): ConditionInput {
  const type = 'Released';
  if (serving === undefined)
    return { type, status: 'False', reason: 'NothingServed', message: 'nothing is served yet' };
  if (edges.length === 0) {
    const message = 'no edge is connected; they serve what they have';
    return { type, status: 'Unknown', reason: 'EdgesSilent', message };
  }
  const isUnderWay = ahead.length > 0;
  const wanted = isUnderWay ? (site.spec.content?.release ?? serving) : serving;
  const missing = edges.filter((edge) => !serves(edge, site, wanted));
  const count = `released on ${edges.length - missing.length}/${edges.length} nodes`;
  if (missing.length > 0 || isUnderWay) {
    const waiting = shortList(missing.map((edge) => nameWithError(edge, site)));
    const message = missing.length > 0 ? `${count}; waiting for ${waiting}` : `${count}, watched`;
    return { type, status: 'False', reason: 'Releasing', message };
  }
  if (serving !== site.spec.content?.release) {
    const message = `${shortDigest(serving)} is served until what the spec names can be`;
    return { type, status: 'False', reason: 'OlderRelease', message };
  }
  return { type, status: 'True', reason: 'Released', message: count };
}

/**
 * For hosts in Zones: whether there is a node to answer with, and every connected nameserver does.
 * Whoever asked one too early would be told that there is no such name, and resolvers remember
 * that. `nameservers`: all there are, connected or not. Undefined: no host is in a Zone.
 */
export function dnsReady(
  hosts: readonly HostOnDns[],
  nameservers: readonly NodeView[],
): ConditionInput | undefined {
  const type = 'DnsReady';
  const inZones = hosts.filter(({ zone }) => zone !== undefined);
  if (inZones.length === 0) return undefined;
  const empty = inZones.filter(({ candidates }) => candidates.length === 0);
  if (empty.length > 0) {
    const names = shortList(empty.map(({ host }) => host));
    const message = `${names}: no edge has both the release and the certificate yet`;
    return { type, status: 'False', reason: 'NoCandidates', message };
  }
  const trouble = withoutNameserver(nameservers);
  if (trouble !== undefined) return { type, ...trouble };
  const connected = nameservers.filter((node) => node.connected);
  const behind = connected.filter((node) =>
    inZones.some(({ since }) => since !== undefined && !servesZone(node, since)),
  );
  if (behind.length > 0) {
    const message = `waiting for ${shortList(behind.map(({ name }) => name))} to answer for it`;
    return { type, status: 'False', reason: 'Propagating', message };
  }
  const nodes = new Set(inZones.flatMap(({ candidates }) => candidates));
  const message = `answered with ${shortList([...nodes].toSorted())}`;
  return { type, status: 'True', reason: 'Answered', message };
}

/**
 * For hosts outside of every Zone: what a person is to create elsewhere. Never True, for dom does
 * not ask foreign name servers. Undefined: there are none.
 */
export function dnsConfigured(
  hosts: readonly HostOnDns[],
  edges: readonly NodeView[],
): ConditionInput | undefined {
  const outside = hosts.filter(({ zone }) => zone === undefined);
  if (outside.length === 0) return undefined;
  const addresses = [
    ...edges.flatMap(({ node }) => node.spec.ipv4.map((address) => `A ${address}`)),
    ...edges.flatMap(({ node }) => node.spec.ipv6.map((address) => `AAAA ${address}`)),
  ];
  const records = addresses.length === 0 ? 'the addresses of the edges' : shortList(addresses);
  const names = shortList(outside.map(({ host }) => host));
  const mend = `declare one, or create these records where its DNS is kept: ${records}`;
  const message = `no Zone holds ${names}: ${mend}`;
  return { type: 'DnsConfigured', status: 'Unknown', reason: 'OutsideOfZones', message };
}

/**
 * Where edges skip lines of the release's `_redirects` and `_headers`: which, and the mend. It is
 * served all the same, so nothing waits for it. Undefined: they skip none.
 */
export function rulesRead(site: Site, edges: readonly NodeView[]): ConditionInput | undefined {
  const reports = edges.map((edge) => edge.site(site.metadata.uid));
  const message = reports.find((report) => report?.warning !== undefined)?.warning;
  if (message === undefined) return undefined;
  return { type: 'RulesRead', status: 'False', reason: 'LinesSkipped', message };
}

/** Whether those that the Site asks for a password can come in. Undefined: it asks nobody. */
export function passwordsReady(
  { metadata, spec }: Site,
  access: AccessRecord | undefined,
  tooOld: readonly NodeView[] = [],
): ConditionInput | undefined {
  if (spec.auth === undefined) return undefined;
  const type = 'PasswordsReady';
  if (access?.siteUid !== metadata.uid || access.secret !== spec.auth.secret) {
    const message = 'the passwords are being hashed';
    return { type, status: 'False', reason: 'Hashing', message };
  }
  if (access.problem !== undefined) return { type, status: 'False', ...access.problem };
  if (tooOld.length > 0) {
    const names = shortList(tooOld.map(({ name }) => name));
    const message = `${names} cannot ask for passwords and would let everybody in, so the site is not served there: upgrade sub on each`;
    return { type, status: 'False', reason: 'NodesTooOld', message };
  }
  const count = access.users.length;
  const message = `${count} user${count === 1 ? '' : 's'} of Secret "${access.secret}"`;
  return { type, status: 'True', reason: 'Hashed', message };
}

/** Ready when all the others are; otherwise the first that is not tells why. */
export function ready(parts: readonly ConditionInput[], summary: string): ConditionInput {
  const first = parts.find(({ status }) => status !== 'True');
  if (first === undefined)
    return { type: 'Ready', status: 'True', reason: 'Serving', message: summary };
  return { ...first, type: 'Ready', message: `${first.type}: ${first.message}` };
}

/** A Certificate made for the Site has its Issuer; one declared by hand may have another. */
function isInStep({ metadata, spec }: Certificate, site: Site): boolean {
  const isMadeForIt = metadata.ownerReferences?.some(({ uid }) => uid === site.metadata.uid);
  const { issuer, secret } = site.spec.tls;
  if (isMadeForIt !== true) return true;
  return spec.secret === secret && (secret !== undefined || spec.issuer === issuer);
}

/**
 * While a renewed certificate is on its way, the one from before is as good: what held once for
 * this generation of the site goes on holding.
 */
function usesCertificate(edge: NodeView, site: Site, certificate: Certificate): boolean {
  const used = edge.site(site.metadata.uid)?.certificate ?? '';
  if (used === '' || used === certificate.status?.fingerprint) return used !== '';
  const held = condition(site, 'CertificateReady');
  return held?.status === 'True' && held.observedGeneration === site.metadata.generation;
}

function serves(edge: NodeView, site: Site, release: string): boolean {
  const report = edge.site(site.metadata.uid);
  return (
    report !== undefined &&
    report.serving === release &&
    report.generation >= site.metadata.generation
  );
}
