import { type FakeCertificate, parseFakeCertificate } from '../../../runtime/tls/fake-authority.ts';
import type { AppliedSnapshot, Check, CheckPorts } from '../check.ts';

export interface CertificatesPorts extends CheckPorts {
  /** A node's own idea of the time, milliseconds since 1970. */
  readonly wallMsAt: (node: string) => number;
}

interface InUse {
  readonly fingerprint: string;
  readonly certificate: FakeCertificate;
}

/**
 * INV-29: once a host of a declared Site is answered with a certificate that is good for it by the
 * node's own clock, it is answered with such a one for as long as the node is told of that Site,
 * also after a restart; and what the node reports is what its data plane has.
 */
export function certificatesCheck({ violated, wallMsAt }: CertificatesPorts): Check {
  /** By node, uid of the Site and host. */
  const inUse = new Map<string, InUse>();
  return {
    applied(applied) {
      const { node } = applied;
      const next = certificatesOf(applied);
      const nowMs = wallMsAt(node);
      for (const [key, host] of hostsOf(applied)) {
        const [before, after] = [inUse.get(key), next.get(key)];
        if (before === undefined || !isGood(before, host, nowMs)) continue;
        const problem = after === undefined ? 'none' : problemOf(after, host, nowMs);
        if (problem !== undefined)
          violated(29, `${node} had a good certificate for ${host}, and now ${problem}`);
      }
      for (const key of [...inUse.keys()]) if (key.startsWith(`${node} `)) inUse.delete(key);
      for (const [key, each] of next) inUse.set(key, each);
    },
    installed(node) {
      for (const key of [...inUse.keys()]) if (key.startsWith(`${node} `)) inUse.delete(key);
    },
  };
}

/** Of each first host: that is what the plane says. */
function certificatesOf({ node, snapshot, report }: AppliedSnapshot): ReadonlyMap<string, InUse> {
  const found = new Map<string, InUse>();
  for (const [index, site] of snapshot.edge.sites.entries()) {
    const fingerprint = report.sites[index]?.certificate;
    const certificate = snapshot.edge.certificates.find((each) => each.fingerprint === fingerprint);
    if (certificate === undefined) continue;
    const parsed = parseFakeCertificate(certificate.chainPem);
    const key = `${node} ${site.uid} ${site.hosts[0]}`;
    found.set(key, { fingerprint: certificate.fingerprint, certificate: parsed });
  }
  return found;
}

function hostsOf({ node, snapshot }: AppliedSnapshot): readonly (readonly [string, string])[] {
  return snapshot.edge.sites.flatMap(({ uid, hosts: [host] }) =>
    host === undefined ? [] : [[`${node} ${uid} ${host}`, host] as const],
  );
}

function isGood(each: InUse, host: string, nowMs: number): boolean {
  return problemOf(each, host, nowMs) === undefined;
}

function problemOf(
  { fingerprint, certificate: { names, notAfterMs } }: InUse,
  host: string,
  nowMs: number,
): string | undefined {
  const what = `${fingerprint.slice(0, 12)} for ${names.join(', ')}`;
  if (!names.includes(host)) return what;
  return notAfterMs > nowMs ? undefined : `${what}, which ended at ${notAfterMs}`;
}
