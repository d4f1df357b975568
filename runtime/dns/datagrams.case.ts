import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DatagramExchange, Datagrams } from './datagrams.ts';
import type { DatagramPeer } from './memory-datagrams.ts';

export interface DatagramsUnderTest {
  readonly datagrams: Datagrams;
  /** Someone who answers; the address and port to ask at. */
  peer(answer: DatagramPeer): Promise<{ readonly address: string; readonly port: number }>;
  /** Where nobody is. */
  nobody(): Promise<{ readonly address: string; readonly port: number }>;
  close(): Promise<void>;
}

/** Where silence is what is wanted. */
const SHORT = { timeoutMs: 200 };

/** What every implementation of `Datagrams` does. */
export function datagramsCases(name: string, open: () => Promise<DatagramsUnderTest>): void {
  describe(name, () => {
    let under: DatagramsUnderTest;
    beforeEach(async () => {
      under = await open();
    });
    afterEach(() => under.close());

    async function ask(
      target: { readonly address: string; readonly port: number },
      given: Partial<DatagramExchange> & { readonly signal?: AbortSignal } = {},
    ): Promise<string | undefined> {
      const { signal = new AbortController().signal, ...rest } = given;
      const exchange = { from: [], message: Buffer.from('ask'), isReply: () => true, ...rest };
      const reply = await under.datagrams.exchange(
        { timeoutMs: 10_000, ...target, ...exchange },
        signal,
      );
      return reply === undefined ? undefined : Buffer.from(reply).toString();
    }

    test('there and back', async () => {
      const peer = await under.peer((message) => [
        { message: Buffer.from(`${String(message)}ed`) },
      ]);
      expect(await ask(peer)).toBe('asked');
    });

    test('the first reply that is one', async () => {
      const replies = ['no', 'yes', 'yes, too'].map((text) => ({ message: Buffer.from(text) }));
      const peer = await under.peer(() => replies);
      const isReply = (message: Uint8Array): boolean => String(Buffer.from(message)) !== 'no';
      expect(await ask(peer, { isReply })).toBe('yes');
    });

    test('nothing from anywhere else', async () => {
      const peer = await under.peer(() => [{ message: Buffer.from('forged'), port: 1 }]);
      expect(await ask(peer, SHORT)).toBeUndefined();
    });

    test('undefined when nobody answers, or nobody is there', async () => {
      const silent = await under.peer(() => []);
      expect(await ask(silent, SHORT)).toBeUndefined();
      expect(await ask(await under.nobody(), SHORT)).toBeUndefined();
    });

    test('an address that is not of this machine is passed over', async () => {
      const peer = await under.peer(() => [{ message: Buffer.from('here') }]);
      expect(await ask(peer, { from: ['192.0.2.99', '2001:db8::1'] })).toBe('here');
    });

    test('ends when it is told to', async () => {
      const silent = await under.peer(() => []);
      const over = new AbortController();
      const asked = ask(silent, { signal: over.signal, timeoutMs: 60_000 });
      over.abort();
      expect(await asked).toBeUndefined();
      expect(await ask(silent, { signal: over.signal })).toBeUndefined();
    });
  });
}
