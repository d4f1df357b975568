import type { Certificate } from '../../api/certificate.ts';
import type { CertificateReader } from '../../runtime/acme/acme.ts';
import type { Clock } from '../../runtime/clock.ts';
import { afterWrite, type Outcome } from '../../runtime/control/controller.ts';
import { createSecrets, SecretLostError } from '../../runtime/secret/secrets.ts';
import { qualifiedName } from '../../runtime/store/keys.ts';
import type { MaterialRecord } from '../../runtime/store/records.ts';
import type { World } from '../../runtime/store/world.ts';
import type { Author, Operation, Writer } from '../../runtime/store/writer.ts';
import type { Sealer } from '../../runtime/tls/authority.ts';
import { keptMaterial } from '../../runtime/tls/material-key.ts';
import {
  type Brought,
  broughtStatus,
  CHAIN_KEY,
  PRIVATE_KEY,
  planBrought,
} from './plan-brought.ts';

export interface BroughtPorts {
  readonly world: World;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly certificateReader: CertificateReader;
}

/** Brings a Certificate of a Secret into use, if it is fit to be served. */
export async function reconcileBrought(
  ports: BroughtPorts,
  certificate: Certificate,
  author: Author,
): Promise<Outcome> {
  const { world, writer, clock, sealer, certificateReader } = ports;
  const { uid } = certificate.metadata;
  const stored = world.record('material', uid);
  const found = broughtIn(ports, certificate);
  const brought = found instanceof SecretLostError ? undefined : found;
  const nowMs = clock.nowMs();
  // One whose key nobody can open reaches no node: what was brought is sealed anew.
  const held = keptMaterial(sealer, uid, stored?.value);
  const facts = { certificate, brought: found, material: held };
  const plan = planBrought(facts, certificateReader, nowMs);
  const material: MaterialRecord | undefined =
    plan.kind === 'use' && brought !== undefined
      ? { ...plan.material, sealedKey: sealer.seal(brought.keyPem, uid) }
      : stored?.value;
  const words = plan.kind === 'refuse' ? plan.words : undefined;
  const status = broughtStatus({ certificate, material }, words, nowMs);
  const operations: Operation[] = [{ kind: 'status', base: certificate, status }];
  if (plan.kind === 'use')
    operations.push({
      ...{ kind: 'record', record: 'material', id: uid, value: material },
      modRevision: stored?.modRevision ?? 0n,
    });
  // A new one calls for the name again.
  const recheckInMs = plan.kind === 'use' ? Infinity : plan.recheckInMs;
  return afterWrite(await writer.commit(operations, author), recheckInMs);
}

function broughtIn(
  ports: BroughtPorts,
  { metadata, spec }: Certificate,
): Brought | SecretLostError | undefined {
  const { namespace } = metadata;
  const secret = qualifiedName({ namespace, name: spec.secret ?? '' });
  const secrets = createSecrets(ports);
  try {
    const chainPem = secrets.read(secret, CHAIN_KEY);
    const keyPem = secrets.read(secret, PRIVATE_KEY);
    return chainPem === undefined || keyPem === undefined ? undefined : { chainPem, keyPem };
  } catch (error) {
    if (error instanceof SecretLostError) return error;
    throw error;
  }
}
