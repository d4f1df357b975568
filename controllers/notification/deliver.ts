import type { Notification } from '../../api/notification.ts';
import { targetUrlProblem } from '../../api/target-url.ts';
import type { Mail, Mailer } from '../../runtime/mailer.ts';
import type { Poster, Posting } from '../../runtime/poster.ts';
import { standardSignature } from '../../runtime/standard-webhook.ts';
import { VERSION } from '../../runtime/version.ts';
import { jsonOf, linesOf, type Message, titleOf } from './message.ts';

/** How messages leave this machine. */
export interface Ways {
  readonly poster: Poster;
  readonly mailer: Mailer;
}

/** Values of the Secret that a Notification names. */
export type ReadSecret = (key: string) => string | undefined;

export type Parcel =
  | { readonly kind: 'posting'; readonly posting: Posting }
  | { readonly kind: 'mail'; readonly mail: Mail }
  /** Nothing can be sent; for a person. */
  | { readonly kind: 'problem'; readonly message: string };

/** What there is to send, ready to go. */
export function pack(
  { spec }: Notification,
  message: Message,
  { read, nowMs }: { readonly read: ReadSecret; readonly nowMs: number },
): Parcel {
  const { webhook, slack, ntfy, email } = spec;
  if (email !== undefined) return { kind: 'mail', mail: mailOf(email, message, read) };
  if (webhook !== undefined) {
    const body = jsonOf(message);
    const stamp = { id: message.id, time: String(Math.floor(nowMs / 1000)) };
    const [token, secret] = [read('token'), read('secret')];
    return posting(webhook.url ?? read('url'), read, body, {
      'webhook-id': stamp.id,
      'webhook-timestamp': stamp.time,
      ...(secret !== undefined && { 'webhook-signature': standardSignature(secret, stamp, body) }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    });
  }
  if (slack !== undefined)
    return posting(read('url'), read, JSON.stringify({ text: slackText(message) }));
  if (ntfy === undefined) return { kind: 'problem', message: 'no way to tell is named' };
  const token = read('token');
  const [root, topic] = splitTopic(ntfy.url);
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return posting(root, read, ntfyText(topic, message), headers);
}

/** Whom it goes to, for those who share a server share its room; empty: nobody can be told. */
export function placeOf({ spec }: Notification, read: ReadSecret): string {
  const { webhook, ntfy, email } = spec;
  if (email !== undefined) return `${email.host}:${email.port}`;
  const url = ntfy?.url ?? webhook?.url ?? read('url') ?? '';
  return URL.canParse(url) ? new URL(url).host : '';
}

/** Sends it; what is not taken throws, with how long the other side asks to wait. */
export async function send(ways: Ways, parcel: Parcel, signal: AbortSignal): Promise<void> {
  switch (parcel.kind) {
    case 'problem':
      throw new Error(parcel.message);
    case 'mail':
      return await ways.mailer.send(parcel.mail, signal);
    case 'posting': {
      const { status, retryAfterMs } = await ways.poster.post(parcel.posting, signal);
      if (status >= 200 && status < 300) return;
      // What else it says is left out: it may say again what it was sent.
      const { host } = new URL(parcel.posting.url);
      throw new NotTakenError(`${host} answered ${status}`, retryAfterMs);
    }
  }
}

/** The other side said no. */
export class NotTakenError extends Error {
  override readonly name = 'NotTakenError';
  /** Undefined: it does not say. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, retryAfterMs: number | undefined) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

function posting(
  url: string | undefined,
  read: ReadSecret,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Parcel {
  if (url === undefined) return { kind: 'problem', message: 'the Secret has no "url"' };
  const problem = targetUrlProblem(url);
  if (problem !== undefined) return { kind: 'problem', message: `the url ${problem}` };
  const own = { 'content-type': 'application/json', 'user-agent': `b8s/${VERSION}` };
  // A line break would begin another header.
  if (Object.values(headers).some((value) => !/^[\t\x20-\x7e]*$/.test(value)))
    return { kind: 'problem', message: 'the token has characters that no token has' };
  const caBundle = read('caBundle');
  return { kind: 'posting', posting: { url, body, headers: { ...own, ...headers }, caBundle } };
}

/** https://docs.slack.dev/messaging/formatting-message-text, "Escaping text". */
function slackText(message: Message): string {
  const text = `*${titleOf(message)}*\n${linesOf(message).join('\n')}`;
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const NTFY_PRIORITY_HIGH = 4;
const NTFY_PRIORITY_DEFAULT = 3;

/** https://docs.ntfy.sh/publish/#publish-as-json: headers hold no UTF-8, JSON does. */
function ntfyText(topic: string, message: Message): string {
  const isWarning = message.events.some(({ spec }) => spec.type === 'Warning');
  return JSON.stringify({
    topic,
    title: titleOf(message),
    // What is longer than 4,096 bytes would become a file.
    message: cutBytes(linesOf(message).join('\n'), NTFY_BYTES_MAX),
    priority: isWarning ? NTFY_PRIORITY_HIGH : NTFY_PRIORITY_DEFAULT,
    tags: [isWarning ? 'warning' : 'information_source'],
  });
}

const NTFY_BYTES_MAX = 4_000;

function cutBytes(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  return `${bytes
    .subarray(0, bytesMax)
    .toString()
    .replace(/\ufffd+$/, '')}…`;
}

/** The server, and the topic at the end of its path. */
function splitTopic(url: string): readonly [root: string, topic: string] {
  const { origin, pathname } = new URL(url);
  const cut = pathname.lastIndexOf('/');
  return [`${origin}${pathname.slice(0, cut + 1)}`, pathname.slice(cut + 1)];
}

function mailOf(
  email: NonNullable<Notification['spec']['email']>,
  message: Message,
  read: ReadSecret,
): Mail {
  const { host, port, security, from, to } = email;
  const [username, password] = [read('username'), read('password')];
  const login =
    username === undefined || password === undefined ? undefined : { username, password };
  return {
    server: { host, port, security, login, caBundle: read('caBundle') },
    ...{ from, to, subject: titleOf(message), id: message.id },
    text: `${linesOf(message).join('\n')}\n\n-- \nnotification ${message.notification} of b8s\n`,
  };
}
