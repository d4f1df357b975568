import { expect, test } from 'vitest';
import { recordKey } from '../../../runtime/store/keys.ts';
import type { RecordKind } from '../../../runtime/store/records.ts';
import { keyOfObject, object, Scene } from '../scene.fixture.ts';
import { orphansCheck } from './orphans.ts';

const blog = object('Site', 'blog', { spec: { hosts: ['blog.test'] } });
const owner = { kind: 'Site', name: 'blog', uid: 'Site-blog' };
const pushed = object('Release', 'r1', { spec: { site: 'blog' } });

/** A cluster in which everything has its owner. */
function world(): Scene {
  const scene = new Scene();
  scene.watch(orphansCheck(scene.ports, scene.history));
  scene.put(
    ...[blog, object('Zone', 'z'), object('Node', 'london')],
    object('Certificate', 'blog', { ownerReferences: [owner] }),
    object('Release', 'r2', { spec: { site: 'blog' }, ownerReferences: [owner] }),
  );
  record(scene, 'host', 'blog.test', { siteUid: 'Site-blog', namespace: 'default', name: 'blog' });
  record(scene, 'zone', 'default/z', { zoneUid: 'Zone-z' });
  record(scene, 'signing', 'default/z', { zoneUid: 'Zone-z' });
  record(scene, 'material', 'Certificate-blog', {});
  record(scene, 'session', 'london', { nodeUid: 'Node-london' });
  record(scene, 'report', 'london', { nodeUid: 'Node-london' });
  record(scene, 'token', 'ab', {});
  record(scene, 'geo', 'current', { databases: [] });
  return scene;
}

function record(scene: Scene, kind: RecordKind, id: string, value: object): void {
  scene.commit([{ kind: 'put', key: recordKey(kind, id), value: JSON.stringify(value) }]);
}

function rests(scene: Scene): readonly string[] {
  scene.tell((check) => check.rested?.());
  return scene.violations.map((each) => each.split(' ')[1] ?? '');
}

test('where everything has its owner nothing is left over', () => {
  expect(rests(world())).toEqual([]);
});

test.each<{ when: string; happens: (scene: Scene) => void; left: string }>([
  {
    when: 'the Node of a report is gone',
    happens: (scene) => record(scene, 'report', 'paris', { nodeUid: 'Node-paris' }),
    left: '/b8s/system/report/paris',
  },
  {
    when: 'the Node of a session is another',
    happens: (scene) => record(scene, 'session', 'london', { nodeUid: 'earlier' }),
    left: '/b8s/system/session/london',
  },
  {
    when: 'the Zone of a version is another',
    happens: (scene) => record(scene, 'zone', 'default/z', { zoneUid: 'earlier' }),
    left: '/b8s/system/zone/default/z',
  },
  {
    when: 'the Zone of a key is another',
    happens: (scene) => record(scene, 'signing', 'default/z', { zoneUid: 'earlier' }),
    left: '/b8s/system/signing/default/z',
  },
  {
    when: 'the Certificate of a key is gone',
    happens: (scene) => record(scene, 'material', 'earlier', {}),
    left: '/b8s/system/material/earlier',
  },
  {
    when: 'the Site of a host is another',
    happens: (scene) =>
      record(scene, 'host', 'blog.test', { siteUid: 'x', namespace: 'default', name: 'blog' }),
    left: '/b8s/system/host/blog.test',
  },
  {
    when: 'the Site of a host gave it up',
    happens: (scene) =>
      record(scene, 'host', 'a.test', { siteUid: 'Site-blog', namespace: 'default', name: 'blog' }),
    left: '/b8s/system/host/a.test',
  },
  {
    when: 'there is a second geography',
    happens: (scene) => record(scene, 'geo', 'other', { databases: [] }),
    left: '/b8s/system/geo/other',
  },
  {
    when: 'nobody knows the record',
    happens: (scene) => void scene.commit([{ kind: 'put', key: '/b8s/system/x/y', value: '{}' }]),
    left: '/b8s/system/x/y',
  },
  {
    when: 'the owner of a Certificate is gone',
    happens: (scene) =>
      void scene.put(
        object('Certificate', 'shop', { ownerReferences: [{ ...owner, name: 'shop' }] }),
      ),
    left: '/b8s/certificates/default/shop',
  },
  {
    when: 'the Site that a Release was pushed for came and went',
    happens(scene) {
      const shop = object('Site', 'shop');
      scene.put(object('Release', 'r3', { spec: { site: 'shop' } }), shop);
      scene.remove(keyOfObject(shop));
    },
    left: '/b8s/releases/default/r3',
  },
])('INV-7 when $when', ({ happens, left }) => {
  const scene = world();
  happens(scene);
  expect(rests(scene)).toEqual([left]);
  expect(scene.numbers).toEqual([7]);
});

test.each<{ when: string; happens: (scene: Scene) => void }>([
  { when: 'a Release waits to be taken over', happens: (scene) => void scene.put(pushed) },
  {
    when: 'it waits for a Site that is still to come',
    happens: (scene) => void scene.put(object('Release', 'r4', { spec: { site: 'new' } })),
  },
  {
    when: 'one of two owners is gone',
    happens: (scene) =>
      void scene.put(
        object('Release', 'r5', { ownerReferences: [{ ...owner, uid: 'gone' }, owner] }),
      ),
  },
  {
    when: 'its owner is of a kind that nobody knows',
    happens: (scene) =>
      void scene.put(object('Release', 'r6', { ownerReferences: [{ ...owner, kind: 'Fleet' }] })),
  },
])('it is no orphan when $when', ({ happens }) => {
  const scene = world();
  happens(scene);
  expect(rests(scene)).toEqual([]);
});
