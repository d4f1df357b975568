import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Node } from '../../api/node.ts';
import { DnsCandidate, DnsExplanation } from '../../proto/gen/b8s/v1/agent.ts';
import { ApiError } from '../../runtime/api-client.ts';
import { type Running, type TestCli, testCli } from '../testing/test-cli.ts';

let cli: TestCli;

beforeEach(() => {
  cli = testCli();
  for (const name of ['fra1', 'nyc1']) putNode(name);
  putZone('example.com');
  putSite('blog', { candidates: ['fra1', 'nyc1'] });
  explain('fra1', 'unschedulable');
  explain('nyc1', 'unschedulable');
});

function putNode(name: string, spec: object = {}, ready = 'True'): void {
  const conditions = [
    { type: 'Ready', status: ready, reason: 'R', message: '', lastTransitionTime: '' },
  ];
  cli.api.put({
    ...{ kind: 'Node', metadata: { name }, status: { conditions } },
    spec: { roles: ['edge', 'nameserver'], ipv4: ['192.0.2.9'], ...spec },
  });
}

function putSite(name: string, dns?: { readonly candidates: readonly string[] }, ttl = 60): void {
  cli.api.put({
    ...{ kind: 'Site', metadata: { namespace: 'default', name } },
    spec: { hosts: [`${name}.example.com`], ttl },
    status: { release: 'sha256-1', ...(dns && { dns: { zones: ['default/z'], ...dns } }) },
  });
}

function putZone(origin: string, spec: object = {}, status: object = {}): void {
  cli.api.put({
    ...{ kind: 'Zone', metadata: { namespace: 'default', name: 'z' }, status },
    spec: { origin, soa: { refreshS: 3_600 }, ...spec },
  });
}

/** What a nameserver says of fra1, and of nyc1. */
function explain(server: string, health: string, other = 'up'): void {
  const candidates = [
    DnsCandidate.fromPartial({ node: 'fra1', health }),
    DnsCandidate.fromPartial({ node: 'nyc1', health: other }),
  ];
  const explanation = DnsExplanation.fromPartial({ nameserver: server });
  cli.api.explanations.set(server, { ...explanation, candidates });
}

/** Which version of the zone a nameserver has; it names nyc1 alone. */
function explainZone(server: string, serial: number): void {
  const zone = { nameserver: server, zone: 'z', serial };
  cli.api.explanations.set(server, DnsExplanation.fromPartial(zone));
}

/** Starts it, and lets it come to where it waits for time to pass. */
async function started(line: string): Promise<Running> {
  const running = cli.start(line);
  await vi.waitFor(() => expect(running.out()).toMatch(/waiting/), { timeout: 10_000 });
  return running;
}

const spec = (name: string): Node['spec'] =>
  (cli.api.objects().find(({ metadata }) => metadata.name === name) as Node).spec;

test('it is left out, forgotten, and then its clients are asked to leave', async () => {
  explain('nyc1', 'up');
  const drain = await started('drain fra1');
  expect(spec('fra1')).toMatchObject({ unschedulable: true });
  expect(drain.out()).toBe(
    'node.b8s.dev/fra1 cordoned\n' +
      'waiting for nameservers to leave it out: nyc1 (it has not heard of it yet)\n',
  );
  explain('nyc1', 'unschedulable');
  await cli.clock.advance(1_000);
  expect(drain.out()).toContain('is left out; waiting 60s for resolvers to forget it\n');
  await cli.clock.advance(59_000);
  expect(spec('fra1').drain).not.toBe(true);
  await cli.clock.advance(1_000);
  const { out, code } = await drain.done;
  expect(out).toMatch(/node.b8s.dev\/fra1 drained; you can stop it\n$/);
  expect(code).toBe(0);
  expect(spec('fra1')).toMatchObject({ unschedulable: true, drain: true });
});

test('a nameserver that joins while the node is cordoned is waited for, too', async () => {
  const update = cli.api.update.bind(cli.api);
  vi.spyOn(cli.api, 'update').mockImplementationOnce(async (...given) => {
    putNode('lon1');
    explain('lon1', 'up');
    return update(...given);
  });
  const drain = await started('drain fra1');
  expect(drain.out()).toContain('leave it out: lon1 (it has not heard of it yet)\n');
  explain('lon1', 'unschedulable');
  await cli.clock.advance(61_000);
  expect((await drain.done).code).toBe(0);
});

