import type { CDPSession } from 'playwright-core';
import { until } from './processes.ts';

/** One answer, as the browser's own record of its network has it. */
export interface Answer {
  readonly url: string;
  /** What was said on the wire: 304 for what was then shown from the cache. */
  readonly status: number;
  /** `h2`, `http/1.1`. */
  readonly protocol: string;
  readonly from: 'network' | 'cache';
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Head and body as they came, compressed; 0 until all of it is there. */
  readonly wireBytes: number;
}

/** What a page asks for, and what it is answered. */
export interface Network {
  /** The answers to what was asked for meanwhile, in that order, once all of them have come. */
  during(act: () => Promise<unknown>): Promise<readonly Answer[]>;
}

/** Chromium asks for it when it likes to. */
const ICON = /\/favicon\.ico$|\.svg$/u;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const TIMEOUT_MS = 20_000;

/** Listens to the DevTools protocol's domain "Network". */
export async function watchNetwork(session: CDPSession): Promise<Network> {
  let calls: Call[] = [];
  /** By request: they come from another process than the rest, and sometimes first. */
  const raws = new Map<string, Raw>();
  const latest = (id: string): Call | undefined => calls.findLast((call) => call.id === id);
  session.on('Network.requestWillBeSent', ({ requestId, request, redirectResponse }) => {
    // The next step of a redirect has the name of the one before.
    if (redirectResponse !== undefined) latest(requestId)?.redirected(redirectResponse);
    if (!ICON.test(request.url)) calls.push(new Call(requestId, request.url, raws.get(requestId)));
  });
  session.on('Network.responseReceived', ({ requestId, response, hasExtraInfo }) =>
    latest(requestId)?.answered(response, { isRawToCome: hasExtraInfo }),
  );
  session.on('Network.responseReceivedExtraInfo', ({ requestId, statusCode, headers }) => {
    // Of a redirect it may come when the next step has begun already.
    if (REDIRECTS.has(statusCode)) return;
    const raw = { status: statusCode, headers };
    raws.set(requestId, raw);
    latest(requestId)?.came(raw);
  });
  session.on('Network.requestServedFromCache', ({ requestId }) => latest(requestId)?.cached());
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) =>
    latest(requestId)?.ended(encodedDataLength),
  );
  session.on('Network.loadingFailed', ({ requestId }) => latest(requestId)?.ended(0));
  await session.send('Network.enable');
  return {
    async during(act) {
      calls = [];
      await act();
      const mine = calls;
      const open = () => mine.filter((call) => !call.isDone);
      const isDone = async () => open().length === 0;
      const wait = { timeoutMs: TIMEOUT_MS, everyMs: 10 };
      await until('the page has all it asked for', isDone, wait).catch((cause: unknown) => {
        const urls = open().map(({ url }) => url);
        throw new Error(`no end of ${urls.join(', ')}`, { cause });
      });
      return mine.flatMap((call) => call.answer ?? []);
    },
  };
}

/** The first one for this path that leads nowhere else. */
export function answerTo(answers: readonly Answer[], path: string): Answer {
  const found = answers.find(
    ({ url, status }) => new URL(url).pathname === path && !REDIRECTS.has(status),
  );
  if (found === undefined) throw new Error(`nobody asked for ${path}`);
  return found;
}

interface Said {
  readonly url: string;
  readonly status: number;
  readonly protocol?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fromDiskCache?: boolean;
}

/** The answer as it was on the wire, which a 304 is not shown as. */
type Raw = Pick<Said, 'status' | 'headers'>;

class Call {
  readonly id: string;
  readonly url: string;
  #said: Said | undefined;
  #raw: Raw | undefined;
  #isRawToCome = false;
  #isCached = false;
  #isRedirect = false;
  #endedBytes: number | undefined;

  constructor(id: string, url: string, raw: Raw | undefined) {
    this.id = id;
    this.url = url;
    this.#raw = raw;
  }

  redirected(said: Said): void {
    this.#said = said;
    this.#isRedirect = true;
  }

  answered(said: Said, { isRawToCome }: { readonly isRawToCome: boolean }): void {
    this.#said = said;
    this.#isRawToCome = isRawToCome;
  }

  came(raw: Raw): void {
    this.#raw = raw;
  }

  cached(): void {
    this.#isCached = true;
  }

  ended(wireBytes: number): void {
    this.#endedBytes = wireBytes;
  }

  get #isFromCache(): boolean {
    return this.#isCached || this.#said?.fromDiskCache === true;
  }

  get isDone(): boolean {
    if (this.#isRedirect) return true;
    const isWhole = !this.#isRawToCome || this.#raw !== undefined || this.#isFromCache;
    return this.#endedBytes !== undefined && isWhole;
  }

  /** Undefined: nothing came, because the browser refused to ask or to read. */
  get answer(): Answer | undefined {
    const said = this.#said;
    if (said === undefined) return undefined;
    const { status, headers } = this.#isRedirect ? said : (this.#raw ?? said);
    const names = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
    return {
      url: said.url,
      status,
      protocol: said.protocol ?? '',
      from: this.#isFromCache ? 'cache' : 'network',
      headers: Object.fromEntries(names) as Record<string, string>,
      wireBytes: this.#endedBytes ?? 0,
    };
  }
}
