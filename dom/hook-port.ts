import { objectNameProblem } from '../api/names.ts';
import { HOOKS_PATH } from '../api/repository.ts';
import type { PlainHandler, PlainRequest, PlainResponse } from '../runtime/node/plain-http.ts';
import type { HookDesk, HookOutcome } from './hooks/desk.ts';

/** Of one call. GitHub names up to 2,048 commits, a host that names more is answered by 413. */
export const HOOK_BYTES_MAX = 512 * 1024;
const BODY_TIMEOUT_MS = 10_000;
/** Bodies in memory at once, of calls that nobody has verified yet. */
const CALLS_MAX = 64;

/**
 * `POST /hooks/<namespace>/<name>` for Git hosts, which show no certificate. What is unknown and what
 * is signed wrongly are answered alike; all else is for `otherwise`.
 */
export function withHooks(desk: Pick<HookDesk, 'take'>, otherwise: PlainHandler): PlainHandler {
  let calls = 0;
  return async (request) => {
    const name = nameIn(request.path);
    if (name === undefined) return otherwise(request);
    if (calls >= CALLS_MAX) return text(503, 'too many calls at once', { 'retry-after': '10' });
    calls += 1;
    try {
      return await answer(desk, name, request);
    } finally {
      calls -= 1;
    }
  };
}

async function answer(
  desk: Pick<HookDesk, 'take'>,
  name: Parameters<HookDesk['take']>[0],
  request: PlainRequest,
): Promise<PlainResponse> {
  if (request.method !== 'POST') return text(405, 'only POST is taken here', { allow: 'POST' });
  if (!/^application\/json\s*(?:;|$)/i.test(request.header('content-type') ?? ''))
    return text(415, 'choose application/json as the content type of the webhook');
  const body = await request.body({ bytesMax: HOOK_BYTES_MAX, timeoutMs: BODY_TIMEOUT_MS });
  if (body === 'too large')
    return text(413, `more than ${HOOK_BYTES_MAX} bytes; the push is found by the next look`);
  if (body === 'cut') return text(400, 'the body is not whole');
  try {
    return said(await desk.take(name, { header: (each) => request.header(each), body }));
  } catch {
    return text(503, 'the store of dom is away', { 'retry-after': '10' });
  }
}

function said(outcome: HookOutcome): PlainResponse {
  switch (outcome.kind) {
    case 'asked':
      return outcome.inMs <= 0
        ? text(202, 'dom looks')
        : text(202, `dom looks in ${Math.ceil(outcome.inMs / 1000)} s`);
    case 'idle':
      return text(200, outcome.why);
    case 'unreadable':
      return text(400, 'the body is not a push as JSON');
    case 'refused':
      return text(401, 'this is no webhook of a Repository, or not signed with its secret');
  }
}

function nameIn(path: string): { readonly namespace: string; readonly name: string } | undefined {
  if (!path.startsWith(HOOKS_PATH)) return undefined;
  const [namespace = '', name = '', ...more] = path.slice(HOOKS_PATH.length).split('/');
  const isName = [namespace, name].every((each) => objectNameProblem(each) === undefined);
  return isName && more.length === 0 ? { namespace, name } : undefined;
}

function text(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): PlainResponse {
  return { status, contentType: 'text/plain; charset=utf-8', headers, body: `${body}\n` };
}
