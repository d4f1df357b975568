import { type AcmeAccount, AcmeProblem } from '../../runtime/acme/acme.ts';
import type { AcmeOrderRecord } from '../../runtime/acme/records.ts';
import type { AcmePorts } from './ports.ts';
import { cut, type Trouble, troubleOf } from './trouble.ts';

/** Who asked. */
export interface Asking {
  readonly ports: Pick<AcmePorts, 'acme'>;
  /** `url` undefined: an account was looked for, or asked for, by its key. */
  readonly account: Pick<AcmeAccount, 'server' | 'keyPem'> & { readonly url?: string | undefined };
  readonly signal: AbortSignal;
}

/**
 * What went wrong, as `troubleOf` has it; but where the CA has closed the account, it is that. The
 * CA says `unauthorized` then (RFC 8555 §7.3.6), as it does of names that are not proven; whoever
 * looks for a closed account by its key hears it, too.
 */
export async function troubleAsking(
  asking: Asking,
  error: unknown,
  phase?: AcmeOrderRecord['phase'],
): Promise<Trouble | undefined> {
  const trouble = troubleOf(error, phase);
  if (!isUnauthorized(error)) return trouble;
  const { ports, account, signal } = asking;
  try {
    await ports.acme.findAccount(account.server, account.keyPem, signal);
    return trouble;
  } catch (found) {
    if (!isUnauthorized(found)) return found instanceof AcmeProblem ? trouble : troubleOf(found);
    const message = cut(`the CA has closed the account: ${found.document.detail}`);
    const accountUrl = account.url;
    return {
      kind: 'closed',
      reason: 'accountClosed',
      message,
      retryAfterMs: undefined,
      accountUrl,
    };
  }
}

function isUnauthorized(error: unknown): error is AcmeProblem {
  return error instanceof AcmeProblem && error.document.type === 'unauthorized';
}
