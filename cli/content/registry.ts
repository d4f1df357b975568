import { createHash } from 'node:crypto';
import type { Fetched } from '../../runtime/fetcher.ts';
import { CommandError, type RegistryPorts } from '../cli.ts';

/** An image by its name: `oci://registry/name:tag` or `…@sha256:digest`. */
export interface ImageName {
  /** As it was given. */
  readonly text: string;
  /** "host" or "host:port". */
  readonly registry: string;
  readonly repository: string;
  /** A tag, or "sha256:" and 64 hex digits. */
  readonly reference: string;
}

const REDIRECTS_MAX = 5;
/** Of manifests and of answers about tokens (OCI Distribution 1.1 asks for 4 MiB). */
const DOCUMENT_BYTES_MAX = 4 * 1024 * 1024;

/** As OCI Distribution 1.1 §"Pulling manifests" has names and tags. */
const NAME =
  /^oci:\/\/(?<registry>[A-Za-z0-9.-]+(?::\d{1,5})?|\[[0-9a-f:]+\](?::\d{1,5})?)\/(?<repository>[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/u;

/** Throws a CommandError for what is no name of an image. */
export function parseImageName(text: string): ImageName {
  const { registry, repository, tag = 'latest', digest } = NAME.exec(text)?.groups ?? {};
  if (registry === undefined || repository === undefined) {
    const example = 'oci://registry.example.com/blog:v7';
    throw new CommandError(`error: "${text}" is no image; it is called like ${example}`);
  }
  return { text, registry, repository, reference: digest ?? tag };
}

/**
 * Reads from a registry (OCI Distribution 1.1, Docker Registry HTTP API V2).
 *
 * Guarantees: what was asked for by digest has that digest, or reading it throws at its end. A
 * password goes to the registry and to where it asks for tokens, never where it redirects to; and
 * never in the clear but to this machine.
 * Errors: CommandError naming the image.
 */
export class Registry {
  readonly #ports: RegistryPorts;
  readonly #image: ImageName;
  #authorization: string | undefined;

  constructor(image: ImageName, ports: RegistryPorts) {
    this.#image = image;
    this.#ports = ports;
  }

  async manifest(reference: string, accept: string, signal: AbortSignal): Promise<unknown> {
    const found = await this.#get(`manifests/${reference}`, { accept, signal });
    const bytes = await this.#document(found);
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    if (reference.startsWith('sha256:') && digest !== reference)
      throw this.#error(`the manifest ${reference} is ${digest}`);
    return this.#json(bytes);
  }

  async *blob(
    { digest, sizeBytes }: { readonly digest: string; readonly sizeBytes: number },
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const { chunks } = await this.#get(`blobs/${digest}`, { accept: '*/*', signal });
    const hash = createHash('sha256');
    let readBytes = 0;
    for await (const chunk of chunks) {
      readBytes += chunk.byteLength;
      if (readBytes > sizeBytes)
        throw this.#error(`the layer ${digest} is over ${sizeBytes} bytes`);
      hash.update(chunk);
      yield chunk;
    }
    if (`sha256:${hash.digest('hex')}` !== digest)
      throw this.#error(`the layer ${digest} came damaged; try again`);
  }

  async #get(
    path: string,
    { accept, signal }: { readonly accept: string; readonly signal: AbortSignal },
  ): Promise<Fetched> {
    const url = `${originOf(this.#image.registry)}/v2/${this.#image.repository}/${path}`;
    let found = await this.#ask(url, { accept, signal });
    if (found.status === 401 && this.#authorization === undefined) {
      this.#authorization = await this.#authorize(found, signal);
      found = await this.#ask(url, { accept, signal });
    }
    if (found.status === 200) return found;
    if (found.status === 404) throw this.#error('the registry does not have it');
    if (found.status === 401 || found.status === 403)
      throw this.#error('the registry lets nobody read it; log in with docker login');
    throw this.#error(`the registry answered ${found.status}`);
  }

  /** Follows redirects, to which no password goes. */
  async #ask(
    first: string,
    { accept, signal }: { readonly accept: string; readonly signal: AbortSignal },
  ): Promise<Fetched> {
    let url = first;
    for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
      const isOwn = new URL(url).origin === new URL(first).origin;
      const known = isOwn ? this.#authorization : undefined;
      const headers = { accept, ...(known !== undefined && { authorization: known }) };
      const found = await this.#ports.fetcher.get(url, { headers, signal });
      const location = found.header('location');
      if (found.status < 300 || found.status > 399 || location === undefined) return found;
      url = this.#safe(location, url);
    }
    throw this.#error(`the registry redirects more than ${REDIRECTS_MAX} times`);
  }

  /** RFC 6750 §3 with Docker's token endpoint, or RFC 7617. */
  async #authorize(refused: Fetched, signal: AbortSignal): Promise<string> {
    const challenge = refused.header('www-authenticate') ?? '';
    const basic = await this.#ports.credentials(this.#image.registry);
    const own = basic === undefined ? undefined : `Basic ${basic}`;
    if (!/^bearer /iu.test(challenge)) {
      if (own !== undefined) return own;
      throw this.#error('the registry lets nobody read it; log in with docker login');
    }
    const { realm, ...query } = Object.fromEntries(
      [...challenge.matchAll(/(\w+)="([^"]*)"/gu)].map(([, key, value]) => [key, value]),
    );
    if (realm === undefined) throw this.#error('the registry names no place to get a token');
    const url = new URL(this.#safe(realm, originOf(this.#image.registry)));
    url.searchParams.set('scope', `repository:${this.#image.repository}:pull`);
    if (query['service'] !== undefined) url.searchParams.set('service', query['service']);
    const headers = own === undefined ? {} : { authorization: own };
    const found = await this.#ports.fetcher.get(url.href, { headers, signal });
    if (found.status !== 200) throw this.#error(`${url.host} gives no token (${found.status})`);
    const answer = this.#json(await this.#document(found));
    const { token, access_token: other } = answer as { token?: unknown; access_token?: unknown };
    if (typeof token === 'string') return `Bearer ${token}`;
    if (typeof other === 'string') return `Bearer ${other}`;
    throw this.#error(`${url.host} gives no token`);
  }

  async #document({ chunks }: Fetched): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const chunk of chunks) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > DOCUMENT_BYTES_MAX)
        throw this.#error(`an answer is over ${DOCUMENT_BYTES_MAX} bytes`);
      parts.push(chunk);
    }
    return Buffer.concat(parts);
  }

  #json(bytes: Buffer): unknown {
    try {
      const value: unknown = JSON.parse(bytes.toString());
      if (typeof value === 'object' && value !== null) return value;
    } catch {
      // It is said below.
    }
    throw this.#error('an answer is no JSON object');
  }

  /** A URL that the registry names. In the clear only on this machine. */
  #safe(location: string, base: string): string {
    const url = URL.canParse(location, base) ? new URL(location, base) : undefined;
    if (url?.protocol === 'https:') return url.href;
    if (url?.protocol === 'http:' && isLoopback(url.hostname)) return url.href;
    throw this.#error('the registry sends us to an address that is not https');
  }

  #error(why: string): CommandError {
    return new CommandError(`error: "${this.#image.text}" cannot be published: ${why}`);
  }
}

function originOf(registry: string): string {
  // Docker Hub's own name is not where its registry is.
  if (registry === 'docker.io') return 'https://registry-1.docker.io';
  const host = registry.replace(/:\d+$/u, '');
  return `${isLoopback(host) ? 'http' : 'https'}://${registry}`;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/u.test(host);
}