test('drained already, there is nothing to wait for; uncordoned, it is in use again', async () => {
  putNode('fra1', { unschedulable: true, drain: true });
  expect((await cli.b8sctl('drain node/fra1')).out).toBe('node.b8s.dev/fra1 already drained\n');
  expect((await cli.b8sctl('uncordon fra1')).out).toBe('node.b8s.dev/fra1 uncordoned\n');
  expect(spec('fra1')).toMatchObject({ unschedulable: false });
  expect(spec('fra1').drain).not.toBe(true);
});

test('the longest time of all sites that name it is waited for', async () => {
  putSite('docs', { candidates: ['fra1', 'nyc1'] }, 300);
  putSite('elsewhere', { candidates: ['nyc1'] }, 3_600);
  const { out } = await cli.b8sctl('drain fra1 --no-wait');
  expect(out).toBe(
    'node.b8s.dev/fra1 cordoned\n' +
      'node.b8s.dev/fra1 is draining: within 5m resolvers forget it; b8sctl drain fra1 waits for that\n',
  );
  expect(spec('fra1').drain).not.toBe(true);
});

test('no Zone names it: nobody is asked, and nothing is waited for', async () => {
  cli = testCli();
  for (const name of ['fra1', 'nyc1']) putNode(name);
  putSite('blog');
  expect((await cli.b8sctl('drain fra1')).out).toBe(
    'node.b8s.dev/fra1 cordoned\nnode.b8s.dev/fra1 drained; you can stop it\n',
  );
});

describe('the last edge of a site is refused', () => {
  test.each([
    { when: 'the other one is down', spec: {}, ready: 'False' },
    { when: 'the other one is cordoned', spec: { unschedulable: true }, ready: 'True' },
    { when: 'the other one is no edge', spec: { roles: ['nameserver'] }, ready: 'True' },
  ])('when $when', async ({ spec: other, ready }) => {
    putNode('nyc1', other, ready);
    const { error, code } = await cli.b8sctl('drain fra1');
    expect(error).toBe(
      'error: fra1 is the last edge that is up for blog: nobody else would answer; add or uncordon another edge first, or drain it all the same with --force\n',
    );
    expect(code).toBe(1);
    expect(spec('fra1').unschedulable).toBe(false);
  });

  test('when the other one does not serve it', async () => {
    putSite('docs', { candidates: ['fra1'] });
    expect((await cli.b8sctl('drain fra1')).error).toContain('up for docs:');
  });

  test('also when its name is kept elsewhere, and not when it serves nothing yet', async () => {
    putNode('nyc1', {}, 'False');
    cli.api.remove({ kind: 'Site', namespace: 'default', name: 'blog' });
    cli.api.remove({ kind: 'Zone', namespace: 'default', name: 'z' });
    putSite('docs');
    expect((await cli.b8sctl('drain fra1')).error).toContain('up for docs:');
    cli.api.put({
      ...{ kind: 'Site', metadata: { namespace: 'default', name: 'docs' }, status: {} },
      spec: { hosts: ['docs.example.com'] },
    });
    expect((await cli.b8sctl('drain fra1')).code).toBe(0);
  });

  test('unless somebody insists', async () => {
    putNode('nyc1', {}, 'False');
    explain('fra1', 'unschedulable', 'unreachable');
    explain('nyc1', 'unschedulable', 'unreachable');
    const drain = await started('drain fra1 --force --timeout 5s');
    await cli.clock.advance(70_000);
    const { out, error } = await drain.done;
    expect(error).toContain('warning: not waiting for fra1 (it answers with it all the same');
    expect(out).toContain('drained');
  });
});

test('a nameserver that is silent is waited for, and named in the end', async () => {
  cli.api.explanations.delete('nyc1');
  const drain = await started('drain fra1 --timeout 10s');
  await cli.clock.advance(11_000);
  const { error, code } = await drain.done;
  expect(error).toContain('fra1 is cordoned, but may still be answered with by nyc1 (');
  expect(error).toContain('no nameserver is connected');
  expect(error).toContain('--force');
  expect(code).toBe(1);
  expect(spec('fra1').drain).not.toBe(true);
});

test('a nameserver with an older zone is waited for, and may have named it for any site', async () => {
  putZone('example.com', {}, { serial: 7 });
  putSite('blog', { candidates: ['nyc1'] }, 300);
  for (const server of ['fra1', 'nyc1']) explainZone(server, 7);
  explainZone('nyc1', 6);
  const drain = await started('drain fra1');
  expect(drain.out()).toContain('leave it out: nyc1 (its example.com is of before)\n');
  explainZone('nyc1', 7);
  await cli.clock.advance(1_000);
  expect(drain.out()).toContain('is left out; waiting 5m for resolvers to forget it\n');
  await cli.clock.advance(300_000);
  expect((await drain.done).code).toBe(0);
});

