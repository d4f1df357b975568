import { once } from 'node:events';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { createTlsContexts } from '../tls/contexts.ts';
import { testCertificate } from '../tls/test-certificate.ts';
import { dial, frame, read } from './client.fixture.ts';
import { type DnsListener, type DnsTls, listenDns } from './listener.ts';

const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

const SELF = await testCertificate(['self']);
const NAMED = await testCertificate(['ns1.example.com']);
const TICKETS = Buffer.alloc(48, 7);

async function listen(
  given: Partial<DnsTls> = {},
  limits: Parameters<typeof listenDns>[0]['limits'] = {},
): Promise<DnsListener & { readonly tlsPort: number }> {
  const contexts = createTlsContexts();
  contexts.replace(new Map([['ns1.example.com', NAMED]]));
  const listener = await listenDns({
    addresses: ['127.0.0.1'],
    port: 0,
    answer: (query, { transport }) => Buffer.from(`${transport} ${Buffer.from(query).toString()}`),
    limits,
    tls: {
      port: 0,
      identity: SELF,
      contextFor: contexts.contextFor,
      ticketKeys: TICKETS,
      ...given,
    },
  });
  opened.push(listener);
  return { ...listener, tlsPort: listener.tlsPort ?? 0 };
}

async function dialTls(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({
    ...{ port, host: '127.0.0.1', ALPNProtocols: ['dot'], rejectUnauthorized: false },
    ...options,
  });
  opened.push({ close: () => socket.destroy() });
  await once(socket, 'secureConnect');
  return socket;
}

async function ask(socket: TLSSocket, text: string): Promise<string> {
  socket.write(frame(text));
  return (await read(socket, text.length + 6)).slice(2);
}

describe('DNS over TLS', () => {
  test('answers, over TLS 1.2 and 1.3, with and without ALPN (RFC 7858 §3)', async () => {
    const { tlsPort } = await listen();
    const [modern, old, plain] = await Promise.all([
      dialTls(tlsPort),
      dialTls(tlsPort, { maxVersion: 'TLSv1.2' }),
      dialTls(tlsPort, { ALPNProtocols: [] }),
    ]);
    expect([modern.getProtocol(), modern.alpnProtocol]).toEqual(['TLSv1.3', 'dot']);
    expect(old.getProtocol()).toBe('TLSv1.2');
    for (const socket of [modern, old, plain]) expect(await ask(socket, 'a')).toBe('tls a');
    expect(await ask(modern, 'again')).toBe('tls again');
  });

  test.each<{ when: string; options: ConnectionOptions }>([
    { when: 'TLS 1.1', options: { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' } },
    { when: 'another protocol', options: { ALPNProtocols: ['h2'] } },
  ])('refuses $when', async ({ options }) => {
    const { tlsPort } = await listen();
    await expect(dialTls(tlsPort, options)).rejects.toThrow();
  });

  test('shows the certificate of the name that is asked for, else its own', async () => {
    const { tlsPort } = await listen();
    const [named, unnamed, other] = await Promise.all([
      dialTls(tlsPort, { servername: 'NS1.example.com' }),
      dialTls(tlsPort),
      dialTls(tlsPort, { servername: 'ns2.example.com' }),
    ]);
    const shown = [named, unnamed, other].map((socket) => socket.getPeerCertificate().subject.CN);
    expect(shown).toEqual(['ns1.example.com', 'self', 'self']);
  });

  test('a new certificate is for new connections; open ones stay', async () => {
    const { tlsPort, setTlsIdentity } = await listen();
    const before = await dialTls(tlsPort);
    setTlsIdentity(NAMED);
    const after = await dialTls(tlsPort);
    expect(after.getPeerCertificate().subject.CN).toBe('ns1.example.com');
    expect(await ask(before, 'still here')).toBe('tls still here');
  });

  test('a session resumes with another listener of the same ticket keys', async () => {
    const [one, other] = [await listen(), await listen()];
    const first = await dialTls(one.tlsPort, { maxVersion: 'TLSv1.2' });
    expect(await ask(first, 'a')).toBe('tls a');
    const session = first.getSession();
    const second = await dialTls(other.tlsPort, {
      maxVersion: 'TLSv1.2',
      ...(session !== undefined && { session }),
    });
    expect(second.isSessionReused()).toBe(true);
  });

  test('with new ticket keys a session does not resume, and keeps to them with a new certificate', async () => {
    const listener = await listen();
    const resumes = async (session: Buffer | undefined): Promise<boolean> => {
      const options = { maxVersion: 'TLSv1.2', ...(session !== undefined && { session }) } as const;
      return (await dialTls(listener.tlsPort, options)).isSessionReused();
    };
    const begin = async (): Promise<Buffer | undefined> => {
      const socket = await dialTls(listener.tlsPort, { maxVersion: 'TLSv1.2' });
      expect(await ask(socket, 'a')).toBe('tls a');
      return socket.getSession();
    };
    const first = await begin();
    expect(await resumes(first)).toBe(true);
    listener.setTicketKeys(Buffer.alloc(48, 8));
    expect(await resumes(first)).toBe(false);
    const second = await begin();
    listener.setTlsIdentity(NAMED);
    expect([await resumes(first), await resumes(second)]).toEqual([false, true]);
  });

  test('a client that has ended its side gets its answers', async () => {
    const { tlsPort } = await listen();
    const socket = await dialTls(tlsPort, { allowHalfOpen: true } as ConnectionOptions);
    socket.end(frame('bye'));
    expect(await read(socket, Number.POSITIVE_INFINITY)).toBe('\0\x07tls bye');
  });

  test('counts with TCP, and closes with it', async () => {
    const { port, tlsPort, close } = await listen({}, { connectionsPerAddressMax: 2 });
    const secure = await dialTls(tlsPort);
    expect(await ask(secure, 'a')).toBe('tls a');
    const plain = dial(port);
    plain.write(frame('b'));
    expect(await read(plain, 7)).toBe('\0\x05tcp b');
    const third = dial(port);
    expect(await read(third, 1).catch(() => '')).toBe('');
    await close();
    opened.shift();
    expect(await read(secure, 1).catch(() => '')).toBe('');
    plain.destroy();
  });

  test('a handshake that does not come to its end is cut', async () => {
    const { tlsPort } = await listen({}, { idleMs: 150 });
    const socket = dial(tlsPort);
    // The beginning of a ClientHello that says it is longer.
    socket.write(Buffer.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01));
    expect(await read(socket, 1).catch(() => '')).toBe('');
    socket.destroy();
  });

  test('a client that is silent after its handshake is cut', async () => {
    const { tlsPort } = await listen({}, { idleMs: 2_000 });
    const socket = await dialTls(tlsPort);
    expect(await read(socket, 1).catch(() => '')).toBe('');
  });

  test('what is no TLS at all is cut', async () => {
    const { tlsPort } = await listen();
    const socket = dial(tlsPort);
    socket.write(frame('GET / HTTP/1.1'));
    expect((await read(socket, 100).catch(() => '')).length).toBeLessThan(100);
    socket.destroy();
  });
});
