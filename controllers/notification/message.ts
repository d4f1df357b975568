import { createHash } from 'node:crypto';
import type { Event } from '../../api/event.ts';
import type { Notification } from '../../api/notification.ts';
import { printable } from '../../runtime/printable.ts';
import { qualifiedName } from '../../runtime/store/keys.ts';

/** Events in one message; of more only the number is told. */
export const MESSAGE_EVENTS_MAX = 20;

/** What is told at once. */
export interface Message {
  /** The same when it is sent again: letters and digits. */
  readonly id: string;
  /** `namespace/name` of the Notification. */
  readonly notification: string;
  /** Warnings first, then as they happened. */
  readonly events: readonly Event[];
  /** Events beyond MESSAGE_EVENTS_MAX. */
  readonly more: number;
}

export function messageOf(
  { metadata }: Pick<Notification, 'metadata'>,
  pending: readonly Event[],
): Message {
  const isWarning = ({ spec }: Event): boolean => spec.type === 'Warning';
  const ordered = [...pending.filter(isWarning), ...pending.filter((each) => !isWarning(each))];
  const names = pending.map((each) => each.metadata.name);
  const hash = createHash('sha256').update(JSON.stringify([metadata.uid, names]));
  return {
    id: hash.digest('hex').slice(0, 32),
    notification: qualifiedName(metadata),
    events: ordered.slice(0, MESSAGE_EVENTS_MAX),
    more: Math.max(0, ordered.length - MESSAGE_EVENTS_MAX),
  };
}

/** One line. */
export function titleOf({ events, more }: Message): string {
  const [first] = events;
  if (first === undefined) return 'b8s';
  const others = events.length - 1 + more;
  const { type, reason } = first.spec;
  const rest = others > 0 ? ` and ${others} more` : '';
  return printable(`b8s ${type.toLowerCase()}: ${regardedText(first)} ${reason}${rest}`);
}

/** A line for each Event, and one for those that are not told one by one. */
export function linesOf({ events, more }: Message): readonly string[] {
  const lines = events.map((event) => {
    const { type, reason, message, count } = event.spec;
    const times = count > 1 ? ` (${count} times)` : '';
    return printable(`${type} ${regardedText(event)} ${reason}: ${message}${times}`);
  });
  return more > 0 ? [...lines, `and ${more} more: b8sctl events`] : lines;
}

/** `Site/default/blog` */
function regardedText({ spec }: Event): string {
  const { kind, namespace, name } = spec.regarding;
  return `${kind}/${qualifiedName({ namespace, name })}`;
}

/** What a webhook is sent. */
export function jsonOf(message: Message): string {
  return JSON.stringify({
    id: message.id,
    notification: message.notification,
    title: titleOf(message),
    events: message.events.map(({ metadata, spec }) => ({
      name: metadata.name,
      ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
      ...spec,
    })),
    more: message.more,
  });
}
