import { type Acme, AcmeProblem } from '../../runtime/acme/acme.ts';
import type { Question, StandingRefusals } from './standing-refusals.ts';

/** A CA could not be reached, or talks nonsense; the cause says more. */
export class CaUnreachableError extends Error {
  override readonly name = 'CaUnreachableError';
}

export interface ReachingParts {
  /** A refusal said when to come back, in ms from now. */
  readonly told: (retryAfterMs: number) => void;
  readonly refusals: StandingRefusals;
}

/**
 * The same port, whose errors tell a CA that cannot be asked from a store that cannot: only the
 * first is the CA's affair. What others may ask for as well is not asked for while the CA's refusal
 * stands.
 */
export function reachingAcme(acme: Acme, { told, refusals }: ReachingParts): Acme {
  const reach = async <Answer>(call: Promise<Answer>, question?: Question): Promise<Answer> => {
    try {
      return await call;
    } catch (cause) {
      if (!(cause instanceof AcmeProblem))
        throw new CaUnreachableError('the CA could not be asked', { cause });
      if (cause.retryAfterMs !== undefined) told(cause.retryAfterMs);
      if (question !== undefined) refusals.heard(question, cause);
      throw cause;
    }
  };
  const ask = <Answer>(question: Question, call: () => Promise<Answer>): Promise<Answer> => {
    const refused = refusals.of(question);
    return refused === undefined ? reach(call(), question) : reach(Promise.reject(refused));
  };
  return {
    makeKey: (...given) => acme.makeKey(...given),
    keyAuthorization: (...given) => acme.keyAuthorization(...given),
    directory: (...given) => reach(acme.directory(...given)),
    register: (...given) => reach(acme.register(...given)),
    findAccount: (...given) => reach(acme.findAccount(...given)),
    updateContact: (...given) => reach(acme.updateContact(...given)),
    changeKey: (...given) => reach(acme.changeKey(...given)),
    createOrder: (account, order, signal) =>
      ask({ step: 'createOrder', account, about: order.names }, () =>
        acme.createOrder(account, order, signal),
      ),
    readOrder: (...given) => reach(acme.readOrder(...given)),
    listOrders: (account, signal) =>
      ask({ step: 'listOrders', account, about: [] }, () => acme.listOrders(account, signal)),
    readAuthorization: (account, url, signal) =>
      ask({ step: 'readAuthorization', account, about: [url] }, () =>
        acme.readAuthorization(account, url, signal),
      ),
    answerChallenge: (...given) => reach(acme.answerChallenge(...given)),
    finalize: (...given) => reach(acme.finalize(...given)),
    download: (...given) => reach(acme.download(...given)),
    revoke: (...given) => reach(acme.revoke(...given)),
    renewalInfo: (...given) => reach(acme.renewalInfo(...given)),
  };
}
