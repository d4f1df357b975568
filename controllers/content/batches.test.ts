import { expect, test } from 'vitest';
import type { Release } from '../../api/release.ts';
import { ROLLOUT_RESUMED } from '../../api/requests.ts';
import type { Site } from '../../api/site.ts';
import { digest, object, served, view } from '../test-scene.ts';
import { planSite } from './plan.ts';
import type { Verdict } from './watch.ts';

const START_MS = Date.parse('2026-03-01T12:00:00.700Z');
const OLD = digest('1');
const NEW = digest('2');
const NEXT = digest('3');
const WELL: Verdict = { kind: 'well' };
const WATCHING: Verdict = { kind: 'watching', recheckInMs: 1000, ills: [] };
const WORSE: Verdict = { kind: 'worse', why: '9 % of the answers are errors' };

interface EdgeState {
  readonly verified?: readonly string[];
  readonly connected?: boolean;
  readonly error?: string;
}

/** A Site of which the controller writes the status, edges that do as they are told, and a clock. */
class Story {
  site: Site;
  nowMs = START_MS;
  readonly edges = new Map<string, EdgeState>();

  constructor(rollout: object = {}, names: readonly string[] = ['a', 'b', 'c', 'd']) {
    const spec = {
      hosts: ['blog.example.com'],
      content: { release: NEW },
      rollout: { strategy: 'rolling', ...rollout },
    };
    const status = { release: OLD, switchedAt: '2026-03-01T11:00:00.000Z' };
    this.site = object('Site', 'blog', spec, { status });
    for (const name of names) this.edges.set(name, {});
  }

  /** One reconcile; gives when it wants to be asked again. */
  look(verdict?: Verdict): number {
    const wanted = this.site.spec.content?.release ?? '';
    const release: Release = object('Release', wanted, { site: 'blog', files: 1, sizeBytes: 1 });
    const edges = [...this.edges].map(([name, state]) => {
      const { verified = [OLD, NEW, NEXT], connected = true, error = '' } = state;
      const serving = this.tells()[name] ?? OLD;
      const report = { sites: [{ ...served(this.site, serving), verified, error }] };
      return view(name, { connected, report });
    });
    const site = { site: this.site, certificate: undefined, hosts: [] };
    const facts = { ...site, release, edges, verdict, nameservers: [] };
    const { status, recheckInMs } = planSite(facts, this.nowMs);
    this.site = { ...this.site, status };
    this.nowMs += 1000;
    return recheckInMs;
  }

  want(change: object): void {
    this.site = { ...this.site, spec: { ...this.site.spec, ...change } };
  }

  resume(): void {
    const annotations = { [ROLLOUT_RESUMED]: new Date(this.nowMs).toISOString() };
    this.site = { ...this.site, metadata: { ...this.site.metadata, annotations } };
  }

  /** By node, what it is told beside `status.release`. */
  tells(): Readonly<Record<string, string>> {
    const ahead = this.site.status?.ahead ?? [];
    return Object.fromEntries(
      ahead.flatMap(({ release, nodes }) => nodes.map((node) => [node, release])),
    );
  }

  get phase() {
    return this.site.status?.rollout?.phase;
  }

  get content() {
    return this.site.status?.conditions?.find(({ type }) => type === 'ContentReady');
  }
}

test('batches follow one another once each was watched, and the last one ends it', () => {
  const story = new Story({ batch: '2' });
  expect(story.look()).toBe(1000);
  expect(story.tells()).toEqual({ a: NEW, b: NEW });
  expect(story.site.status?.rollout).toMatchObject({
    ...{ release: NEW, from: OLD, phase: 'rolling', verified: 4, switched: 2, total: 4 },
    batchAt: '2026-03-01T12:00:00.700Z',
  });
  story.look(WATCHING);
  expect(Object.keys(story.tells())).toEqual(['a', 'b']);
  story.look(WELL);
  expect(Object.keys(story.tells())).toEqual(['a', 'b', 'c', 'd']);
  story.look(WATCHING);
  expect(story.site.status?.release).toBe(OLD);
  expect(story.look(WELL)).toBe(Infinity);
  expect(story.site.status).toMatchObject({
    release: NEW,
    // What the first nodes have said from the start, not when the last ones followed.
    switchedAt: '2026-03-01T12:00:00.000Z',
    rollout: { phase: 'done', finishedAt: '2026-03-01T12:00:04.700Z' },
  });
  expect(story.site.status?.ahead).toBeUndefined();
  expect(story.site.status?.rollout?.switched).toBeUndefined();
});

