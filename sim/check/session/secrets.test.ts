import { expect, test } from 'vitest';
import {
  CertificatePlan,
  type PlanObject,
  ZoneKey,
  ZonePlan,
} from '../../../proto/gen/b8s/v1/plan.ts';
import { encodePem } from '../../../runtime/tls/pem.ts';
import type { Check } from '../check.ts';
import { object, Scene } from '../scene.fixture.ts';
import { type NodeFiles, secretsCheck } from './secrets.ts';

const PEM = encodePem('PRIVATE KEY', Buffer.from('a key that is no.'));
const ZONE_PEM = encodePem('PRIVATE KEY', Buffer.from('another that is no.'));
const ZONE_BODY = ZONE_PEM.split('\n')[1] ?? '';
const BODY = PEM.split('\n')[1] ?? '';
const ACCOUNT_PEM = encodePem('PRIVATE KEY', Buffer.from('a third that is no.'));
const MAC_KEY = 'a-mac-key-of-32-bytes-in-base64url-AAAAAAAA';
const TOKEN = 'abcdefghijklmnopqrstuvwxyz012345';
const SEAL_KEY = Buffer.from('0123456789abcdef0123456789abcdef');
const COOKIE_SECRET = Buffer.from('a secret of 16 b');
const TO_EDGE = { node: 'edge', nodeUid: 'Node-edge' };
const TO_NAMESERVER = { node: 'ns', nodeUid: 'Node-ns' };

function world(files: readonly NodeFiles[] = []): Scene {
  const scene = new Scene();
  scene.watch(secretsCheck(scene.ports, { history: scene.history, disks: () => files }));
  scene.put(
    object('Node', 'edge', { spec: { roles: ['edge'] } }),
    object('Node', 'ns', { spec: { roles: ['nameserver'] } }),
  );
  scene.tell((check) => check.confided?.({ kind: 'seal key', bytes: SEAL_KEY }));
  scene.tell((check) => check.confided?.({ kind: 'key', pem: PEM, names: ['blog.test'] }));
  scene.tell((check) => check.confided?.({ kind: 'zone key', pem: ZONE_PEM, zoneUid: 'Zone-z' }));
  scene.tell((check) => check.confided?.({ kind: 'cookie secret', bytes: COOKIE_SECRET }));
  scene.tell((check) => check.confided?.({ kind: 'account key', pem: ACCOUNT_PEM }));
  scene.tell((check) => check.confided?.({ kind: 'mac key', text: MAC_KEY }));
  return scene;
}

const value = (text: string) => JSON.stringify({ kind: 'Site', message: text });
const put = (scene: Scene, key: string, text: string) =>
  scene.commit([{ kind: 'put', key, value: text }]);
const certificate = (keyPem: string): PlanObject => ({
  key: 'certificate/default/blog',
  object: { $case: 'certificate', value: CertificatePlan.fromPartial({ keyPem }) },
});
const zone = (privatePem: string): PlanObject => ({
  key: 'zone/default/z',
  object: { $case: 'zone', value: signedZone(privatePem) },
});
const dns = (secret: Buffer): PlanObject => ({
  key: 'dns/current',
  object: { $case: 'dns', value: { cookieSecrets: [secret] } },
});
const signedZone = (privatePem: string): ZonePlan => ({
  ...ZonePlan.fromPartial({}),
  keys: [ZoneKey.fromPartial({ privatePem })],
});
const sealed = (...texts: readonly string[]) =>
  JSON.stringify(
    texts.map((text) => ({ sealedKey: `v1.${Buffer.from(text).toString('base64url')}` })),
  );

test.each<{ when: string; happens: (scene: Scene) => void }>([
  { when: 'a log says nothing of it', happens: traces('a certificate was issued') },
  {
    when: 'its key is sealed in the store',
    happens: (scene) => void put(scene, '/b8s/system/material/u', sealed('as good as random')),
  },
  {
    when: 'an edge gets it with its certificate',
    happens: (scene) => scene.sendPlan(TO_EDGE, 2n, [certificate(PEM)]),
  },
  {
    when: 'a nameserver gets the key of a zone with it',
    happens: (scene) => scene.sendPlan(TO_NAMESERVER, 2n, [zone(ZONE_PEM)]),
  },
  {
    when: 'a nameserver gets what makes cookies',
    happens: (scene) => scene.sendPlan(TO_NAMESERVER, 2n, [dns(COOKIE_SECRET)]),
  },
  {
    when: 'the hash of a token is kept',
    happens(scene) {
      scene.tell((check) => check.confided?.({ kind: 'token', text: TOKEN }));
      put(scene, '/b8s/system/token/id', JSON.stringify({ secretHash: 'ab'.repeat(32) }));
    },
  },
])('a secret is kept when $when', ({ happens }) => {
  const scene = world();
  happens(scene);
  expect(scene.violations).toEqual([]);
});

