import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Disk } from '../../runtime/disk/disk.ts';
import type { NodeCredentials } from '../../runtime/session/enrolment.ts';

/** Who this machine is. */
export interface NodeIdentity extends NodeCredentials {
  readonly name: string;
  readonly uid: string;
}

const KEY = 'key.pem';
/** A renewed key, until the certificate for it is in place. */
const NEXT_KEY = 'key-next.pem';
const CERTIFICATE = 'cert.pem';
const CA = 'ca.pem';
/** Written last: where it is, the identity is complete. */
const NODE = 'node.json';

/** Undefined: this machine has not joined. Throws when its files do not fit together. */
export async function loadIdentity(disk: Disk): Promise<NodeIdentity | undefined> {
  const node = await readText(disk, NODE);
  if (node === undefined) return undefined;
  const certificatePem = (await readText(disk, CERTIFICATE)) ?? '';
  const caPem = (await readText(disk, CA)) ?? '';
  const keyPem = await loadKey(disk, certificatePem);
  return { ...parseNode(node), certificatePem, caPem, keyPem };
}

/** Keeps the identity of a node that joined. */
export async function saveIdentity(disk: Disk, identity: NodeIdentity): Promise<void> {
  // An old identity must not be taken for complete while its files are replaced.
  await disk.remove(NODE);
  await disk.write(KEY, Buffer.from(identity.keyPem));
  await disk.write(CERTIFICATE, Buffer.from(identity.certificatePem));
  await disk.write(CA, Buffer.from(identity.caPem));
  const { name, uid, domAddresses } = identity;
  await disk.write(NODE, Buffer.from(`${JSON.stringify({ name, uid, domAddresses }, null, 2)}\n`));
}

/** Replaces key and certificate: after a crash at any moment one pair or the other is loaded. */
export async function replaceCertificate(
  disk: Disk,
  { before, after }: { readonly before: NodeIdentity; readonly after: NodeIdentity },
): Promise<void> {
  // An interrupted renewal may have left the key in use under the name that is needed next.
  await disk.write(KEY, Buffer.from(before.keyPem));
  await disk.write(NEXT_KEY, Buffer.from(after.keyPem));
  await disk.write(CA, Buffer.from(after.caPem));
  await disk.write(CERTIFICATE, Buffer.from(after.certificatePem));
  await disk.rename(NEXT_KEY, KEY);
}

/** Whether the key is the one that the (first) certificate is for; false also for what is neither. */
export function isKeyOf(keyPem: string, certificatePem: string): boolean {
  try {
    return new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return false;
  }
}

/** The key that the certificate is for: a renewal may have been interrupted. */
async function loadKey(disk: Disk, certificatePem: string): Promise<string> {
  const key = await readText(disk, KEY);
  if (key !== undefined && isKeyOf(key, certificatePem)) return key;
  const next = await readText(disk, NEXT_KEY);
  if (next !== undefined && isKeyOf(next, certificatePem)) return next;
  throw new Error(`${CERTIFICATE} and ${KEY} do not belong together: join again with --force`);
}

function parseNode(text: string): Pick<NodeIdentity, 'name' | 'uid' | 'domAddresses'> {
  const parsed = parseJson(text) as {
    readonly name?: unknown;
    readonly uid?: unknown;
    readonly domAddresses?: unknown;
  } | null;
  const { name, uid, domAddresses } = parsed ?? {};
  const addressed =
    Array.isArray(domAddresses) && domAddresses.every((each) => typeof each === 'string');
  if (typeof name !== 'string' || typeof uid !== 'string' || !addressed) {
    throw new Error(`${NODE} is damaged: join again with --force`);
  }
  return { name, uid, domAddresses };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function readText(disk: Disk, path: string): Promise<string | undefined> {
  const bytes = await disk.read(path);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}
