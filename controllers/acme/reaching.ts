import { type Acme, AcmeProblem } from '../../runtime/acme/acme.ts';

/** A CA could not be reached, or talks nonsense; the cause says more. */
export class CaUnreachableError extends Error {
  override readonly name = 'CaUnreachableError';
}

/**
 * The same port, whose errors tell a CA that cannot be asked from a store that cannot: only the
 * first is the CA's affair. `told`: a refusal said when to come back, in ms from now.
 */
export function reachingAcme(acme: Acme, told: (retryAfterMs: number) => void): Acme {
  const reach = async <Answer>(call: Promise<Answer>): Promise<Answer> => {
    try {
      return await call;
    } catch (cause) {
      if (!(cause instanceof AcmeProblem))
        throw new CaUnreachableError('the CA could not be asked', { cause });
      if (cause.retryAfterMs !== undefined) told(cause.retryAfterMs);
      throw cause;
    }
  };
  return {
    makeKey: (...given) => acme.makeKey(...given),
    keyAuthorization: (...given) => acme.keyAuthorization(...given),
    directory: (...given) => reach(acme.directory(...given)),
    register: (...given) => reach(acme.register(...given)),
    findAccount: (...given) => reach(acme.findAccount(...given)),
    updateContact: (...given) => reach(acme.updateContact(...given)),
    changeKey: (...given) => reach(acme.changeKey(...given)),
    createOrder: (...given) => reach(acme.createOrder(...given)),
    readOrder: (...given) => reach(acme.readOrder(...given)),
    listOrders: (...given) => reach(acme.listOrders(...given)),
    readAuthorization: (...given) => reach(acme.readAuthorization(...given)),
    answerChallenge: (...given) => reach(acme.answerChallenge(...given)),
    finalize: (...given) => reach(acme.finalize(...given)),
    download: (...given) => reach(acme.download(...given)),
    revoke: (...given) => reach(acme.revoke(...given)),
    renewalInfo: (...given) => reach(acme.renewalInfo(...given)),
  };
}
