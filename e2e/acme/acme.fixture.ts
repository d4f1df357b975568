import { connect, type DetailedPeerCertificate } from 'node:tls';
import type { NodeOptions } from '../support/cluster.ts';
import type { Pebble } from '../support/pebble.ts';
import { until } from '../support/processes.ts';
import type { Scene } from '../support/scene.ts';

export const CHALLENGES = ['dns-01', 'http-01', 'tls-alpn-01'] as const;

/** An Issuer that asks this Pebble; its names are of no public DNS, so nothing is looked at before. */
export function issuerYaml(
  name: string,
  pebble: Pebble,
  more: Readonly<Record<string, unknown>> = {},
): string {
  const { keyId } = pebble.externalAccount ?? {};
  const acme = {
    directory: pebble.directory,
    caBundle: pebble.caPem,
    termsOfServiceAgreed: true,
    selfCheck: 'none',
    ...(keyId !== undefined && { externalAccount: { keyId, secret: 'default/eab' } }),
    ...more,
  };
  return manifest('Issuer', name, { acme });
}

/** The Secret that `issuerYaml` names where accounts must be bound. */
export function bindingYaml({ externalAccount }: Pebble): string {
  return manifest('Secret', 'eab', { data: { 'mac-key': externalAccount?.macKey ?? 'none' } });
}

/** JSON is YAML. */
export function manifest(kind: string, name: string, spec: unknown): string {
  return `${JSON.stringify({ apiVersion: 'b8s.dev/v1', kind, metadata: { name }, spec })}\n`;
}

export async function apply({ cluster }: Scene, ...manifests: readonly string[]): Promise<void> {
  await cluster.b8sctlOk(['apply', '-f', '-'], { input: manifests.join('---\n') });
}

/** What `get` says of an object. */
export async function read<Spec = Record<string, unknown>>(
  { cluster }: Scene,
  kind: string,
  name: string,
): Promise<{ readonly spec: Spec; readonly status?: Status }> {
  return JSON.parse(await cluster.b8sctlOk(['get', kind, name, '-o', 'json'])) as {
    spec: Spec;
    status?: Status;
  };
}

export interface Status {
  readonly fingerprint?: string;
  readonly serialNumber?: string;
  readonly lastError?: string;
  readonly tries?: readonly {
    readonly issuer: string;
    readonly outcome: string;
    readonly detail: string;
    readonly order?: string;
  }[];
  /** Of an Issuer. */
  readonly account?: { readonly url?: string; readonly keyTime: string };
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  }[];
}

/** Waits for Ready; if that takes too long, says what each is waiting for. */
export async function ready(
  { cluster }: Scene,
  names: readonly string[],
  timeoutS = 90,
): Promise<void> {
  const what = names.map((name) => `certificate/${name}`);
  const args = ['wait', ...what, '--for=condition=Ready', '--timeout', `${timeoutS}s`];
  const { exitCode } = await cluster.b8sctl(args, { timeoutMs: (timeoutS + 10) * 1000 });
  if (exitCode === 0) return;
  throw new Error(await cluster.b8sctlOk(['describe', 'certificates']));
}

/** The certificate that a node shows for a name, its chain verified up to one of these roots. */
export function shownBy(
  node: NodeOptions,
  { name, ca }: { readonly name: string; readonly ca: readonly string[] },
): Promise<DetailedPeerCertificate> {
  return new Promise((resolve, reject) => {
    const where = { host: node.address, port: node.httpsPort, servername: name, ca: [...ca] };
    const socket = connect(where, () => {
      resolve(socket.getPeerCertificate(true));
      socket.destroy();
    });
    socket.setTimeout(5_000, () => socket.destroy(new Error('no handshake in time')));
    socket.on('error', reject);
  });
}

/** Waits until all nodes show the certificate that the status tells of; gives its fingerprint. */
export async function shownByAll(
  scene: Scene,
  certificate: string,
  shown: { readonly name: string; readonly ca: readonly string[] },
): Promise<string> {
  return await until(
    `every node shows the certificate of ${shown.name}`,
    async () => {
      // Anew each time: a renewal may come between.
      const { fingerprint } = (await read(scene, 'certificate', certificate)).status ?? {};
      const all = await Promise.all(scene.nodes.map((node) => shownBy(node, shown)));
      const isSo = all.every((each) => plainHex(each.fingerprint256) === fingerprint);
      return isSo && fingerprint;
    },
    { timeoutMs: 30_000 },
  );
}

function plainHex(text: string): string {
  return text.replaceAll(':', '').toLowerCase();
}
