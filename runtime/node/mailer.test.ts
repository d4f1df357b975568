import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { Mail } from '../mailer.ts';
import { openMailServer, type TestMailServer } from './mail-server.fixture.ts';
import { nodeMailer } from './mailer.ts';
import { testCertificate } from './tls/test-certificate.ts';

const signal = new AbortController().signal;
const certificate = await testCertificate(['localhost']);
const TLS = { key: certificate.keyPem, cert: certificate.chainPem };

let server: TestMailServer | undefined;
let plain: Server | undefined;
const sockets = new Set<Socket>();
afterEach(async () => {
  await server?.close();
  server = undefined;
  for (const socket of sockets) socket.destroy();
  plain?.close();
  plain = undefined;
});

function mail(port: number, to: Partial<Mail['server']> = {}, more: Partial<Mail> = {}): Mail {
  return {
    server: { host: 'localhost', port, security: 'starttls', caBundle: TLS.cert, ...to },
    ...{ from: 'b8s@example.com', to: ['ops@example.com'], id: 'abc' },
    ...{ subject: 'b8s warning: Zürich', text: 'line one\n.\nline two\n' },
    ...more,
  };
}

test('a mail arrives whole, encrypted, and says that no person wrote it', async () => {
  server = await openMailServer(TLS);
  await nodeMailer.send(mail(server.port, {}, { to: ['a@example.com', 'b@example.com'] }), signal);
  const [arrived] = server.mails;
  expect(arrived).toMatchObject({
    from: 'b8s@example.com',
    to: ['a@example.com', 'b@example.com'],
    encryption: 'encrypted',
    user: undefined,
  });
  expect(arrived?.data).toContain('Message-ID: <abc@example.com>');
  expect(arrived?.data).toContain('Auto-Submitted: auto-generated');
  expect(arrived?.data).toMatch(/Subject: =\?UTF-8\?/);
  expect(arrived?.data).toMatch(/line one\r\n\.\r\nline two/);
});

test('encrypted from the start, with a login', async () => {
  server = await openMailServer({ ...TLS, secure: true });
  const login = { username: 'ada', password: 'right' };
  await nodeMailer.send(mail(server.port, { security: 'tls', login }), signal);
  expect(server.mails).toMatchObject([{ encryption: 'encrypted', user: 'ada' }]);
});

test('in the clear, where that is asked for', async () => {
  server = await openMailServer({ ...TLS });
  await nodeMailer.send(mail(server.port, { security: 'none' }), signal);
  expect(server.mails).toMatchObject([{ encryption: 'plain' }]);
});

test.each<{ when: string; to: Partial<Mail['server']>; secure?: true; error: RegExp }>([
  { when: 'the server does not encrypt', to: {}, error: /STARTTLS/i },
  {
    when: 'its certificate is of nobody we know',
    to: { caBundle: undefined },
    error: /self-signed/,
  },
  { when: 'its certificate is for another name', to: { host: '127.0.0.1' }, error: /127\.0\.0\.1/ },
  {
    when: 'the password is wrong',
    to: { login: { username: 'ada', password: 'wrong' } },
    error: /Invalid login|no: wrong/,
  },
])('nothing is sent when $when', async ({ when, to, error }) => {
  const isPlain = when === 'the server does not encrypt';
  server = await openMailServer(isPlain ? { disabledCommands: ['STARTTLS'] } : TLS);
  await expect(nodeMailer.send(mail(server.port, to), signal)).rejects.toThrow(error);
  expect(server.mails).toEqual([]);
});

test('a recipient that is refused is said', async () => {
  server = await openMailServer({
    ...TLS,
    onRcptTo: (_address, _session, done) => done(new Error('no such user')),
  });
  await expect(nodeMailer.send(mail(server.port), signal)).rejects.toThrow(/no such user/);
});

test('a subject cannot begin another header, and an address is one address', async () => {
  server = await openMailServer(TLS);
  const more = { subject: 'a\r\nBcc: eve@example.com', to: ['ops@example.com'] };
  await nodeMailer.send(mail(server.port, {}, more), signal);
  const [arrived] = server.mails;
  expect(arrived?.to).toEqual(['ops@example.com']);
  expect(arrived?.data.split('\r\n\r\n')[0]).not.toMatch(/^Bcc:/m);
});

test('a server that says nothing is waited for until the signal says otherwise', async () => {
  plain = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
  const { promise, resolve } = Promise.withResolvers<void>();
  plain.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = plain.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const stopping = new AbortController();
  const sending = nodeMailer.send(mail(port, { host: '127.0.0.1' }), stopping.signal);
  stopping.abort(new Error('dom stops'));
  await expect(sending).rejects.toThrow('dom stops');
});
