import type { Certificate } from '../../../api/certificate.ts';
import type { Event } from '../../../api/event.ts';
import { condition } from '../../../api/object.ts';
import type { IssuanceRecord } from '../../../runtime/acme/records.ts';
import { kindPrefix, recordKey } from '../../../runtime/store/keys.ts';
import type { MaterialRecord } from '../../../runtime/store/records.ts';
import { usableFromMs } from '../../../runtime/tls/renewal.ts';
import type { Check, CheckPorts } from '../check.ts';
import { readOnce } from '../read-once.ts';
import type { StoreHistory } from '../store-history.ts';

/** What can be expected of renewals by now; undefined: nothing. */
export interface Sky {
  /** `fair`: nothing stands in the way of a renewal. `away`: no CA can be reached. */
  readonly kind: 'fair' | 'away';
  /** Virtual, since the start. */
  readonly sinceMs: number;
  /** What the certificates of the CA live. */
  readonly lifeMs: number;
}

export interface RenewalsParts {
  readonly history: StoreHistory;
  readonly sky: () => Sky | undefined;
  /** The true time, milliseconds since 1970. */
  readonly wallMs: () => number;
}

const LOOK_MS = 500;
/** Once it is fair, perhaps after a crash: until dom leads again, and has done what was due. */
const CATCH_UP_MS = 45_000;
/** Until a person is told. */
const WARN_MS = 20_000;
const WARNINGS: ReadonlySet<string> = new Set([
  ...['RenewalOverdue', 'CertificateExpiring', 'CertificateExpired'],
]);

/**
 * INV-31. While nothing is in the way, no certificate of an ACME CA is in use with less than a third
 * of its life left. While the CA is away, each that has come so far says so: in its condition
 * Current, and by an Event. What waits for a limit of the CA is excused.
 */
export function renewalsCheck(
  { violated, reached, nowMs }: CheckPorts,
  { history, sky, wallMs }: RenewalsParts,
): Check {
  let lookMs = 0;

  function look({ kind, sinceMs, lifeMs }: Sky): void {
    for (const item of history.list(kindPrefix('Certificate'), history.head)) {
      const certificate = readOnce<Certificate>(item);
      const { uid, name, deletionTimestamp } = certificate.metadata;
      const material = recordOf<MaterialRecord>('material', uid);
      if (material?.directory === undefined || deletionTimestamp !== undefined) continue;
      // A clock that was ahead then makes it seem shorter.
      const knownMs = Math.min(lifeMs, material.notAfterMs - usableFromMs(material));
      const lateMs = wallMs() - (material.notAfterMs - knownMs / 3);
      const sinceThenMs = Math.min(lateMs, nowMs() - sinceMs);
      if (kind === 'away' && sinceThenMs > WARN_MS) isTold(certificate);
      const issuance = recordOf<IssuanceRecord>('issuance', uid);
      if (kind === 'away' || issuance?.failure?.reason === 'rateLimited') continue;
      if (lateMs > 0 && nowMs() - sinceMs > CATCH_UP_MS)
        violated(31, `${name} has less than a third of its life left, since ${lateMs} ms`);
    }
  }

  function recordOf<Value extends object>(
    kind: 'issuance' | 'material',
    uid: string,
  ): Value | undefined {
    const item = history.get(recordKey(kind, uid), history.head);
    return item === undefined ? undefined : readOnce<Value>(item);
  }

  function isTold(certificate: Certificate): void {
    const { name, uid } = certificate.metadata;
    reached('overdue while the CA is away');
    const current = condition(certificate, 'Current');
    if (current?.status !== 'False')
      violated(31, `the CA is away, and ${name} says that it is ${current?.reason}`);
    const events = history.list(kindPrefix('Event'), history.head).map(readOnce<Event>);
    const isWarned = events.some(
      ({ spec }) => spec.regarding.uid === uid && WARNINGS.has(spec.reason),
    );
    if (!isWarned) violated(31, `the CA is away, and no event tells that ${name} is overdue`);
  }

  return {
    stepped() {
      const now = sky();
      if (now === undefined || nowMs() < lookMs) return;
      lookMs = nowMs() + LOOK_MS;
      look(now);
    },
    storeReplaced: () => undefined,
  };
}
