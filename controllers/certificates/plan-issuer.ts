import { formatDuration, parseDurationMs } from '../../api/duration.ts';
import type { Issuer, IssuerStatus } from '../../api/issuer.ts';
import type { AcmeAccountRecord } from '../../runtime/acme/records.ts';
import type { ConditionInput } from '../../runtime/control/conditions.ts';
import { termsMessage } from './acme-status.ts';
import { inConditions, iso } from './words.ts';

/** What is said of an Issuer; `account`: its account at an ACME CA, once there is one. */
export function planIssuer(
  issuer: Issuer,
  account: AcmeAccountRecord | undefined,
  nowMs: number,
): IssuerStatus {
  const isAcme = issuer.spec.acme !== undefined;
  const input: ConditionInput = { type: 'Ready', ...(isAcme ? acme(issuer, account) : ca(issuer)) };
  const failure = isAcme ? account?.failure : undefined;
  return {
    ...inConditions(issuer, [input], nowMs),
    ...(isAcme && account !== undefined && { account: describeAccount(account) }),
    ...(failure === undefined
      ? {}
      : { lastError: failure.message, nextTry: iso(failure.nextTryMs) }),
  };
}

/** Undefined when the Issuer is not there, or is not the built-in CA. */
export function lifetimeOf(issuer: Issuer | undefined): number | undefined {
  const lifetimeMs = parseDurationMs(issuer?.spec.ca?.lifetime ?? '');
  return lifetimeMs === undefined || lifetimeMs <= 0 ? undefined : lifetimeMs;
}

type Ready = Omit<ConditionInput, 'type'>;

function ca(issuer: Issuer): Ready {
  const lifetimeMs = lifetimeOf(issuer);
  if (lifetimeMs === undefined) {
    const message = `spec.ca.lifetime "${issuer.spec.ca?.lifetime}": write a duration, e.g. 90d`;
    return { status: 'False', reason: 'InvalidLifetime', message };
  }
  const message = `the built-in CA signs certificates for ${formatDuration(lifetimeMs)}`;
  return { status: 'True', reason: 'AuthorityReady', message };
}

/** A CA that is away for a while leaves the account what it is; the status says so beside. */
function acme(issuer: Issuer, account: AcmeAccountRecord | undefined): Ready {
  const { directory, termsOfServiceAgreed } = issuer.spec.acme ?? {};
  if (termsOfServiceAgreed !== true)
    return { status: 'False', reason: 'TermsNotAgreed', message: termsMessage(issuer) };
  const isOfThis = account?.directory === directory;
  if (isOfThis && account?.url !== undefined) {
    const rolling = account.nextSealedKey === undefined ? '' : '; its key is being changed';
    return { status: 'True', reason: 'AccountReady', message: `account ${account.url}${rolling}` };
  }
  if (account?.failure === undefined)
    return {
      status: 'False',
      reason: 'Registering',
      message: `an account at ${directory} is made`,
    };
  const { message, nextTryMs } = account.failure;
  const words = `${message}; next try at ${iso(nextTryMs)}`;
  return { status: 'False', reason: 'AccountFailed', message: words };
}

function describeAccount(account: AcmeAccountRecord): NonNullable<IssuerStatus['account']> {
  const { url, directory, keyMs, termsOfService } = account;
  return {
    directory,
    keyTime: iso(keyMs),
    ...(url === undefined ? {} : { url }),
    ...(termsOfService === undefined ? {} : { termsOfService }),
  };
}
