import type { Condition } from '../../api/object.ts';
import type { GivenObject } from './fake-api.ts';
import type { TestCli } from './test-cli.ts';

const RELEASE = `sha256-${'ab'.repeat(32)}`;
const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const UID = 'uid-of-';

/** One object of each kind, some of which are not well, at a fixed time: for golden files. */
export function putGoldenWorld({ api }: TestCli): void {
  for (const object of OBJECTS) api.put(object);
}

function cluster(name: string) {
  return { name, uid: UID + name, creationTimestamp: '2027-01-15T11:00:00Z' };
}

function meta(name: string) {
  return { ...cluster(name), namespace: 'default' };
}

function is(
  type: string,
  [status, reason, message]: readonly [Condition['status'], string, string],
) {
  return { type, status, reason, message, lastTransitionTime: '2027-01-15T11:58:00Z' };
}

const SILENT = 'no heartbeat for 40s; it was last heard of from 198.51.100.9';
const UNREACHABLE =
  'the CA could not reach blog.example.com: connection refused; next try at 2027-01-15T12:10:00Z';

const OBJECTS: readonly GivenObject[] = [
  {
    kind: 'Node',
    metadata: { ...cluster('frankfurt'), labels: { region: 'eu' } },
    spec: {
      ...{ ipv4: ['192.0.2.1'], ipv6: ['2001:db8::1'], roles: ['edge', 'nameserver'] },
      location: { latitude: 50.11, longitude: 8.68 },
    },
    status: {
      agentVersion: '0.1.0',
      conditions: [is('Ready', ['True', 'Heard', 'it is heard of'])],
    },
  },
  {
    kind: 'Node',
    metadata: cluster('london'),
    spec: { ipv4: ['198.51.100.9'], roles: ['edge'], unschedulable: true },
    status: { agentVersion: '0.1.0', conditions: [is('Ready', ['False', 'Silent', SILENT])] },
  },
  {
    kind: 'Issuer',
    metadata: cluster('letsencrypt'),
    spec: { acme: { directory: 'https://acme.example/directory', email: 'ops@example.com' } },
    status: { conditions: [is('Ready', ['True', 'Registered', 'the account is there'])] },
  },
  {
    kind: 'Zone',
    metadata: meta('example-com'),
    spec: {
      origin: 'example.com',
      records: [{ name: '@', type: 'MX', values: ['10 mail.example.net.'] }],
    },
    status: {
      serial: 2027011501,
      nameservers: ['frankfurt', 'london'],
      servedBy: { current: 1, total: 2 },
      conditions: [is('Ready', ['False', 'NotServed', 'london does not serve it: it is silent'])],
    },
  },
  {
    kind: 'Site',
    metadata: {
      ...meta('blog'),
      ...{ labels: { app: 'blog' }, annotations: { owner: 'web team' } },
      ...{ finalizers: ['example.com/backup'], deletionTimestamp: '2027-01-15T11:59:00Z' },
    },
    spec: {
      hosts: ['blog.example.com', 'www.blog.example.com', 'old.example.com'],
      content: { release: RELEASE },
      tls: { issuer: 'letsencrypt' },
    },
    status: {
      release: RELEASE,
      rollout: { release: RELEASE, verified: 1, total: 2, startedAt: '2027-01-15T11:58:00Z' },
      conditions: [
        is('Released', ['True', 'Verified', 'the release is on 1 of 2 nodes']),
        is('Ready', ['False', 'NoCertificate', 'no certificate for blog.example.com yet']),
      ],
    },
  },
  {
    kind: 'Release',
    metadata: {
      ...meta(RELEASE),
      ownerReferences: [{ kind: 'Site', name: 'blog', uid: `${UID}blog` }],
    },
    spec: {
      site: 'blog',
      files: 1173,
      sizeBytes: 15_728_640,
      manifest: `sha256:${'cd'.repeat(32)}`,
    },
  },
  {
    kind: 'Certificate',
    metadata: meta('blog-tls'),
    spec: { names: ['blog.example.com', 'www.blog.example.com'], issuer: 'letsencrypt' },
    status: {
      ...{ notAfter: '2027-03-01T00:00:00Z', renewalTime: '2027-02-01T00:00:00Z' },
      nextTry: '2027-01-15T12:10:00Z',
      lastError: UNREACHABLE,
      conditions: [is('Ready', ['False', 'OrderFailed', UNREACHABLE])],
    },
  },
  {
    kind: 'Secret',
    metadata: meta('deploy-key'),
    spec: { data: { 'ssh-privatekey': '', known_hosts: '' } },
  },
  {
    kind: 'Repository',
    metadata: meta('infra'),
    spec: { url: 'https://git.example.com/infra.git', path: 'deploy', branch: 'main' },
    status: {
      ...{ lastAppliedCommit: COMMIT, attemptedCommit: COMMIT, subject: 'Shop moves to Frankfurt' },
      ...{ objects: 7, driftCount: 1 },
      drift: [
        {
          ...{ object: 'Site/default/blog', field: 'spec.ttl', declared: '30', found: '60' },
          ...{ manager: 'b8sctl', time: '2027-01-15T11:59:30Z' },
        },
      ],
      conditions: [is('Ready', ['True', 'Applied', 'all 7 objects are as in 0123456'])],
    },
  },
  {
    kind: 'Notification',
    metadata: meta('ops'),
    spec: { events: { type: 'Warning' }, ntfy: { url: 'https://ntfy.example.com/ops' } },
    status: {
      ...{ lastSent: '2027-01-15T11:50:00Z', sent: 12, nextTry: '2027-01-15T12:01:00Z' },
      lastError: 'ntfy.example.com answered 503',
      conditions: [is('Ready', ['False', 'NotTaken', 'ntfy.example.com answered 503'])],
    },
  },
  {
    kind: 'Event',
    metadata: meta('blog.1'),
    spec: {
      regarding: { kind: 'Site', namespace: 'default', name: 'blog', uid: `${UID}blog` },
      ...{ type: 'Warning', reason: 'OrderFailed', message: UNREACHABLE, count: 3 },
      source: { component: 'certificate-controller' },
      ...{ firstTime: '2027-01-15T11:40:00Z', lastTime: '2027-01-15T11:50:00Z' },
    },
  },
  {
    kind: 'Event',
    metadata: meta('frankfurt.1'),
    spec: {
      regarding: { kind: 'Node', name: 'frankfurt', uid: `${UID}frankfurt` },
      ...{ type: 'Normal', reason: 'Joined', message: 'frankfurt has joined', count: 1 },
      source: { component: 'agent', node: 'frankfurt' },
      ...{ firstTime: '2027-01-15T11:00:00Z', lastTime: '2027-01-15T11:00:00Z' },
    },
  },
];
