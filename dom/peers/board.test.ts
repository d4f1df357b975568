import { beforeEach, describe, expect, test } from 'vitest';
import { scene as newScene, type Scene } from '../../controllers/test-scene.ts';
import type { PeerOffer } from '../../proto/gen/b8s/v1/agent.ts';
import { digestOf } from '../../runtime/content/digest.ts';
import { checkPeerPath, peerPath } from '../../runtime/content/peer-url.ts';
import { noMetrics } from '../../runtime/metrics.ts';
import { GRANT_S, LISTS_MAX, LOAD_MS, PeerBoard, SENDING_MS } from './board.ts';

const MB = 1024 * 1024;
const list = digestOf(Buffer.from('a release'));
const offer: PeerOffer = { fingerprint: Buffer.alloc(32, 1), key: Buffer.alloc(32, 2) };
let world: Scene;
let board: PeerBoard;
const offers = new Map<string, PeerOffer>();

beforeEach(async () => {
  world = await newScene();
  offers.clear();
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) await edge(name);
  board = new PeerBoard({
    ...{ world: world.world, clock: world.clock, metrics: noMetrics },
    offerOf: (node) => offers.get(node),
    limits: { uploadsMax: 1, freeBytes: 0, fanout: 2, peersMax: 3 },
  });
});

async function edge(name: string): Promise<void> {
  await world.node(name);
  await world.configure('Node', name, { ipv4: ['192.0.2.1'], ipv6: [] });
  await world.settle();
  offers.set(name, offer);
}

function ask(name: string, more: { failed?: readonly string[]; of?: typeof list } = {}) {
  const uid = world.world.get('Node', { name })?.metadata.uid ?? '';
  const { failed = [], of = list } = more;
  const peers = board.find({ name, uid }, { list: of, missingBytes: 9 * MB, failed });
  return peers.map(({ node }) => node);
}

describe('who asks where to fetch from', () => {
  test('the first is sent to by dom, others fetch from those before them', () => {
    expect(ask('a')).toEqual([]);
    expect(ask('b')).toEqual(['a']);
    expect(ask('c')).toEqual(['a', 'b']);
    // By now two fetch from the first.
    expect(ask('d')).toEqual(['b', 'c', 'a']);
  });

  test('dom is free again once it has sent nothing for a while', async () => {
    expect(ask('a')).toEqual([]);
    const upload = board.upload('a');
    await world.clock.advance(10 * SENDING_MS);
    expect(ask('b')).toEqual(['a']);
    upload.end();
    await world.clock.advance(SENDING_MS - 1);
    expect(ask('c')).not.toEqual([]);
    await world.clock.advance(1);
    expect(ask('d')).toEqual([]);
  });

  test('dom says whether it sends anything, to whomever', async () => {
    expect(board.isSending()).toBe(false);
    const upload = board.upload('somebody who never asked');
    await world.clock.advance(60_000);
    expect(board.isSending()).toBe(true);
    upload.end();
    expect(board.isSending()).toBe(true);
    await world.clock.advance(500);
    expect(board.isSending()).toBe(false);
  });

  test('two never wait for each other, whoever fails', () => {
    expect([ask('a'), ask('b'), ask('c')]).toEqual([[], ['a'], ['a', 'b']]);
    expect(ask('b', { failed: ['a'] })).toEqual([]);
    expect(ask('a')).toEqual([]);
    expect(ask('c', { failed: ['a', 'b'] })).toEqual([]);
  });

  test('who has reported that it has it all is named, whatever was asked before', async () => {
    const verified = { verified: [list] };
    const site = { uid: 'u', generation: 1, serving: '', certificate: '', error: '', ...verified };
    await world.report('f', { sites: [site] });
    await world.settle();
    expect(ask('a')).toEqual([]);
    expect(ask('b')).toEqual(['a', 'f']);
  });

  const unfit: readonly (readonly [when: string, spoil: () => Promise<void> | void])[] = [
    ['it is not connected', () => void offers.delete('a')],
    ['it is cordoned', () => world.configure('Node', 'a', { unschedulable: true })],
    ['it is no edge any more', () => world.configure('Node', 'a', { roles: ['nameserver'] })],
    ['it has no address', () => world.configure('Node', 'a', { ipv4: [], ipv6: [] })],
    ['it was removed', () => world.remove('Node', 'a')],
  ];
  test.each(unfit)('nobody is sent to a node when %s', async (_when, spoil) => {
    expect(ask('a')).toEqual([]);
    await spoil();
    await world.settle();
    expect(ask('b')).toEqual([]);
  });

  test('a load is forgotten after a while', async () => {
    ask('a');
    for (const name of ['b', 'c', 'd', 'e']) ask(name);
    await world.clock.advance(LOAD_MS);
    board.upload('a');
    expect(ask('a')).toEqual([]);
    expect(ask('f')).toEqual(['a', 'b', 'c']);
  });

  test('what it is given is good for that list and node, and for ten minutes', () => {
    ask('a');
    const uid = world.world.get('Node', { name: 'b' })?.metadata.uid ?? '';
    const [peer] = board.find({ name: 'b', uid }, { list, missingBytes: 9 * MB, failed: [] });
    if (peer === undefined) throw new Error('nobody was named');
    expect(peer).toMatchObject({ node: 'a', addresses: ['192.0.2.1'], httpsPort: 443 });
    expect(peer.fingerprint).toBe('01'.repeat(32));
    const blob = digestOf(Buffer.from('a file'));
    const path = peerPath({ list, node: 'b', untilS: peer.untilS, key: peer.grant }, blob);
    const nowS = Math.floor(world.clock.nowMs() / 1000);
    const check = (atS: number) => checkPeerPath(path, { key: offer.key, nowS: atS });
    expect(check(nowS)).toMatchObject({ kind: 'one', digest: blob });
    expect(check(nowS + GRANT_S)).toMatchObject({ kind: 'refused' });
  });

  test('no more than so many lists are remembered', async () => {
    ask('a');
    for (let count = 0; count < LISTS_MAX; count += 1)
      ask('b', { of: digestOf(Buffer.from(`release ${count}`)) });
    await world.clock.advance(SENDING_MS);
    // As if nobody had asked for it.
    ask('f', { of: digestOf(Buffer.from('to keep dom busy')) });
    expect(ask('c')).toEqual([]);
  });
});
