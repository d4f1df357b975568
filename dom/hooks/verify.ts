import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { standardSignature } from '../../runtime/standard-webhook.ts';

/** A call as it came, before anything of it is believed. */
export interface HookCall {
  header(name: string): string | undefined;
  readonly body: Uint8Array;
}

/** `delivery`: the same for the same call sent again, and for no other. */
export type HookVerdict =
  | { readonly kind: 'genuine'; readonly delivery: string }
  | { readonly kind: 'refused' };

/** How far the clock of who signs may be off: what Standard Webhooks suggests. */
const SKEW_MS_MAX = 5 * 60_000;

/**
 * Whether whoever sent this knows the secret. The first of the headers that is there decides: one
 * that is wrong is not made good by another.
 *
 * - `X-Hub-Signature-256`, `X-Forgejo-Signature`, `X-Gitea-Signature`: HMAC-SHA256 of the body in
 *   hex (GitHub writes `sha256=` before it). Nothing in it says when.
 * - `webhook-signature` (Standard Webhooks, GitLab's signing token): over id, time and body, and so
 *   good for a few minutes only.
 * - `X-Gitlab-Token`: the secret itself; the body is whatever it is.
 */
export function verifyHook(call: HookCall, secret: string, nowMs: number): HookVerdict {
  const found = SCHEMES.find(({ name }) => call.header(name) !== undefined);
  if (found === undefined) return { kind: 'refused' };
  const shown = call.header(found.name) ?? '';
  const delivery = found.deliveryOf(call, { secret, shown, nowMs });
  return delivery === undefined ? { kind: 'refused' } : { kind: 'genuine', delivery };
}

interface Shown {
  readonly secret: string;
  /** The value of the header. */
  readonly shown: string;
  readonly nowMs: number;
}

interface Scheme {
  readonly name: string;
  /** Undefined: it is not genuine. */
  deliveryOf(call: HookCall, shown: Shown): string | undefined;
}

const SCHEMES: readonly Scheme[] = [
  { name: 'x-hub-signature-256', deliveryOf: (call, how) => signedBody(call, how, 'sha256=') },
  { name: 'x-forgejo-signature', deliveryOf: (call, how) => signedBody(call, how, '') },
  { name: 'x-gitea-signature', deliveryOf: (call, how) => signedBody(call, how, '') },
  { name: 'webhook-signature', deliveryOf: standardWebhook },
  { name: 'x-gitlab-token', deliveryOf: plainToken },
];

/** Ids in headers are not signed, so it is the body that is told again by. */
function signedBody(
  { body }: HookCall,
  { secret, shown }: Shown,
  prefix: string,
): string | undefined {
  const expected = `${prefix}${createHmac('sha256', secret).update(body).digest('hex')}`;
  return isSame(shown, expected) ? `body:${shortHash(body)}` : undefined;
}

/** https://github.com/standard-webhooks/standard-webhooks, "Verifying webhooks". */
function standardWebhook(call: HookCall, { secret, shown, nowMs }: Shown): string | undefined {
  const [id, time] = [call.header('webhook-id') ?? '', call.header('webhook-timestamp') ?? ''];
  const isFresh = /^\d{1,12}$/.test(time) && Math.abs(nowMs - Number(time) * 1000) <= SKEW_MS_MAX;
  const expected = standardSignature(secret, { id, time }, call.body);
  // Several while a key is changed for another; a header has an end, so this has one.
  const matches = shown.split(' ').filter((each) => isSame(each, expected));
  return isFresh && id !== '' && matches.length > 0 ? `id:${shortHash(id)}` : undefined;
}

function plainToken(call: HookCall, { secret, shown }: Shown): string | undefined {
  if (!isSame(shown, secret)) return undefined;
  const id = call.header('idempotency-key') ?? call.header('x-gitlab-event-uuid');
  return id === undefined ? `body:${shortHash(call.body)}` : `id:${shortHash(id)}`;
}

/** In a time that tells nothing, also not of how long they are. */
function isSame(a: string, b: string): boolean {
  return timingSafeEqual(hash(a), hash(b));
}

function hash(bytes: string | Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function shortHash(bytes: string | Uint8Array): string {
  return hash(bytes).toString('base64url').slice(0, 22);
}
