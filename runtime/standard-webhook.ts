import { createHmac } from 'node:crypto';

/** What is signed, but for the body. */
export interface WebhookStamp {
  readonly id: string;
  /** Seconds since 1970. */
  readonly time: string;
}

/**
 * The signature of Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks), as
 * its header has it: `v1,<base64>`. A secret that begins with `whsec_` is a key in base64; else its
 * text is the key.
 */
export function standardSignature(
  secret: string,
  { id, time }: WebhookStamp,
  body: string | Uint8Array,
): string {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : secret;
  const hmac = createHmac('sha256', key).update(`${id}.${time}.`).update(body);
  return `v1,${hmac.digest('base64')}`;
}
