import { expect, test } from 'vitest';
import { type Link, LinkClosedError } from './link.ts';

/** The two ends of one link: the one that dialled, and the one that was dialled. */
export interface LinkEnds {
  readonly sub: Link;
  readonly dom: Link;
}

/** The contract of `Link`: every implementation passes it. `make` gives a fresh, open link. */
export function linkCases(make: () => Promise<LinkEnds>): void {
  test('frames arrive whole and in order, both ways', async () => {
    const { sub, dom } = await make();
    const large = new Uint8Array(300_000).fill(7);
    sub.send(frame('one'));
    sub.send(large);
    sub.send(frame(''));
    dom.send(frame('answer'));
    const received = await take(dom, 3);
    expect(received.map((each) => each.length)).toEqual([3, 300_000, 0]);
    expect(Buffer.from(received[1] ?? []).equals(large)).toBe(true);
    expect((await take(sub, 1)).map(text)).toEqual(['answer']);
    sub.close();
    dom.close();
  });

  test('a clean close by dom ends the frames of sub, after those that were sent', async () => {
    const { sub, dom } = await make();
    dom.send(frame('last'));
    dom.close();
    expect((await all(sub)).map(text)).toEqual(['last']);
  });

  test('a clean close by sub ends the frames of both', async () => {
    const { sub, dom } = await make();
    sub.send(frame('last'));
    const domReads = all(dom);
    await dom.drained();
    const subReads = all(sub);
    sub.close();
    expect((await domReads).map(text)).toEqual(['last']);
    dom.close();
    expect(await subReads).toEqual([]);
  });

  test.each(['refused', 'lost'] as const)(
    'a close as %s reaches sub with its reason and message',
    async (reason) => {
      const { sub, dom } = await make();
      dom.close(new LinkClosedError(reason, 'node london is revoked'));
      const failure = await all(sub).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(LinkClosedError);
      expect((failure as LinkClosedError).reason).toBe(reason);
      expect((failure as LinkClosedError).message).toContain('node london is revoked');
    },
  );

  test('send tells when the peer does not read, and drained when it does again', async () => {
    const { sub, dom } = await make();
    const piece = new Uint8Array(64 * 1024);
    let sent = 0;
    // The bound is far above what sockets and flow control windows hold.
    while (sent < 10_000) {
      sent += 1;
      if (!sub.send(piece)) break;
    }
    expect(sent).toBeLessThan(10_000);
    const reading = take(dom, sent);
    await sub.drained();
    expect((await reading).length).toBe(sent);
    sub.close();
    dom.close();
  });

  test('after the end send drops silently, drained resolves, and close may be called again', async () => {
    const { sub, dom } = await make();
    dom.close();
    await all(sub);
    sub.send(frame('nobody'));
    await sub.drained();
    sub.close();
    sub.close();
  });
}

function frame(content: string): Uint8Array {
  return Buffer.from(content);
}

function text(content: Uint8Array): string {
  return Buffer.from(content).toString();
}

async function all(link: Link): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  for await (const each of link.frames()) frames.push(each);
  return frames;
}

/** Reads by hand, for leaving a loop early would end the iteration. */
async function take(link: Link, count: number): Promise<Uint8Array[]> {
  const iterator = link.frames()[Symbol.asyncIterator]();
  const frames: Uint8Array[] = [];
  while (frames.length < count) {
    const next = await iterator.next();
    if (next.done === true) break;
    frames.push(next.value);
  }
  return frames;
}