test.each([
  { batch: '1', count: 1 },
  { batch: '3', count: 3 },
  { batch: '9', count: 4 },
  { batch: '10%', count: 1 },
  { batch: '50%', count: 2 },
  { batch: '99%', count: 3 },
  { batch: '100%', count: 4 },
])('a batch of $batch of four nodes is $count', ({ batch, count }) => {
  const story = new Story({ batch });
  story.look();
  expect(Object.keys(story.tells())).toHaveLength(count);
});

test('nobody is switched before everyone connected has verified it (INV-28)', () => {
  const story = new Story();
  story.edges.set('d', { verified: [OLD] }).set('c', { verified: [OLD], connected: false });
  story.look();
  expect(story.tells()).toEqual({});
  expect(story.phase).toBe('verifying');
  story.nowMs += 10 * 60_000;
  story.look();
  expect(story.tells()).toEqual({ a: NEW });
});

test('the first release of a site has none to go back to: everyone switches at once', () => {
  const story = new Story();
  story.site = { ...story.site, status: {} };
  story.look();
  expect(story.site.status).toMatchObject({ release: NEW, rollout: { phase: 'done' } });
});

test('what does worse is undone, named with its reason, and not tried again', () => {
  const story = new Story();
  story.look();
  story.look(WORSE);
  story.look();
  const { status } = story.site;
  expect(status?.ahead).toBeUndefined();
  expect(status).toMatchObject({
    release: OLD,
    // Later than what the first node said: an older file is never "not modified".
    switchedAt: '2026-03-01T12:00:01.000Z',
    rollout: { release: NEW, from: OLD, phase: 'undone', message: WORSE.why },
  });
  expect(story.content).toMatchObject({ status: 'False', reason: 'RolloutUndone' });
  expect(story.content?.message).toContain('b8sctl rollout resume site/blog');
  for (let time = 0; time < 5; time += 1) {
    story.nowMs += 3_600_000;
    expect(story.look()).toBe(Infinity);
    expect(story.site.status).toEqual(status);
  }
});

test('what was undone begins anew when a person says so, and when another one was wanted', () => {
  const story = new Story();
  story.look();
  story.look(WORSE);
  story.resume();
  story.look();
  expect([story.phase, story.tells()]).toEqual(['rolling', { a: NEW }]);
  story.look(WORSE);
  story.look();
  // The same request does nothing twice.
  expect([story.phase, story.tells()]).toEqual(['undone', {}]);
  story.want({ content: { release: OLD } });
  story.look();
  expect([story.phase, story.content?.status]).toEqual(['done', 'True']);
  story.want({ content: { release: NEW } });
  story.look();
  expect([story.phase, story.tells()]).toEqual(['rolling', { a: NEW }]);
});

test('with onFailure: pause it stays where it is until a person goes on or back', () => {
  const story = new Story({ onFailure: 'pause' });
  story.look();
  story.look(WORSE);
  for (const verdict of [undefined, WELL]) story.look(verdict);
  expect([story.phase, story.tells()]).toEqual(['halted', { a: NEW }]);
  expect(story.content?.reason).toBe('RolloutHalted');
  story.nowMs = START_MS - 3_600_000;
  story.look();
  expect(story.phase, 'a clock that goes back is no person').toBe('halted');
  story.resume();
  story.look();
  expect([story.phase, story.site.status?.rollout?.message]).toEqual(['rolling', undefined]);
  story.look(WELL);
  expect(Object.keys(story.tells())).toEqual(['a', 'b']);
  story.look(WORSE);
  story.want({ content: { release: OLD } });
  story.look();
  expect([story.phase, story.tells(), story.site.status?.release]).toEqual(['done', {}, OLD]);
});

