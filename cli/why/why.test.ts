import { beforeEach, expect, test } from 'vitest';
import type { Condition } from '../../api/object.ts';
import { renderWhy } from '../render/why.ts';
import { type TestCli, testCli } from '../testing/test-cli.ts';
import { explainWhy } from './why.ts';

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
});

const SINCE = '2027-01-15T11:56:00Z';

function condition(type: string, status: Condition['status'], reason: string, message: string) {
  return { type, status, reason, message, lastTransitionTime: SINCE };
}

function putNode(name: string, ready: 'connected' | 'silent' | 'never', spec: object = {}) {
  const conditions = {
    connected: condition('Ready', 'True', 'NodeConnected', 'sub 0.1.0 is connected'),
    silent: condition(
      'Ready',
      'False',
      'NodeSilent',
      `its lease ended: see that sub runs on ${name}`,
    ),
    never: condition('Ready', 'Unknown', 'NeverConnected', 'it has never connected'),
  };
  return cli.api.put({
    ...{ kind: 'Node', metadata: { name }, spec },
    status: { conditions: [conditions[ready]] },
  });
}

function put(kind: string, name: string, conditions: readonly Condition[], more: object = {}) {
  const { spec = {}, status = {} } = more as { spec?: object; status?: object };
  return cli.api.put({
    kind,
    metadata: kind === 'Issuer' ? { name } : { namespace: 'default', name },
    spec,
    status: { ...status, conditions },
  });
}

/** With Ready repeating the first that does not hold, as the content controller has it. */
function putSite(conditions: readonly Condition[], more: object = {}) {
  const first = conditions.find(({ status }) => status !== 'True');
  const ready =
    first === undefined
      ? condition('Ready', 'True', 'Serving', 'released on 2/2 nodes')
      : { ...first, type: 'Ready', message: `${first.type}: ${first.message}` };
  const spec = { hosts: ['blog.example.com'], tls: { issuer: 'letsencrypt' } };
  return put('Site', 'blog', [ready, ...conditions], { spec, ...more });
}

const PROVING = '0/1 names are proven; waiting for london to answer with it';

function putCertificate(reason: string, message: string) {
  const spec = { names: ['blog.example.com'], issuer: 'letsencrypt' };
  const conditions = [
    condition('Ready', 'False', reason, message),
    condition('Renewable', 'False', reason, message),
  ];
  return put('Certificate', 'blog', conditions, { spec });
}

test('a chain from a site over its certificate to a silent nameserver', async () => {
  putNode('london', 'silent');
  putNode('sydney', 'connected');
  putCertificate('WaitingForProof', PROVING);
  putSite([
    condition('ContentReady', 'True', 'Verified', 'verified'),
    condition('CertificateReady', 'False', 'WaitingForProof', PROVING),
  ]);
  const { out, code } = await cli.b8sctl('why site/blog');
  expect(out).toMatchInlineSnapshot(`
    "site/blog: not Ready for 4m
    └─ CertificateReady WaitingForProof: as certificate/blog says (for 4m)
       └─ certificate/blog: not Ready for 4m
          └─ Ready WaitingForProof: 0/1 names are proven; waiting for london to answer with it (for 4m)
             └─ node/london: not Ready for 4m
                └─ Ready NodeSilent: its lease ended: see that sub runs on london (for 4m)
                   → on london: systemctl status b8s-sub, then journalctl -u b8s-sub -n 50
    "
  `);
  expect(code).toBe(0);
});

