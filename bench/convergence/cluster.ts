import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../e2e/support/ports.ts';
import { program, until } from '../../e2e/support/processes.ts';
import type { Api } from '../../runtime/api-client.ts';
import { connectionOf, parseConfig } from '../../runtime/client-config.ts';
import { digestOf } from '../../runtime/content/digest.ts';
import { encodeManifest } from '../../runtime/content/manifest.ts';
import { grpcApi } from '../../runtime/node/grpc/api.ts';
import { grpcEnrolment } from '../../runtime/node/grpc/enrolment.ts';
import { nodeKeyMaker } from '../../runtime/node/tls/key-maker.ts';
import type { NodeCredentials } from '../../runtime/session/enrolment.ts';

const BIN = join(import.meta.dirname, '../../bin');
const JOINS_MAX = 8;
/** Every node is an edge, the first ones nameservers too: a zone with a thousand NS is no zone. */
const NAMESERVERS_MAX = 10;
const REQUEST_TIMEOUT_MS = 30_000;
const MANAGER = 'bench';

/** One real dom, with its store and its keys in a folder of its own. */
export interface RealDom {
  readonly pid: number;
  readonly api: Api;
  /** Makes nodes the way machines become some: a token each, a key, a certificate. */
  join(names: readonly string[]): Promise<ReadonlyMap<string, NodeCredentials>>;
  /** A zone, and a site under it with a release of one page. */
  declareSite(): Promise<void>;
  /** Declares the site with another TTL. Resolves with its generation once dom has answered. */
  changeSite(ttl: number): Promise<bigint>;
  stop(): Promise<void>;
}

export async function startDom(): Promise<RealDom> {
  const folder = await mkdtemp(join(tmpdir(), 'b8s-bench-'));
  const [port = 0] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const dom = program({
    name: 'dom',
    command: join(BIN, 'dom'),
    args: ['run', '--state', folder, '--listen', address, '--no-geo'],
    logFile: join(folder, 'dom.log'),
  });
  dom.start();
  const api = await until('dom answers', () => connect(folder), { timeoutMs: 30_000 });
  let release = '';

  async function changeSite(ttl: number): Promise<bigint> {
    const spec = { hosts: ['www.bench.test'], content: { release }, ttl };
    const { object } = await apply(api, { kind: 'Site', name: 'www', spec });
    return BigInt(object.metadata.generation);
  }

  return {
    pid: dom.pid ?? 0,
    api,
    join: (names) => joinAll(api, { names, address, caFile: join(folder, 'ca.pem') }),
    async declareSite() {
      release = await publish(api);
      await apply(api, { kind: 'Zone', name: 'bench-test', spec: { origin: 'bench.test' } });
      await changeSite(60);
    },
    changeSite,
    async stop() {
      api.close();
      await dom.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function connect(folder: string): Promise<Api> {
  const config = parseConfig(await readFile(join(folder, 'config'), 'utf8'));
  const options = { requestTimeoutMs: REQUEST_TIMEOUT_MS, command: 'bench' };
  const api = grpcApi(connectionOf(config, ''), options);
  await api.serverInfo();
  return api;
}

function apply(
  api: Api,
  { kind, name, spec }: { readonly kind: string; readonly name: string; readonly spec: object },
): ReturnType<Api['apply']> {
  const metadata = kind === 'Node' ? { name } : { name, namespace: 'default' };
  const object = { apiVersion: 'b8s.dev/v1', kind, metadata, spec };
  return api.apply(object, { manager: MANAGER });
}

/** A release of one page; returns its name. */
async function publish(api: Api): Promise<string> {
  const page = Buffer.from('<!doctype html><title>bench</title>');
  const file = { path: 'index.html', digest: digestOf(page), sizeBytes: page.length };
  const manifest = encodeManifest([{ ...file, contentType: 'text/html;charset=utf-8' }]);
  for (const bytes of [page, manifest]) {
    const chunks = (async function* () {
      yield bytes;
    })();
    const compression = 'none' as const;
    const blob = { digest: digestOf(bytes), sizeBytes: bytes.length, chunks, compression };
    const blobs = (async function* () {
      yield blob;
    })();
    await api.uploadBlobs(blobs, new AbortController().signal);
  }
  const name = digestOf(manifest);
  const spec = { site: 'www', files: 1, sizeBytes: page.length };
  await apply(api, { kind: 'Release', name, spec });
  return name;
}

async function joinAll(
  api: Api,
  options: {
    readonly names: readonly string[];
    readonly address: string;
    readonly caFile: string;
  },
): Promise<ReadonlyMap<string, NodeCredentials>> {
  const { names, address } = options;
  const caPem = await readFile(options.caFile, 'utf8');
  const joined = new Map<string, NodeCredentials>();
  const waiting = names.entries();
  const joiner = async (): Promise<void> => {
    for (const [index, name] of waiting) {
      const { token } = await api.createToken({ node: '', ttlS: 0 });
      const { keyPem, csr } = await nodeKeyMaker.create(name);
      const specJson = JSON.stringify({
        roles: index < NAMESERVERS_MAX ? ['edge', 'nameserver'] : ['edge'],
        ipv4: [`198.18.${index >> 8}.${index & 255}`],
        location: { latitude: (index % 120) - 60, longitude: (index % 360) - 180 },
      });
      const request = { token, node: name, csr: Buffer.from(csr), specJson, agentVersion: 'bench' };
      const { signal } = new AbortController();
      const { chainPem } = await grpcEnrolment.join({ address, caPem, request, signal });
      joined.set(name, { domAddresses: [address], caPem, keyPem, certificatePem: chainPem });
    }
  };
  await Promise.all(Array.from({ length: JOINS_MAX }, joiner));
  return joined;
}
