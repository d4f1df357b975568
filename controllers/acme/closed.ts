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
 * CA says `unauthorized` then (RFC 8555 §7.3.6), as it does of names that are not proven: so it is
 * asked about the account itself.
 */
export async function troubleAsking(
  asking: Asking,
  error: unknown,
  phase?: AcmeOrderRecord['phase'],
): Promise<Trouble | undefined> {
  const trouble = troubleOf(error, phase);
  if (!isUnauthorized(error)) return trouble;
  try {
    const why = await whyClosed(asking);
    if (why === undefined) return trouble;
    const message = cut(`the CA has closed the account: ${why}`);
    const accountUrl = asking.account.url;
    const kind = { kind: 'closed', reason: 'accountClosed' } as const;
    return { ...kind, message, retryAfterMs: undefined, accountUrl };
  } catch (unreachable) {
    return troubleOf(unreachable);
  }
}

/** What the CA says of a closed account; undefined: it is in use, or unknown. */
async function whyClosed({ ports, account, signal }: Asking): Promise<string | undefined> {
  const { server, keyPem, url } = account;
  const byKey = await refusalOf(ports.acme.findAccount(server, keyPem, signal));
  if (isUnauthorized(byKey)) return byKey.document.detail;
  if (url === undefined) return undefined;
  // Some want to see a binding before they look for a key, others tell of a closed one as of any.
  const byUrl = await refusalOf(ports.acme.listOrders({ server, keyPem, url }, signal));
  return isUnauthorized(byUrl) ? byUrl.document.detail : undefined;
}

/** What the CA refused it with; undefined: it did not. */
async function refusalOf(question: Promise<unknown>): Promise<AcmeProblem | undefined> {
  try {
    await question;
    return undefined;
  } catch (error) {
    if (error instanceof AcmeProblem) return error;
    throw error;
  }
}

function isUnauthorized(error: unknown): error is AcmeProblem {
  return error instanceof AcmeProblem && error.document.type === 'unauthorized';
}
