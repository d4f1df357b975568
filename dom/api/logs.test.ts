import { afterEach, expect, test } from 'vitest';
import type { SessionRequest } from '../../proto/gen/b8s/v1/agent.ts';
import { ReadLogsRequest, type ReadLogsResponse } from '../../proto/gen/b8s/v1/api.ts';
import type { LogReply } from '../../proto/gen/b8s/v1/logs.ts';
import { GATHER_MS, TAIL_MS } from '../gateway/read-logs.ts';
import {
  ADMIN,
  type DomScene,
  domScene,
  type NodeSession,
  siteNamed,
  VIEWER,
} from '../test-scene.ts';

let scene: DomScene;
let stop = new AbortController();

afterEach(() => {
  stop.abort(new Error('the test is over'));
  stop = new AbortController();
  scene.stop();
});

async function start(spec: object = { accessLog: { format: 'json' } }): Promise<void> {
  scene = await domScene();
  await scene.apply(siteNamed('blog', spec));
}

async function edge(name: string, capabilities: readonly string[] = ['logs']) {
  const session = scene.open(await scene.join(name, ['edge']));
  session.hello({ capabilities });
  await scene.clock.advance(50);
  return session;
}

const line = (n: number): string =>
  `{"time":"${new Date(1_800_000_000_000 + n * 1000).toISOString()}","n":${n}}`;

function reply(session: NodeSession, given: Partial<LogReply>): void {
  const value = { id: 1n, lines: [], dropped: 0n, caughtUp: false, error: '', ...given };
  const message: SessionRequest['message'] = { $case: 'logReply', value };
  session.send(message);
}

/** Reads on until the test is over; what has come is in the list. */
function read(
  given: Partial<ReadLogsRequest> = {},
  caller: typeof ADMIN | typeof VIEWER = ADMIN,
): { readonly came: ReadLogsResponse[]; readonly done: Promise<void> } {
  const site = { kind: 'Site', namespace: 'default', name: 'blog' };
  const request = ReadLogsRequest.fromPartial({ site, linesMax: 100, ...given });
  const came: ReadLogsResponse[] = [];
  const done = (async () => {
    for await (const each of scene.term.api.readLogs(request, caller, stop.signal)) came.push(each);
  })();
  done.catch(() => undefined);
  return { came, done };
}

const linesOf = (came: readonly ReadLogsResponse[]) =>
  came.flatMap(({ lines }) => lines.map(({ node, line: text }) => `${node} ${text}`));
const notesOf = (came: readonly ReadLogsResponse[]) => came.flatMap(({ notes }) => notes);

test('lines of all edges come in the order of their time, the newest so many', async () => {
  await start();
  const [ams, fra] = [await edge('ams'), await edge('fra')];
  const { came, done } = read({ linesMax: 4 }, VIEWER);
  await scene.clock.advance(0);
  reply(ams, { lines: [line(1), line(4), line(6)] });
  reply(fra, { lines: [line(2), line(3)] });
  reply(fra, { lines: [line(5)], caughtUp: true });
  reply(ams, { caughtUp: true });
  await scene.clock.advance(0);
  await done;
  expect(linesOf(came)).toEqual([
    `fra ${line(3)}`,
    `ams ${line(4)}`,
    `fra ${line(5)}`,
    `ams ${line(6)}`,
  ]);
});

test('a node that says nothing is named, and does not hold up the others for long', async () => {
  await start();
  const ams = await edge('ams');
  await edge('fra');
  await edge('old', []);
  const { came, done } = read();
  await scene.clock.advance(0);
  reply(ams, { lines: [line(1)], caughtUp: true });
  // Heartbeats keep the sessions.
  for (let second = 0; second < TAIL_MS; second += 1000) {
    for (const session of [ams]) session.send({ $case: 'heartbeat', value: { sequence: 1n } });
    await scene.clock.advance(1000);
  }
  await done;
  expect(linesOf(came)).toEqual([`ams ${line(1)}`]);
  expect(notesOf(came)).toContain('old runs an older version that keeps no access logs');
  expect(notesOf(came).join()).toMatch(/fra/);
});

test('lines that come are told as they come, of nodes that connect later, too', async () => {
  await start();
  const ams = await edge('ams');
  const { came } = read({ follow: true });
  await scene.clock.advance(0);
  reply(ams, { lines: [line(1)] });
  reply(ams, { caughtUp: true });
  await scene.clock.advance(GATHER_MS);
  expect(linesOf(came)).toEqual([`ams ${line(1)}`]);
  const fra = await edge('fra');
  reply(ams, { lines: [line(3), line(4)], dropped: 7n });
  reply(fra, { caughtUp: true, lines: [line(2)] });
  await scene.clock.advance(2 * GATHER_MS);
  expect(linesOf(came).slice(1)).toEqual([`fra ${line(2)}`, `ams ${line(3)}`, `ams ${line(4)}`]);
  expect(came.reduce((sum, { dropped }) => sum + Number(dropped), 0)).toBe(7);
  expect(notesOf(came)).toEqual(['fra is connected; what it answered until now is left out']);
});

test('who reads slowly loses lines and holds up nobody', async () => {
  await start();
  const ams = await edge('ams');
  const site = { kind: 'Site', namespace: 'default', name: 'blog' };
  const request = ReadLogsRequest.fromPartial({ site, follow: true });
  const reading = scene.term.api.readLogs(request, ADMIN, stop.signal)[Symbol.asyncIterator]();
  const first = reading.next();
  await scene.clock.advance(0);
  reply(ams, { caughtUp: true });
  for (let batch = 0; batch < 100; batch += 1)
    reply(ams, { lines: Array.from({ length: 1000 }, (_, n) => line(1000 * batch + n)) });
  await scene.clock.advance(GATHER_MS);
  let [told, dropped] = [0, 0];
  for (let next = await first; ; next = await reading.next()) {
    if (next.done === true) break;
    told += next.value.lines.length;
    dropped += Number(next.value.dropped);
    if (told + dropped >= 100_000) break;
  }
  expect(told + dropped).toBe(100_000);
  expect(told).toBeLessThanOrEqual(5_000);
  await reading.return?.();
});

test('a node whose session ends is named, and what was read of it stays', async () => {
  await start();
  const ams = await edge('ams');
  const { came, done } = read();
  await scene.clock.advance(0);
  reply(ams, { lines: [line(1)] });
  await scene.clock.advance(0);
  await scene.remove('Node', 'ams');
  await scene.clock.advance(100);
  await done;
  expect(linesOf(came)).toEqual([`ams ${line(1)}`]);
  expect(notesOf(came)).toEqual(['ams: its session ended']);
});

test.each([
  ['site that is not there', { site: { kind: 'Site', namespace: '', name: 'shop' } }, /not found/],
  ['kind without a log', { site: { kind: 'Node', namespace: '', name: 'ams' } }, /only Sites/],
  ['node that is not there', { node: 'tokyo' }, /tokyo is no connected edge/],
  ['number beyond all use', { linesMax: 10_001 }, /at most 10000/],
] as const)('a %s is refused', async (_, asked, message) => {
  await start();
  await edge('ams');
  await expect(read(asked).done).rejects.toThrow(message);
});

test.each([[{}], [{ accessLog: { format: 'none' } }], [{ accessLog: {} }]])(
  'a site without an access log (%j) is refused with the mend',
  async (spec) => {
    await start(spec);
    await edge('ams');
    await expect(read().done).rejects.toThrow(/spec\.accessLog\.format/);
  },
);

test('without any edge there is nothing to read', async () => {
  await start();
  await expect(read().done).rejects.toThrow(/no edge is connected/);
});
