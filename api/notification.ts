import { ageColumn, NONE, nameColumn, readyColumn, reasonColumn, since } from './column.ts';
import {
  COUNT,
  choice,
  type Declared,
  group,
  integer,
  list,
  optional,
  statusGroup,
  text,
  time,
} from './field.ts';
import { defineKind } from './kind.ts';
import { NOTIFICATION_WAYS, notificationRules } from './notification-rules.ts';
import type { Resource } from './object.ts';

export type NotificationWay = (typeof NOTIFICATION_WAYS)[number];

/** In `spec.events.namespaces`: all of them. */
export const ANY_NAMESPACE = '*';

const secretRef = (values: string) =>
  text(`A Secret of its namespace with ${values}.`, { maxLength: 253 });
const words = (description: string, item: string) =>
  list(description, text(item, { maxLength: 253 }), {
    ...{ maxItems: 64, uniqueItems: true, default: [] },
  });

export const notificationSpecSchema = group('What to tell, and whom: exactly one way to tell.', {
  events: group(
    'Which Events are told of: those that fit all of its fields.',
    {
      type: choice(
        '`Warning`: those that a person should look at; `All`: Normal ones too.',
        ['Warning', 'All'],
        { default: 'Warning' },
      ),
      kinds: words('Of which kinds; none: of all.', 'A kind, e.g. Site.'),
      names: words('Of which objects; none: of all.', 'A name; `*` stands for any letters.'),
      namespaces: words(
        'Of which namespaces; none: of its own. What has no namespace, as Nodes, is always told of.',
        'A namespace, or `*` for all.',
      ),
      reasons: words('Which reasons; none: all.', 'A reason, e.g. RolledBack.'),
      selector: text('Labels that the object must have, as for `b8sctl get -l`.', { default: '' }),
    },
    { default: {} },
  ),
  interval: text('The shortest time between two messages: what happens meanwhile goes into one.', {
    default: '10s',
  }),
  webhook: optional(
    group('A POST request with JSON.', {
      url: optional(text('Where to; left out: `url` of the Secret.', { maxLength: 1024 })),
      secretRef: optional(
        secretRef(
          '`url`; `token`, sent as a Bearer token; `secret`, which messages are signed with; `caBundle` for a CA of your own',
        ),
      ),
    }),
  ),
  slack: optional(
    group('An incoming webhook of Slack, Mattermost, Rocket.Chat, or what speaks as they do.', {
      secretRef: secretRef(
        'its `url`, which is a secret by itself; `caBundle` for a CA of your own',
      ),
    }),
  ),
  ntfy: optional(
    group('A topic of ntfy.', {
      url: text('The topic: https://ntfy.sh/my-topic.', { maxLength: 1024 }),
      secretRef: optional(secretRef('a `token`; `caBundle` for a CA of your own')),
    }),
  ),
  email: optional(
    group('Mail, handed to a mail server by SMTP.', {
      host: text('The mail server.', { maxLength: 253 }),
      port: integer('Its port.', { minimum: 1, maximum: 65_535, default: 587 }),
      security: choice(
        '`starttls`: encrypted after the greeting, or not at all spoken to; `tls`: from the start, as on port 465; `none`: in the clear, for a server on this machine.',
        ['starttls', 'tls', 'none'],
        { default: 'starttls' },
      ),
      from: text('Who it is from: b8s@example.com.', { maxLength: 254 }),
      to: list('Whom it goes to.', text('A mail address.', { maxLength: 254 }), {
        ...{ minItems: 1, maxItems: 20, uniqueItems: true },
      }),
      secretRef: optional(secretRef('`username` and `password`; `caBundle` for a CA of your own')),
    }),
  ),
});

export const notificationStatusSchema = statusGroup({
  lastSent: optional(time('When a message was last taken by the other side.')),
  sent: optional(integer('How many messages were.', COUNT)),
  lastError: optional(text('Why the last message was not taken; absent: it was.')),
  nextTry: optional(time('When it is tried again.')),
});

export type NotificationSpec = Declared<typeof notificationSpecSchema>;
export type NotificationStatus = Declared<typeof notificationStatusSchema>;
/** Tells people of Events. */
export type Notification = Resource<NotificationSpec, NotificationStatus>;

export const notificationKind = defineKind({
  kind: 'Notification',
  plural: 'notifications',
  shortNames: ['notif'],
  scope: 'namespace',
  description:
    'Tells people of Events by a webhook, Slack, ntfy or mail: each once, several in one message, again until it is taken.',
  spec: notificationSpecSchema,
  status: notificationStatusSchema,
  rules: notificationRules,
  columns: [
    nameColumn,
    { header: 'BY', value: ({ spec }) => wayOf(spec) ?? NONE },
    readyColumn,
    {
      header: 'LAST-SENT',
      value: ({ status }, nowMs) =>
        status?.lastSent === undefined ? NONE : since(status.lastSent, nowMs),
    },
    { header: 'SENT', value: ({ status }) => String(status?.sent ?? 0) },
    ageColumn,
    { header: 'ERROR', wide: true, value: ({ status }) => status?.lastError ?? NONE },
    reasonColumn,
  ],
});

/** The one that is named; of a valid Notification there is one. */
export function wayOf(spec: NotificationSpec): NotificationWay | undefined {
  return NOTIFICATION_WAYS.find((way) => spec[way] !== undefined);
}