test('paused, nobody is switched, also in the midst of it; resumed, it is watched first', () => {
  const paused = { strategy: 'rolling', paused: true };
  const story = new Story(paused);
  story.want({ rollout: { ...story.site.spec.rollout, paused: true } });
  story.look();
  expect([story.phase, story.tells(), story.content?.reason]).toEqual([
    ...['paused', {}, 'RolloutPaused'],
  ]);
  story.want({ rollout: { ...story.site.spec.rollout, paused: false } });
  story.look();
  story.want({ rollout: { ...story.site.spec.rollout, paused: true } });
  story.look(WORSE);
  expect([story.phase, story.tells()]).toEqual(['paused', { a: NEW }]);
  story.want({ rollout: { ...story.site.spec.rollout, paused: false } });
  story.look();
  expect([story.phase, story.tells()]).toEqual(['rolling', { a: NEW }]);
});

test('overtaken by a third release, nodes go on to it from where they are', () => {
  const story = new Story({ batch: '2' });
  story.look();
  story.want({ content: { release: NEXT } });
  story.look();
  expect(story.tells()).toEqual({ a: NEXT, b: NEXT });
  story.want({ content: { release: NEW } });
  story.look(WATCHING);
  story.look();
  const { ahead } = story.site.status ?? {};
  expect(ahead).toHaveLength(1);
  // Later than the files of the third one.
  expect(ahead?.[0]).toMatchObject({ release: NEW, nodes: ['a', 'b'] });
  expect(Date.parse(ahead?.[0]?.switchedAt ?? '')).toBeGreaterThan(
    Date.parse('2026-03-01T12:00:01Z'),
  );
});

test('back to what most serve: all that went ahead come back at once', () => {
  const story = new Story();
  story.look();
  story.want({ content: { release: OLD } });
  story.look();
  expect([story.phase, story.tells()]).toEqual(['done', {}]);
  expect(story.site.status?.switchedAt).toBe('2026-03-01T12:00:01.000Z');
});

test('an ill node is switched last, without being blamed on the release, or left to catch up', () => {
  const story = new Story({ batch: '4' });
  story.edges.set('b', { error: 'disk full' });
  story.look();
  expect(Object.keys(story.tells())).toEqual(['a', 'c', 'd']);
  expect(story.look(WELL)).toBe(10 * 60_000 - 1000);
  expect(story.phase).toBe('rolling');
  story.nowMs += 10 * 60_000;
  story.look(WELL);
  expect(story.site.status).toMatchObject({ release: NEW, rollout: { phase: 'done' } });
});

test('the condition says what a rollout waits for', () => {
  const story = new Story();
  story.edges.set('a', { error: 'disk full' }).set('b', { connected: false });
  story.edges.delete('c');
  story.edges.delete('d');
  story.look();
  const verified = 'sha256-222222222222 is verified on 1/1 edges';
  expect(story.content?.message).toBe(`${verified}; not switched while a (disk full)`);
  story.edges.set('a', {}).set('b', {});
  story.look();
  const served = 'sha256-222222222222 is served on 1/2 edges';
  expect(story.content?.message).toBe(`${served}; next, if these do well for 30s: b`);
  story.edges.set('a', { connected: false });
  story.look(WATCHING);
  const away = 'sha256-222222222222 is served on 1/1 edges';
  expect(story.content?.message).toBe(`${away}; not well as yet: a is not connected`);
});

test('a node that is none any more is forgotten; one that comes in is switched in its turn', () => {
  const story = new Story({ batch: '2' });
  story.look();
  story.edges.delete('a');
  story.edges.set('e', {});
  story.look(WATCHING);
  expect(Object.keys(story.tells())).toEqual(['b']);
  story.look(WELL);
  story.look(WELL);
  expect(Object.keys(story.tells())).toEqual(['b', 'c', 'd', 'e']);
});

test('all at once, while a rolling one was under way', () => {
  const story = new Story();
  story.look();
  story.want({ rollout: { ...story.site.spec.rollout, strategy: 'all' } });
  story.look();
  expect(story.site.status).toMatchObject({ release: NEW, rollout: { phase: 'done' } });
  expect(story.tells()).toEqual({});
});

test('while nothing happens a rollout writes nothing (INV-2)', () => {
  const story = new Story();
  story.look();
  story.look(WATCHING);
  const { status } = story.site;
  for (let time = 0; time < 3; time += 1) story.look(WATCHING);
  expect(story.site.status).toEqual(status);
});
