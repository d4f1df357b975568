import { parseDurationMs } from './duration.ts';
import type { Violation } from './kind.ts';
import { parseLabelSelector } from './labels.ts';
import { objectNameProblem } from './names.ts';
import { didYouMean } from './nearest.ts';
import type { Notification } from './notification.ts';
import { aboutField, check, checkEach } from './rules.ts';
import { isThisMachine, targetUrlProblem } from './target-url.ts';

/** The ways to tell people, one of which a Notification names. */
export const NOTIFICATION_WAYS = ['webhook', 'slack', 'ntfy', 'email'] as const;

/** Kinds that Events can be of; `kinds.ts` itself imports this. */
export const REGARDED_KINDS: readonly string[] = [
  ...['Certificate', 'Issuer', 'Node', 'Notification', 'Release', 'Repository', 'Secret', 'Site'],
  'Zone',
];

const INTERVAL_MS_MIN = 1_000;
const INTERVAL_MS_MAX = 86_400_000;

/** What the schema cannot say of a Notification. */
export function notificationRules({ spec }: Notification): readonly Violation[] {
  const { events, webhook, ntfy, email } = spec;
  const ways = NOTIFICATION_WAYS.filter((way) => spec[way] !== undefined);
  const refs = ways.flatMap((way) => {
    const secret = spec[way]?.secretRef;
    return secret === undefined ? [] : check(['spec', way, 'secretRef'], secret, objectNameProblem);
  });
  return [
    ...(ways.length === 1 ? [] : [aboutField(['spec'], waysText(ways))]),
    ...check(['spec', 'interval'], spec.interval, intervalProblem),
    ...checkEach(['spec', 'events', 'kinds'], events.kinds, (kind) =>
      REGARDED_KINDS.includes(kind)
        ? undefined
        : `is not a kind that Events are of; there are ${REGARDED_KINDS.join(', ')}${didYouMean(kind, REGARDED_KINDS)}`,
    ),
    ...checkEach(['spec', 'events', 'namespaces'], events.namespaces, (each) =>
      each === '*' ? undefined : objectNameProblem(each),
    ),
    ...check(['spec', 'events', 'selector'], events.selector, selectorProblem),
    ...refs,
    ...(webhook?.url === undefined
      ? []
      : check(['spec', 'webhook', 'url'], webhook.url, targetUrlProblem)),
    ...(webhook !== undefined && webhook.url === undefined && webhook.secretRef === undefined
      ? [aboutField(['spec', 'webhook'], 'needs a url, or a secretRef to a Secret with one')]
      : []),
    ...(ntfy === undefined ? [] : check(['spec', 'ntfy', 'url'], ntfy.url, topicProblem)),
    ...(email === undefined ? [] : emailViolations(email)),
  ];
}

function waysText(ways: readonly string[]): string {
  if (ways.length === 0) return `says no way to tell; write one of ${NOTIFICATION_WAYS.join(', ')}`;
  return `says ${ways.join(' and ')}; keep one, and make another Notification for the other`;
}

function emailViolations(email: NonNullable<Notification['spec']['email']>): readonly Violation[] {
  const path = ['spec', 'email'];
  const isLocal = isThisMachine(email.host);
  return [
    ...check([...path, 'host'], email.host, hostProblem),
    ...check([...path, 'from'], email.from, mailProblem),
    ...checkEach([...path, 'to'], email.to, mailProblem),
    ...(email.security === 'none' && !isLocal
      ? [aboutField([...path, 'security'], 'may be none on this machine only; use starttls or tls')]
      : []),
  ];
}

function topicProblem(url: string): string | undefined {
  const problem = targetUrlProblem(url);
  if (problem !== undefined) return problem;
  return /\/[-_A-Za-z0-9]{1,64}$/.test(new URL(url).pathname)
    ? undefined
    : 'must end with the topic: letters, digits, "_" and "-", e.g. https://ntfy.sh/my-topic';
}

function hostProblem(host: string): string | undefined {
  return /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$|^[0-9a-f:]+$/i.test(host)
    ? undefined
    : 'must be a host name or an address, e.g. mail.example.com';
}

function mailProblem(address: string): string | undefined {
  return /^[^\s@"<>(),:;\\[\]\u0000-\u001f\u007f]+@[^\s@"<>(),:;\\[\]\u0000-\u001f\u007f]+$/.test(
    address,
  )
    ? undefined
    : 'must be a mail address, e.g. ops@example.com';
}

function intervalProblem(text: string): string | undefined {
  const ms = parseDurationMs(text);
  if (ms === undefined) return 'must be a duration, e.g. 10s or 5m';
  return ms < INTERVAL_MS_MIN || ms > INTERVAL_MS_MAX ? 'must be 1s to 1d' : undefined;
}

function selectorProblem(selector: string): string | undefined {
  const parsed = parseLabelSelector(selector);
  return parsed.kind === 'error' ? parsed.message : undefined;
}
