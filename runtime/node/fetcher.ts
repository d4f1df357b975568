import type { Fetcher } from '../fetcher.ts';

/** Node's own client. */
export const nodeFetcher: Fetcher = {
  async get(url, { headers, signal }) {
    const response = await fetch(url, { headers, signal, redirect: 'manual' }).catch(
      (cause: unknown) => {
        signal.throwIfAborted();
        throw new Error(`ask ${new URL(url).host}: ${reasonOf(cause)}`, { cause });
      },
    );
    return {
      status: response.status,
      header: (name) => response.headers.get(name) ?? undefined,
      chunks: response.body ?? none(),
    };
  },
};

/** Undici says "fetch failed", and why in the cause. */
function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return inner instanceof Error ? inner.message : String(inner);
}

async function* none(): AsyncGenerator<Uint8Array> {}
