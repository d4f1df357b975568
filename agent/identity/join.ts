import { createHash } from 'node:crypto';
import type { Disk } from '../../runtime/disk/disk.ts';
import type { Enrolment, KeyMaker } from '../../runtime/session/enrolment.ts';
import { caHashOf, encodePem } from '../../runtime/tls/pem.ts';
import { VERSION } from '../../runtime/version.ts';
import { HELD_PLAN_PATH, SERVED_PLAN_PATH } from '../session/plan-file.ts';
import { isKeyOf, loadIdentity, type NodeIdentity, saveIdentity } from './identity-file.ts';
import type { JoinOptions } from './join-options.ts';

export interface JoinPorts {
  readonly disk: Disk;
  readonly keys: KeyMaker;
  readonly enrolment: Enrolment;
}

/**
 * Makes this machine a node: a new key, which stays here; the CA, known by its hash; the token,
 * spent for a certificate. Where nothing failed, all of it is durable.
 *
 * Errors: an identity that is here already (unless `existing` is 'replace'), a CA with another
 * hash, and whatever dom refuses.
 */
export async function joinCluster(
  options: JoinOptions & {
    readonly existing: 'keep' | 'replace';
    readonly signal: AbortSignal;
  },
  { disk, keys, enrolment }: JoinPorts,
): Promise<NodeIdentity> {
  const { address, name, signal } = options;
  if (options.existing === 'keep') await refuseExisting(disk);
  const caPem = await pinnedCa(options, enrolment);
  const { keyPem, csr } = await keys.create(name);
  const response = await enrolment.join({
    address,
    caPem,
    request: {
      token: options.token,
      node: name,
      csr: Buffer.from(csr),
      specJson: JSON.stringify(options.spec),
      agentVersion: VERSION,
    },
    signal,
  });
  if (caHashOf(response.caPem) !== options.caHash) {
    throw new Error(`dom at ${address} answered with another CA than the one that --ca names`);
  }
  if (!isKeyOf(keyPem, response.chainPem)) {
    throw new Error(`dom at ${address} answered with a certificate for another key`);
  }
  const identity: NodeIdentity = {
    ...{
      name,
      uid: response.nodeUid,
      domAddresses: [...new Set([address, ...response.addresses])],
    },
    ...{ keyPem, certificatePem: response.chainPem, caPem },
  };
  // A plan of an earlier node is not this one's to serve from.
  if (options.existing === 'replace') await forgetPlans(disk);
  await saveIdentity(disk, identity);
  return identity;
}

async function forgetPlans(disk: Disk): Promise<void> {
  await disk.remove(HELD_PLAN_PATH);
  await disk.remove(SERVED_PLAN_PATH);
}

async function refuseExisting(disk: Disk): Promise<void> {
  // A damaged identity is one, too.
  const existing = await loadIdentity(disk).catch(() => ({ name: 'unknown' }));
  if (existing === undefined) return;
  throw new Error(`this machine is node ${existing.name} already; --force joins it anew`);
}

/** The CA certificate that the hash names, as PEM, from what dom presents. */
async function pinnedCa(
  { address, caHash, signal }: JoinOptions & { readonly signal: AbortSignal },
  enrolment: Enrolment,
): Promise<string> {
  const chain = await enrolment.presentedChain(address, signal);
  const ca = chain.find((der) => hashOf(der) === caHash);
  if (ca !== undefined) return encodePem('CERTIFICATE', ca);
  const presented = chain.at(-1);
  const instead = presented === undefined ? 'no certificate' : hashOf(presented);
  throw new Error(
    `the CA at ${address} does not match --ca: it has ${instead}; use the command that b8sctl node token create prints`,
  );
}

function hashOf(der: Uint8Array): string {
  return `sha256:${createHash('sha256').update(der).digest('hex')}`;
}
