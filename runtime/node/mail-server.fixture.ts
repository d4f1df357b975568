import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface TestMailServer {
  readonly port: number;
  /** As they came, with their envelopes. */
  readonly mails: readonly TestMail[];
  close(): Promise<void>;
}

export interface TestMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Head and body, as bytes in Latin-1. */
  readonly data: string;
  readonly encryption: 'encrypted' | 'plain';
  /** Who logged in. */
  readonly user: string | undefined;
}

/** A mail server that keeps what it is given, on loopback. */
export async function openMailServer(
  options: SMTPServerOptions & { readonly host?: string } = {},
): Promise<TestMailServer> {
  const mails: TestMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    onAuth({ username, password }, _session, done) {
      const isRight = username === 'ada' && password === 'right';
      done(isRight ? null : new Error(`no: ${password}`), isRight ? { user: username } : undefined);
    },
    onData(stream, session, done) {
      const pieces: Buffer[] = [];
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          data: Buffer.concat(pieces).toString('latin1'),
          encryption: session.secure ? 'encrypted' : 'plain',
          user: typeof session.user === 'string' ? session.user : undefined,
        });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, options.host ?? '127.0.0.1', resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
