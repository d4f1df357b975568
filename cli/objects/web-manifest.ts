import { formatBytes } from '../../api/column.ts';
import type { Fetched } from '../../runtime/fetcher.ts';
import { type Cli, CommandError } from '../cli.ts';

const REDIRECTS_MAX = 5;
/** Manifests are short; what is longer is something else. */
const BYTES_MAX = 4 * 1024 * 1024;

/** Whether what `-f` names is to be asked for over the web. */
export function isWebAddress(source: string): boolean {
  return /^https?:\/\//iu.test(source);
}

/**
 * The text at a URL: by https, in the clear only from this machine, also where it redirects to.
 *
 * Guarantees: at most 4 MiB and five redirects; it takes no longer than `--request-timeout`.
 * Errors: CommandError naming the URL and, where it was redirected, the last one.
 */
export async function readWebManifest(cli: Cli, first: string): Promise<string> {
  const over = new AbortController();
  const signal = AbortSignal.any([cli.signal, over.signal]);
  const { requestTimeoutMs } = cli.settings();
  const late = () => over.abort(new Error(`no whole answer within ${requestTimeoutMs / 1000} s`));
  if (requestTimeoutMs > 0)
    void cli.clock.sleep(requestTimeoutMs, signal).then(late, () => undefined);
  try {
    return await read(cli, first, signal);
  } catch (error) {
    cli.signal.throwIfAborted();
    const why = over.signal.aborted ? over.signal.reason : error;
    const text = why instanceof Error ? why.message : String(why);
    throw new CommandError(`error: read ${first}: ${text}`, { cause: error });
  } finally {
    over.abort(new Error('finished'));
  }
}

async function read(cli: Cli, first: string, signal: AbortSignal): Promise<string> {
  const fetcher = await cli.web();
  const headers = { accept: 'application/yaml, text/plain, */*' };
  let url = safe(first, first);
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
    const found = await fetcher.get(url, { headers, signal });
    const location = found.header('location');
    if (found.status >= 300 && found.status <= 399 && location !== undefined) {
      url = safe(location, url);
      continue;
    }
    const place = url === first ? '' : ` (at ${url})`;
    if (found.status === 200) return await textOf(found);
    throw new Error(`the server answered ${found.status}${place}`);
  }
  throw new Error(`it redirects more than ${REDIRECTS_MAX} times`);
}

/** RFC 9110 §15.4: a redirect may be relative to where it comes from. */
function safe(location: string, base: string): string {
  const url = URL.canParse(location, base) ? new URL(location, base) : undefined;
  if (url === undefined) throw new Error(`"${location}" is no URL`);
  if (url.username !== '' || url.password !== '')
    throw new Error('a password in a URL ends up in logs: leave it out');
  if (url.protocol === 'https:') return url.href;
  if (url.protocol === 'http:' && isThisMachine(url.hostname)) return url.href;
  throw new Error(`${url.href} is not https: whoever is in between could change what is applied`);
}

function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d+){3}$/u.test(hostname);
}

async function textOf({ chunks }: Fetched): Promise<string> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > BYTES_MAX) throw new Error(`it is over ${formatBytes(BYTES_MAX)}: no manifest`);
    parts.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts));
  } catch (cause) {
    throw new Error('it is not UTF-8 text: no manifest', { cause });
  }
}
