import { isDeepStrictEqual } from 'node:util';
import { recordKey } from '../../../runtime/store/keys.ts';
import type { Transaction } from '../../../runtime/store/store.ts';
import type { CaRefusal, CaRequest, Check, CheckPorts } from '../check.ts';

export interface RefusalsPorts extends CheckPorts {
  /** `published`: dom was told beforehand what the CA allows. */
  readonly limitsAre: () => 'published' | 'unknown';
}

interface Refused {
  readonly by: CaRequest;
  readonly atMs: number;
  readonly retryAfterMs: number;
  /**
   * `stored`: whoever was refused has written since, so it holds for every process of dom.
   * `doubtful`: and was told that the store failed, so itself it may not know.
   */
  memory: 'own' | 'stored' | 'doubtful' | 'lost';
  /** What was stored. */
  storedBy?: Transaction;
}

/** Clocks of 1 % more or less, and what is told in whole seconds. */
const DRIFT = 0.02;
const SLACK_MS = 100;
/** What an order may take on its way, and clocks may differ, until dom counts otherwise than a CA. */
const EARLY_MS_MAX = 10_000;
/** As Let's Encrypt says that more orders or certificates were asked for than it gives. */
const COUNTED = /^too many (?:new orders|certificates)/;

/**
 * INV-30. Who was told by a 429 when to come back (RFC 8555 §6.6) does not ask the same before, be
 * it dom's next process, unless the store failed to remember it; and where the limits of a CA are known, no order is ever refused because
 * of them, for dom counts them itself. Clocks that are set meanwhile excuse.
 */
export function refusalsCheck({ violated, reached, nowMs, limitsAre }: RefusalsPorts): Check {
  const refused = new Map<string, Refused>();
  let isInTime = true;

  function isTooEarly(request: CaRequest, { by, atMs, retryAfterMs, memory }: Refused): boolean {
    const isOwn = by.process === request.process;
    const knowing = isOwn ? ['own', 'stored'] : ['stored', 'doubtful'];
    if (!knowing.includes(memory)) return false;
    const slackMs = SLACK_MS + DRIFT * retryAfterMs;
    if (Math.abs(by.aheadMs - request.aheadMs) > slackMs) return false;
    return nowMs() < atMs + retryAfterMs - slackMs;
  }

  /** The next write after a refusal is what says so; later ones say other things. */
  function remembered(process: string, transaction: Transaction): void {
    for (const each of refused.values())
      if (each.by.process === process && each.memory === 'own')
        Object.assign(each, { memory: 'stored', storedBy: transaction });
  }

  /** It may have taken effect all the same. */
  function failed(process: string, transaction: Transaction): void {
    for (const each of refused.values()) {
      if (each.by.process !== process) continue;
      if (each.memory === 'own') each.memory = 'lost';
      // That the account has seen trouble holds back nobody yet: this was to say until when.
      const isNoted = each.storedBy?.writes.every(({ key }) => key.startsWith(ACCOUNT)) === true;
      if (each.memory === 'stored' && isNoted) each.memory = 'lost';
      if (isDeepStrictEqual(each.storedBy?.writes, transaction.writes)) each.memory = 'doubtful';
    }
  }

  function noteLimit(request: CaRequest, { status, detail, retryAfterMs = 0 }: CaRefusal): void {
    if (status !== 429 || request.step !== 'createOrder' || !COUNTED.test(detail)) return;
    reached('order over a limit of the CA');
    if (limitsAre() === 'unknown' || !isInTime || retryAfterMs <= EARLY_MS_MAX) return;
    violated(30, `${request.process} knows the limits of the CA, which says: ${detail}`);
  }

  return {
    askedCa(request) {
      isInTime &&= Math.abs(request.aheadMs) < SLACK_MS;
      const before = refused.get(request.key);
      if (before === undefined) return;
      if (isTooEarly(request, before)) {
        const afterMs = nowMs() - before.atMs;
        violated(
          30,
          `${request.process} asks for ${request.step} again after ${afterMs} ms, and was told to wait for ${before.retryAfterMs} ms`,
        );
      }
      if (nowMs() >= before.atMs + before.retryAfterMs) reached('Retry-After of a 429 obeyed');
      refused.delete(request.key);
    },
    refusedByCa(request, refusal) {
      const { type, status, retryAfterMs } = refusal;
      if (type === 'badNonce') reached('nonce refused');
      noteLimit(request, refusal);
      if (status !== 429 || retryAfterMs === undefined || isOfNobody(request)) return;
      refused.set(request.key, { by: request, atMs: nowMs(), retryAfterMs, memory: 'own' });
    },
    committed(commit) {
      if (isOfAcme(commit.transaction)) remembered(commit.process, commit.transaction);
    },
    stored(event) {
      if (event.kind !== 'answered' || event.answer.kind !== 'failed') return;
      const { process, request } = event.call;
      if (request.kind === 'commit' && isOfAcme(request.transaction))
        failed(process, request.transaction);
    },
    storeReplaced() {
      refused.clear();
    },
  };
}

/** Each Issuer asks for the directory, without an account, and waits by itself. */
function isOfNobody({ step }: CaRequest): boolean {
  return step === 'directory';
}

const ACCOUNT = recordKey('acmeAccount', '');
const ACME = (['acmeAccount', 'acmeOrder', 'issuance', 'revocation'] as const).map((record) =>
  recordKey(record, ''),
);

function isOfAcme({ writes }: Transaction): boolean {
  return writes.some(({ key }) => ACME.some((prefix) => key.startsWith(prefix)));
}