test.each<{ when: string; happens: (scene: Scene) => void }>([
  { when: 'a log line has a key', happens: traces(`issued ${JSON.stringify(PEM)}`) },
  { when: 'a log line has the middle of a key', happens: traces(BODY) },
  { when: 'a log line has a key in base64', happens: traces(Buffer.from(PEM).toString('base64')) },
  { when: 'a log line has the key of an account', happens: traces(ACCOUNT_PEM) },
  {
    when: 'the next key of an account is stored as it is, as if it were sealed',
    happens: (scene) =>
      void put(
        scene,
        '/b8s/system/acmeAccount/u',
        sealed(ACCOUNT_PEM).replace('sealedKey', 'nextSealedKey'),
      ),
  },
  {
    when: 'a Secret has a MAC key in the open',
    happens: (scene) => void put(scene, '/b8s/secrets/default/s', value(MAC_KEY)),
  },
  { when: 'a log line has the sealing key', happens: traces(SEAL_KEY.toString('hex')) },
  {
    when: 'a log line has what makes cookies, byte by byte',
    happens: traces(JSON.stringify({ secrets: [COOKIE_SECRET] })),
  },
  {
    when: 'a log line has what makes cookies, as a plain array of bytes',
    happens: traces(JSON.stringify(Uint8Array.from(COOKIE_SECRET))),
  },
  {
    when: 'a record has what makes cookies, in the open',
    happens: (scene) =>
      void put(scene, '/b8s/system/dnsCookie/current', COOKIE_SECRET.toString('base64')),
  },
  {
    when: 'an edge gets what makes cookies',
    happens: (scene) => scene.sendPlan(TO_EDGE, 2n, [dns(COOKIE_SECRET)]),
  },
  {
    when: 'a status has it',
    happens: (scene) => void put(scene, '/b8s/sites/default/blog', value(PEM)),
  },
  {
    when: 'an Event has it',
    happens: (scene) => void put(scene, '/b8s/events/default/e', value(BODY)),
  },
  {
    when: 'history has it',
    happens: (scene) => void put(scene, '/b8s-history/sites/default/blog/1', value(PEM)),
  },
  {
    when: 'the store has it as it is',
    happens: (scene) => void put(scene, '/b8s/system/material/u', JSON.stringify({ key: PEM })),
  },
  {
    when: 'it is sealed with nothing',
    happens: (scene) => void put(scene, '/b8s/system/material/u', sealed(`nonce and tag ${PEM}`)),
  },
  {
    when: 'the second of two is sealed with nothing',
    happens: (scene) =>
      void put(scene, '/b8s/system/signing/default/z', sealed('good', `nonce ${ZONE_PEM}`)),
  },
  {
    when: 'an edge gets the key of a zone',
    happens: (scene) => scene.sendPlan(TO_EDGE, 2n, [zone(ZONE_PEM)]),
  },
  { when: 'a log says the key of a zone', happens: traces(`signed with ${ZONE_BODY}`) },
  {
    when: 'a nameserver gets it',
    happens: (scene) => scene.sendPlan(TO_NAMESERVER, 2n, [certificate(PEM)]),
  },
  {
    when: 'an edge gets it otherwise than with its certificate',
    happens: (scene) => scene.sendPlan(TO_EDGE, 2n, [{ key: BODY, object: undefined }]),
  },
  {
    when: 'a node says it',
    happens(scene) {
      const frame = { ...TO_EDGE, from: 'sub', dom: 'dom#1', bytes: Buffer.from(PEM) } as const;
      scene.tell((check) => check.sent?.(frame));
    },
  },
  {
    when: 'a token was said before it was handed out',
    happens(scene) {
      traces(`made token ${TOKEN}`)(scene);
      scene.tell((check) => check.confided?.({ kind: 'token', text: TOKEN }));
    },
  },
])('INV-33 when $when', ({ happens }) => {
  const scene = world();
  happens(scene);
  expect(scene.numbers[0]).toBe(33);
  expect(scene.violations.join()).not.toContain(BODY);
  expect(scene.violations.join()).not.toContain(ZONE_BODY);
});

test.each<{ when: string; roles: readonly string[]; path: string; violated: number }>([
  { when: 'an edge keeps its plan', roles: ['edge'], path: 'plan.bin', violated: 0 },
  { when: 'an edge has it elsewhere', roles: ['edge'], path: 'partial/x', violated: 1 },
  { when: 'a nameserver has it', roles: ['nameserver'], path: 'plan.bin', violated: 1 },
])('INV-33 on disk, when $when', ({ roles, path, violated }) => {
  const scene = world([{ node: 'london', roles, files: new Map([[path, Buffer.from(PEM)]]) }]);
  scene.tell((check) => check.rested?.());
  expect(scene.numbers).toHaveLength(violated);
});

test.each<{ when: string; roles: readonly string[]; path: string; violated: number }>([
  { when: 'a nameserver keeps its plan', roles: ['nameserver'], path: 'plan.bin', violated: 0 },
  { when: 'a nameserver has it elsewhere', roles: ['nameserver'], path: 'x', violated: 1 },
  { when: 'an edge has it', roles: ['edge'], path: 'plan.bin', violated: 1 },
  { when: 'dom has it', roles: [], path: 'plan.bin', violated: 1 },
])('INV-33 on disk with the key of a zone, when $when', ({ roles, path, violated }) => {
  const scene = world([{ node: 'rome', roles, files: new Map([[path, Buffer.from(ZONE_PEM)]]) }]);
  scene.tell((check) => check.rested?.());
  expect(scene.numbers).toHaveLength(violated);
});

function traces(text: string): (scene: Scene) => void {
  return (scene) => scene.tell((check: Check) => check.traced?.(text));
}
