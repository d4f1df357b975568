import type { Clock } from '../runtime/clock.ts';
import { COOKIE_CONTEXT, COOKIE_SECRET_BYTES } from '../runtime/dns/cookie.ts';
import type { Random } from '../runtime/random.ts';
import type { CookieSecretRecord, DnsCookieRecord } from '../runtime/store/records.ts';
import type { World } from '../runtime/store/world.ts';
import type { Author, WriteOutcome, Writer } from '../runtime/store/writer.ts';
import type { Sealer } from '../runtime/tls/authority.ts';

export interface CookieSecretPorts {
  readonly world: World;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly random: Random;
  readonly sealer: Sealer;
}

/** RFC 7873 §7.1: not for more than 26 hours. */
export const COOKIE_SECRET_MS = 24 * 3600 * 1000;

const AUTHOR: Author = { manager: 'dom', user: 'dom', command: 'cookie secrets' };

/** Makes the secrets of server cookies, and changes the one in use once it is a day old. */
export async function keepCookieSecrets(ports: CookieSecretPorts): Promise<WriteOutcome> {
  const { world, writer, clock } = ports;
  const stored = world.record('dnsCookie', 'current');
  const make = (): CookieSecretRecord => makeSecret(ports);
  const value = nextSecrets(stored?.value, { nowMs: clock.nowMs(), make });
  if (value === undefined) return { outcome: 'unchanged' };
  const modRevision = stored?.modRevision ?? 0n;
  return writer.commit(
    [{ kind: 'record', record: 'dnsCookie', id: 'current', value, modRevision }],
    AUTHOR,
  );
}

/**
 * Undefined: those that are there stay. The one that takes over has been known to every nameserver
 * for a day, so that no cookie is made that another one does not know (RFC 9018 §5).
 */
export function nextSecrets(
  current: DnsCookieRecord | undefined,
  { nowMs, make }: { readonly nowMs: number; readonly make: () => CookieSecretRecord },
): DnsCookieRecord | undefined {
  if (current === undefined) return { sinceMs: nowMs, active: make(), next: make() };
  if (nowMs - current.sinceMs < COOKIE_SECRET_MS) return undefined;
  const { active, next } = current;
  return { sinceMs: nowMs, active: next, next: make(), previous: active };
}

function makeSecret({ random, sealer }: CookieSecretPorts): CookieSecretRecord {
  const secret = Buffer.from(random.bytes(COOKIE_SECRET_BYTES)).toString('base64');
  return { sealedKey: sealer.seal(secret, COOKIE_CONTEXT) };
}
