import { once } from 'node:events';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { Places } from './places.ts';
import { CoarseTime, type Connection } from './shared.ts';

const LIMITS = { connectionsMax: 100, connectionsPerClientMax: 3 };

/** A socket that is nowhere, and says that it comes from there. */
function fakeSocket(from: string): Socket {
  return Object.defineProperty(new Socket(), 'remoteAddress', { value: from });
}

function connection(isIdle: boolean): Connection {
  return { isIdle, sweep: () => undefined, leave: () => undefined };
}

function place(places: Places, from: string, standing?: 'idle' | 'busy'): Socket {
  const socket = fakeSocket(from);
  places.admit(socket);
  if (standing !== undefined) places.serve(socket, connection(standing === 'idle'));
  return socket;
}

async function close(socket: Socket): Promise<void> {
  socket.destroy();
  await once(socket, 'close');
}

test.each([
  { when: 'one address', from: ['192.0.2.1', '192.0.2.1', '192.0.2.1'], next: '192.0.2.1' },
  { when: 'one /64', from: ['2001:db8::1', '2001:db8::2', '2001:db8::3'], next: '2001:db8::4:5:6' },
])('$when has so many places, and another one has its own', async ({ from, next }) => {
  const places = new Places(LIMITS, new CoarseTime());
  const [first] = from.map((each) => place(places, each));
  expect(place(places, next).destroyed).toBe(true);
  expect(place(places, '2001:db8:0:1::1').destroyed).toBe(false);
  expect(place(places, '192.0.2.2').destroyed).toBe(false);
  if (first !== undefined) await close(first);
  expect(place(places, next).destroyed).toBe(false);
  expect(places.size).toBe(5);
});

test('where there is no room, one that waits for its client makes way, the oldest first', () => {
  const places = new Places({ ...LIMITS, connectionsMax: 4 }, new CoarseTime());
  const busy = place(places, '192.0.2.1', 'busy');
  const older = place(places, '192.0.2.2', 'idle');
  const newer = place(places, '192.0.2.3', 'idle');
  const greeting = place(places, '192.0.2.4');
  place(places, '192.0.2.5', 'busy');
  expect([busy, older, newer, greeting].map(({ destroyed }) => destroyed)).toEqual([
    ...[false, true, false, false],
  ]);
  place(places, '192.0.2.6', 'busy');
  expect(newer.destroyed).toBe(true);
  // All the others are answered, or are new.
  expect(place(places, '192.0.2.7').destroyed).toBe(true);
  expect([busy, greeting].map(({ destroyed }) => destroyed)).toEqual([false, false]);
  expect(places.size).toBe(4);
});

test('a handshake that takes its time makes way', () => {
  const time = new CoarseTime();
  const places = new Places({ ...LIMITS, connectionsMax: 1 }, time);
  const slow = place(places, '192.0.2.1');
  expect(place(places, '192.0.2.2').destroyed).toBe(true);
  time.tick(1500, 0);
  expect(place(places, '192.0.2.2').destroyed).toBe(false);
  expect(slow.destroyed).toBe(true);
});

test('no more than some are looked at for one that comes', () => {
  let looks = 0;
  const places = new Places(
    { connectionsMax: 1000, connectionsPerClientMax: 1000 },
    new CoarseTime(),
  );
  for (let index = 0; index < 1000; index += 1) {
    const socket = fakeSocket('192.0.2.1');
    places.admit(socket);
    places.serve(socket, {
      ...connection(false),
      get isIdle() {
        looks += 1;
        return false;
      },
    });
  }
  expect(place(places, '192.0.2.2').destroyed).toBe(true);
  expect(looks).toBe(64);
});

test('a socket without an address, because it has gone already, is let go', async () => {
  const places = new Places(LIMITS, new CoarseTime());
  const gone = new Socket();
  expect(places.admit(gone)).toBe(true);
  await close(gone);
  expect(places.size).toBe(0);
});