test.each([
  {
    ...{ when: 'all is well', golden: 'well' },
    world: () => putSite([condition('ContentReady', 'True', 'Verified', 'verified')]),
    line: 'why site blog',
  },
  {
    ...{ when: 'nobody has looked', golden: 'unobserved' },
    world: () => put('Zone', 'z', [], { spec: { origin: 'example.com' } }),
    line: 'why zone/z',
  },
  {
    ...{ when: 'all edges are silent', golden: 'silent-edges' },
    world: () => {
      putNode('fra1', 'silent');
      putNode('nyc1', 'never');
      putNode('ns1', 'silent', { roles: ['nameserver'] });
      const message = 'abababababab waits for an edge to connect: fra1, nyc1';
      putSite([condition('ContentReady', 'False', 'EdgesSilent', message)]);
    },
    line: 'why site blog',
  },
  {
    ...{ when: 'an issuer does not exist', golden: 'no-issuer' },
    world: () => {
      const message = 'spec.issuer "letsencrypt": there is no such Issuer';
      putCertificate('IssuerNotFound', message);
      putSite([condition('CertificateReady', 'False', 'IssuerNotFound', message)]);
    },
    line: 'why site blog',
  },
  {
    ...{ when: 'the terms of the CA are not agreed to', golden: 'terms' },
    world: () => {
      const message = 'Issuer "letsencrypt": read the terms of the CA';
      putCertificate('TermsNotAgreed', message);
      const ready = condition('Ready', 'False', 'TermsNotAgreed', message);
      put('Issuer', 'letsencrypt', [ready], { spec: { ca: {} } });
    },
    line: 'why cert/blog',
  },
  {
    ...{ when: 'a site is ready and its zone is not served', golden: 'zone' },
    world: () => {
      putNode('ns1', 'silent', { roles: ['nameserver'] });
      const message = 'no nameserver is connected; they serve the last version that they got';
      const silent = condition('Ready', 'Unknown', 'NameserversSilent', message);
      put('Zone', 'example', [silent], { spec: { origin: 'example.com' } });
      putSite([condition('ContentReady', 'True', 'Verified', 'verified')], {
        status: { dns: { zones: ['default/example'], candidates: [] } },
      });
    },
    line: 'why site blog',
  },
  {
    ...{ when: 'a connected node is waited for', golden: 'awaited' },
    world: () => {
      putNode('for', 'connected');
      putNode('fra1', 'connected');
      const message = 'released on 1/2 nodes; waiting for fra1 (its disk is full)';
      putSite([condition('Released', 'False', 'Releasing', message)]);
    },
    line: 'why site blog',
  },
  {
    ...{ when: 'a node is cordoned and being deleted', golden: 'node' },
    world: () => {
      const metadata = {
        ...{ name: 'fra1', deletionTimestamp: SINCE, finalizers: ['example.com/backup'] },
      };
      const conditions = [condition('Ready', 'True', 'NodeConnected', 'connected')];
      cli.api.put({
        kind: 'Node',
        metadata,
        spec: { unschedulable: true },
        status: { conditions },
      });
    },
    line: 'why node/fra1',
  },
])('why when $when', async ({ world, line, golden }) => {
  world();
  const { out, error, code } = await cli.b8sctl(line);
  expect({ error, code }).toEqual({ error: '', code: 0 });
  await expect(`$ b8sctl ${line}\n${out}`).toMatchFileSnapshot(`../golden/why/${golden}.txt`);
});

test('a big fleet is counted, not listed', async () => {
  for (let index = 0; index < 17; index += 1) putNode(`n${index}`, 'silent');
  const message = 'x waits for an edge to connect: n0, n1 and 15 more';
  putSite([condition('ContentReady', 'False', 'EdgesSilent', message)]);
  const { out } = await cli.b8sctl('why site blog');
  expect(out.match(/node\/n\d+:/g)).toHaveLength(5);
  expect(out).toContain('└─ and 12 more nodes\n');
});

test('circles end', () => {
  const message = 'waiting for a';
  const node = (name: string) =>
    cli.api.put({
      ...{ kind: 'Zone', metadata: { namespace: 'default', name }, spec: { origin: name } },
      status: { conditions: [condition('Ready', 'False', 'Propagating', message)] },
    });
  const [site] = [
    putSite([condition('CertificateReady', 'False', 'Issuing', 'it is being issued')]),
  ];
  // A certificate that is waited for by itself.
  const objects = new Map([['Certificate/default/blog', { ...node('a'), kind: 'Certificate' }]]);
  const { cause, wanted } = explainWhy(site, { nodes: new Map(), objects }, cli.clock.nowMs());
  expect(wanted).toEqual([]);
  expect(renderWhy(cause, 40).split('\n').length).toBeLessThan(20);
});

test('why fits the terminal, and cannot be made to move the cursor', () => {
  const message = `waiting for ${'word '.repeat(30)}\u001b[2J`;
  const site = putSite([condition('Released', 'False', 'Releasing', message)]);
  const { cause } = explainWhy(site, { nodes: new Map(), objects: new Map() }, cli.clock.nowMs());
  const lines = renderWhy(cause, 50).split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(50);
  expect(lines.join('')).toContain('\\u001b[2J');
});

test('why as JSON, and of what is not there', async () => {
  putNode('fra1', 'silent');
  const { out } = await cli.b8sctl('why node/fra1 -o json');
  expect(JSON.parse(out)).toMatchObject({
    name: 'node/fra1',
    findings: [{ reason: 'NodeSilent' }],
  });
  expect(await cli.b8sctl('why node/nope')).toEqual({
    ...{ out: '', code: 1 },
    error: 'Error from server (NotFound): nodes "nope" not found\n',
  });
});
