import { countValidation } from './counts.ts';
import { authorizationAnswer, concludeChallenge } from './orders.ts';
import { type AcmeProof, acmeProof, type ValidateProof } from './proof.ts';
import { drawMs, type FakeAcmeAccount, type FakeAcmeState, refuse } from './state.ts';

/**
 * The CA was told to look: it does so at once, or a while later by itself. Told again meanwhile,
 * or after it has seen the proof, it does nothing more.
 */
export async function lookAt(
  state: FakeAcmeState,
  challenge: { readonly account: FakeAcmeAccount; readonly url: string; readonly keyPem: string },
  ports: { readonly validate: ValidateProof; readonly signal: AbortSignal },
): Promise<void> {
  const { account, url: challengeUrl, keyPem } = challenge;
  const url = challengeUrl.slice(0, challengeUrl.lastIndexOf('/'));
  const authorization = state.authorizations.get(url);
  const found = authorization?.challenges.find((one) => one.url === challengeUrl);
  if (authorization?.accountUrl !== account.url || found === undefined)
    throw refuse('malformed', `there is no challenge ${challengeUrl}`, { status: 404 });
  const { status } = authorizationAnswer(state, authorization);
  if (status === 'valid' || found.status === 'processing') return;
  if (status !== 'pending') throw refuse('malformed', `the authorization is ${status}`);
  const challenges = authorization.challenges.map((one) =>
    one.url === challengeUrl ? ({ ...one, status: 'processing' } as const) : one,
  );
  state.authorizations.set(url, { ...authorization, challenges });
  const { name, wildcard } = authorization;
  const looking = look(acmeProof({ type: found.type, name, wildcard, token: found.token }, keyPem));
  if (state.settings.validationMsMax === 0) await looking;
  else void looking.catch(() => undefined);

  async function look(proof: AcmeProof): Promise<void> {
    const delayMs = drawMs(state, state.settings.validationMsMax);
    if (delayMs > 0) await state.clock.sleep(delayMs, ports.signal);
    const problem = await ports.validate(proof).catch((error: unknown) => String(error));
    countValidation(state, account.url, name, problem === undefined ? 'proven' : 'failed');
    const document = { type: 'unauthorized', detail: problem ?? '', status: 403 };
    concludeChallenge(state, url, challengeUrl, problem === undefined ? undefined : document);
  }
}