test('nobody names it, and all know it: nothing is waited for', async () => {
  putZone('example.com', {}, { serial: 7 });
  putSite('blog', { candidates: ['nyc1'] }, 300);
  for (const server of ['fra1', 'nyc1']) explainZone(server, 7);
  expect((await cli.b8sctl('drain fra1')).out).toBe(
    'node.b8s.dev/fra1 cordoned\nnode.b8s.dev/fra1 drained; you can stop it\n',
  );
});

test('who uncordons it meanwhile has the last word', async () => {
  const drain = await started('drain fra1');
  await cli.clock.advance(10_000);
  await cli.b8sctl('uncordon fra1');
  await cli.clock.advance(60_000);
  const { error, code } = await drain.done;
  expect(error).toContain('fra1 was uncordoned meanwhile: it is in use');
  expect(code).toBe(1);
  expect(spec('fra1').drain).not.toBe(true);
});

test('Ctrl-C leaves it cordoned', async () => {
  const drain = await started('drain fra1');
  drain.interrupt();
  await drain.done;
  expect(spec('fra1')).toMatchObject({ unschedulable: true });
});

test('a node that there is not, and a dom that is away', async () => {
  expect((await cli.b8sctl('drain nope')).error).toContain('nodes "nope" not found');
  cli.api.failNext('get', new ApiError('Unavailable', 'dom is away'));
  expect((await cli.b8sctl('drain fra1')).code).toBe(1);
});

test('another edge that dies while resolvers forget is noticed', async () => {
  const drain = await started('drain fra1 --timeout 10s');
  for (const server of ['fra1', 'nyc1']) explain(server, 'unschedulable', 'not-ready');
  await cli.clock.advance(75_000);
  const { error, code } = await drain.done;
  expect(error).toContain('no other is up for blog.example.com');
  expect(code).toBe(1);
  expect(spec('fra1').drain).not.toBe(true);
});

test('a Site whose TTL was longer a moment ago is waited for as long', async () => {
  putSite('blog', { candidates: ['fra1', 'nyc1'] }, 3_600);
  const blog = { kind: 'Site', namespace: 'default', name: 'blog' };
  const site = await cli.api.get(blog);
  await cli.api.update({ ...site, spec: { ...(site.spec as object), ttl: 5 } }, { manager: 'x' });
  const { out } = await cli.b8sctl('drain fra1 --no-wait');
  expect(out).toContain('within 60m resolvers forget it');
});

test('secondaries of others are named, for nobody can ask them', async () => {
  putZone('example.com', { secondaries: [{ address: '198.51.100.53', port: 53 }] });
  const drain = await started('drain fra1');
  await cli.clock.advance(61_000);
  const { error, code } = await drain.done;
  expect(error).toBe(
    'warning: example.com is served by 198.51.100.53, too: what has missed the news answers with fra1 for up to 60m more (soa.refreshS)\n',
  );
  expect(code).toBe(0);
});

test('one that was taken back by hand is drained anew', async () => {
  putNode('fra1', { unschedulable: false, drain: true });
  const drain = await started('drain fra1');
  await cli.clock.advance(61_000);
  expect((await drain.done).out).toContain('drained; you can stop it');
});

describe('the last nameserver is refused', () => {
  test.each([
    { when: 'the other one is down', other: {}, ready: 'False', edge: 'ams1' },
    { when: 'the other one is an edge alone', other: { roles: ['edge'] }, edge: 'nyc1' },
  ])('when $when', async ({ other, ready, edge }) => {
    putNode('nyc1', other, ready);
    putNode('ams1', { roles: ['edge'] });
    putSite('blog', { candidates: ['fra1', edge] });
    const { error, code } = await cli.b8sctl('drain fra1');
    expect(error).toContain('error: fra1 is the last nameserver that is up: once it is stopped');
    expect(code).toBe(1);
    expect(spec('fra1').unschedulable).toBe(false);
  });

  test('unless nothing is asked of it', async () => {
    putNode('nyc1', { roles: ['edge'] });
    cli.api.remove({ kind: 'Zone', namespace: 'default', name: 'z' });
    putSite('blog');
    expect((await cli.b8sctl('drain fra1')).code).toBe(0);
  });
});
