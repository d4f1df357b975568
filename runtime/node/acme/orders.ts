import type { Acme, AcmeOrder } from '../../acme/acme.ts';
import { readAuthorization, readOrder } from './answers.ts';
import type { Call } from './calls.ts';
import { certificateId } from './certificate-id.ts';
import { certificateRequest } from './certificate-request.ts';
import { asAccount, isProblem, locationOf, readAnswer, type StepPorts } from './steps.ts';
import type { Answer } from './transport.ts';

type OrderSteps = Pick<
  Acme,
  'createOrder' | 'readOrder' | 'readAuthorization' | 'answerChallenge' | 'finalize'
>;

export function orderSteps(ports: StepPorts): OrderSteps {
  function orderOf(answer: Answer, url: string, call: Call): AcmeOrder {
    const { fields, urlProblem, retryAfterMs } = readAnswer(answer, call, ports.clock);
    return readOrder(fields, url, retryAfterMs, urlProblem);
  }

  return {
    createOrder: (account, { names, profile, replacesPem }, signal) =>
      asAccount(ports, account, { what: 'place an order', signal }, async (post, urls, call) => {
        const url = urls.newOrder;
        // A CA without renewal information knows no such field, and may refuse it.
        const hasRenewalInfo = urls.directory.hasRenewalInfo && replacesPem !== undefined;
        const replaces = hasRenewalInfo ? certificateId(replacesPem) : undefined;
        const payload = {
          identifiers: names.map((value) => ({ type: 'dns', value })),
          ...(profile === undefined ? {} : { profile }),
          ...(replaces === undefined ? {} : { replaces }),
        };
        const answer = await post({ url, payload });
        return orderOf(answer, locationOf(answer, url, call), call);
      }),

    readOrder: (account, url, signal) =>
      asAccount(ports, account, { what: 'read an order', signal }, async (post, _, call) =>
        orderOf(await post({ url }), url, call),
      ),

    readAuthorization: (account, url, signal) =>
      asAccount(
        ports,
        account,
        { what: 'read an authorization', signal },
        async (post, _, call) => {
          const answer = await post({ url });
          const { fields, urlProblem, retryAfterMs } = readAnswer(answer, call, ports.clock);
          return readAuthorization(fields, url, retryAfterMs, urlProblem);
        },
      ),

    answerChallenge: (account, url, signal) =>
      asAccount(ports, account, { what: 'answer a challenge', signal }, async (post, _, call) => {
        try {
          await post({ url, payload: {} });
        } catch (error) {
          if (!isProblem(error, 'malformed')) throw error;
          // Some CAs, such as Pebble, refuse to be told twice.
          const { fields } = readAnswer(await post({ url }), call, ports.clock);
          if (!['processing', 'valid'].includes(fields.text('status'))) throw error;
        }
      }),

    finalize: (account, { finalizeUrl, orderUrl, names, keyPem }, signal) =>
      asAccount(ports, account, { what: 'finalize an order', signal }, async (post, _, call) => {
        const request = await certificateRequest(names, keyPem);
        const payload = { csr: Buffer.from(request).toString('base64url') };
        return orderOf(await post({ url: finalizeUrl, payload }), orderUrl, call);
      }),
  };
}
