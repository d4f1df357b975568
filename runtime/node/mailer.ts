import type { Mail, Mailer } from '../mailer.ts';

/** Each wait for the server: for a connection, its greeting, and an answer. */
const PATIENCE_MS = 10_000;

/** By nodemailer, which is loaded when the first mail is to be sent: few doms ever do. */
export const nodeMailer: Mailer = {
  async send(mail, signal) {
    const { createTransport } = await import('nodemailer');
    signal.throwIfAborted();
    const { host, port, security, login, caBundle } = mail.server;
    const transport = createTransport({
      ...{ host, port, secure: security === 'tls', requireTLS: security === 'starttls' },
      ...(security === 'none' && { ignoreTLS: true }),
      ...(login !== undefined && { auth: { user: login.username, pass: login.password } }),
      ...(caBundle !== undefined && { tls: { ca: caBundle } }),
      ...{ connectionTimeout: PATIENCE_MS, greetingTimeout: PATIENCE_MS },
      ...{ socketTimeout: PATIENCE_MS, dnsTimeout: PATIENCE_MS },
      // A mail is text: nothing of it is ever a path or a URL to read from.
      ...{ disableFileAccess: true, disableUrlAccess: true },
    });
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([transport.sendMail(messageOf(mail)), aborted]);
    } catch (cause) {
      signal.throwIfAborted();
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`mail by ${host} port ${port}: ${reason}`, { cause });
    } finally {
      signal.removeEventListener('abort', abort);
      transport.close();
    }
  },
};

function messageOf({ from, to, subject, text, id }: Mail) {
  const domain = from.slice(from.lastIndexOf('@') + 1);
  return {
    // Lists would be parsed; addresses that are objects are taken as they are.
    from: { name: '', address: from },
    to: to.map((address) => ({ name: '', address })),
    ...{ subject, text, messageId: `<${id}@${domain}>` },
    // RFC 3834 §5: nobody's absence is told to us.
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}
