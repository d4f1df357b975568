import { type Acme, type AcmeAccount, AcmeProblem, type AcmeServer } from '../../acme/acme.ts';
import type { Clock } from '../../clock.ts';
import type { Call } from './calls.ts';
import { linkTargets } from './headers.ts';
import { bindExternally, readSigningKey, signJws } from './jws.ts';
import {
  type AsAccount,
  asAccount,
  isProblem,
  locationOf,
  mayBeAsked,
  readAnswer,
  type StepPorts,
} from './steps.ts';
import type { Answer } from './transport.ts';

type AccountSteps = Pick<
  Acme,
  'directory' | 'register' | 'findAccount' | 'updateContact' | 'changeKey' | 'listOrders'
>;

export function accountSteps(ports: StepPorts): AccountSteps {
  const { calls } = ports;
  return {
    directory: (server, signal) =>
      calls.run('read the directory', { server, signal }, async (_, urls) => urls.directory),

    register: (server, request, signal) =>
      calls.run('register an account', { server, signal }, async (call, urls) => {
        const key = readSigningKey(request.keyPem);
        const { contact, externalAccount } = request;
        const url = urls.newAccount;
        const payload = {
          termsOfServiceAgreed: true,
          contact,
          ...(externalAccount === undefined
            ? {}
            : { externalAccountBinding: bindExternally(key, externalAccount, url) }),
        };
        const answer = await calls.post(call, urls, { url, key, payload });
        refuseClosed(ports, answer, call);
        return locationOf(answer, url, call);
      }),

    findAccount: (server, keyPem, signal) => findAccount(ports, { server, keyPem, signal }),

    updateContact: (account, contact, signal) =>
      asAccount(ports, account, { what: 'change the contact', signal }, async (post) => {
        await post({ url: account.url, payload: { contact } });
      }),

    changeKey: (account, newKeyPem, signal) =>
      asAccount(
        ports,
        account,
        { what: "change the account's key", signal },
        async (post, urls) => {
          const newKey = readSigningKey(newKeyPem);
          const url = urls.keyChange;
          const oldKey = readSigningKey(account.keyPem).jwk;
          // Signed with the new key within, with the old one around it (RFC 8555 §7.3.5).
          const header = { jwk: newKey.jwk, url };
          await post({ url, payload: signJws(newKey, header, { account: account.url, oldKey }) });
        },
      ),

    listOrders: (account, signal) => listOrders(ports, account, signal),
  };
}

const ORDERS_MAX = 1_000;
/** Some CAs put all orders of an account on one page. */
const ORDER_LIST_BYTES_MAX = 1024 * 1024;
/** Of a longer list the end is never seen. */
const ORDERS_READ_MAX = 20_000;

/** Some CAs tell of an account that is closed as of any other (RFC 8555 §7.1.2). */
function refuseClosed({ clock }: StepPorts, answer: Answer, call: Call): void {
  const status = statusOf(answer, call, clock);
  if (status !== 'deactivated' && status !== 'revoked') return;
  throw new AcmeProblem({ type: 'unauthorized', detail: `the account is ${status}`, status: 401 });
}

/** Undefined: the CA does not say; where the account is, is all that is needed of it. */
function statusOf(answer: Answer, call: Call, clock: Clock): string | undefined {
  try {
    return readAnswer(answer, call, clock).fields.optionalText('status');
  } catch {
    return undefined;
  }
}

function findAccount(
  ports: StepPorts,
  given: { readonly server: AcmeServer; readonly keyPem: string; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const { calls } = ports;
  return calls.run('look for the account', given, async (call, urls) => {
    const [url, key] = [urls.newAccount, readSigningKey(given.keyPem)];
    try {
      const payload = { onlyReturnExisting: true };
      const answer = await calls.post(call, urls, { url, key, payload });
      refuseClosed(ports, answer, call);
      return locationOf(answer, url, call);
    } catch (error) {
      if (isProblem(error, 'accountDoesNotExist')) return undefined;
      throw error;
    }
  });
}

function listOrders(
  ports: StepPorts,
  account: AcmeAccount,
  signal: AbortSignal,
): ReturnType<Acme['listOrders']> {
  return asAccount(ports, account, { what: 'list the orders', signal }, async (post, _, call) => {
    const { fields } = readAnswer(await post({ url: account.url }), call, ports.clock);
    const url = fields.optionalUrl('orders');
    if (url === undefined) return undefined;
    try {
      const orders = await readPages(ports, url, { post, call });
      // The oldest stand first: what was just placed is at the end.
      return orders.slice(-ORDERS_MAX);
    } catch (error) {
      // Some CAs name a list that they do not keep.
      if (error instanceof AcmeProblem && NOT_KEPT.includes(error.document.status))
        return undefined;
      throw error;
    }
  });
}

/** Not found, method not allowed, not implemented. */
const NOT_KEPT: readonly (number | undefined)[] = [404, 405, 501];

async function readPages(
  { clock }: StepPorts,
  first: string,
  { post, call }: { readonly post: AsAccount; readonly call: Call },
): Promise<readonly string[]> {
  const asked = new Set<string>();
  const found = new Set<string>();
  let page: string | undefined = first;
  while (page !== undefined && !asked.has(page) && found.size < ORDERS_READ_MAX) {
    asked.add(page);
    const answer = await post({ url: page, bytesMax: ORDER_LIST_BYTES_MAX });
    for (const order of readAnswer(answer, call, clock).fields.list('orders', ORDERS_READ_MAX)) {
      if (typeof order !== 'string') throw new Error('an order is no URL');
      mayBeAsked(call, order);
      found.add(order);
    }
    const [next] = linkTargets(answer.headers['link'], 'next');
    page = next !== undefined && URL.canParse(next, page) ? new URL(next, page).href : undefined;
  }
  return [...found];
}
