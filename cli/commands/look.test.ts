import { beforeEach, describe, expect, test, vi } from 'vitest';
import { ApiError } from '../../runtime/api-client.ts';
import { CONFIG_PATH, type TestCli, testCli } from '../testing/test-cli.ts';

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
});

const RELEASE = `sha256-${'ab'.repeat(32)}`;

function putSite(
  name: string,
  more: { namespace?: string; labels?: Record<string, string>; ttl?: number } = {},
) {
  const { ttl = 30, ...metadata } = more;
  return cli.api.put({
    kind: 'Site',
    metadata: { namespace: 'default', name, ...metadata },
    spec: { hosts: [`${name}.example.com`], ttl, content: { release: RELEASE } },
    status: {
      release: RELEASE,
      rollout: { release: RELEASE, verified: 2, total: 2, startedAt: '2027-01-15T12:00:00Z' },
      conditions: [
        {
          ...{ type: 'Ready', status: 'True', reason: 'Released', message: 'All is well.' },
          lastTransitionTime: '2027-01-15T11:58:00Z',
        },
      ],
    },
  });
}

function putEvent(name: string, site: string, lastTime: string) {
  cli.api.put({
    kind: 'Event',
    metadata: { namespace: 'default', name },
    spec: {
      regarding: { kind: 'Site', namespace: 'default', name: site },
      ...{ type: 'Warning', reason: 'Broken', message: `${site} broke`, count: 2 },
      source: { component: 'content-controller' },
      ...{ firstTime: lastTime, lastTime },
    },
  });
}

test('get prints a table', async () => {
  putSite('blog');
  putSite('a-longer-name');
  await cli.clock.advance(90_000);
  const { out, error, code } = await cli.b8sctl('get sites');
  expect(out).toBe(
    [
      'NAME            HOSTS                       READY   RELEASE        NODES   AGE',
      'a-longer-name   a-longer-name.example.com   True    abababababab   2/2     90s',
      'blog            blog.example.com            True    abababababab   2/2     90s',
      '',
    ].join('\n'),
  );
  expect({ error, code }).toEqual({ error: '', code: 0 });
});

test('get -A has a column for the namespace, get of several kinds a table each', async () => {
  putSite('blog', { namespace: 'team' });
  cli.api.put({ kind: 'Node', metadata: { name: 'fra1' }, spec: { ipv4: ['192.0.2.1'] } });
  const all = await cli.b8sctl('get sites -A');
  expect(all.out).toMatch(/^NAMESPACE {3}NAME .*\nteam {8}blog /);
  const both = await cli.b8sctl('get sites,nodes -A');
  expect(both.out).toMatch(/team {8}site\.b8s\.dev\/blog[^]*\n\nNAME [^]*\nnode\.b8s\.dev\/fra1 /);
});

test('get -o wide adds columns, name and jsonpath suit scripts', async () => {
  putSite('blog');
  putSite('shop');
  expect((await cli.b8sctl('get si -o wide')).out).toContain('POLICY    ISSUER     REASON');
  expect((await cli.b8sctl('get si -o name')).out).toBe('site.b8s.dev/blog\nsite.b8s.dev/shop\n');
  const path = await cli.b8sctl(['get', 'sites', '-o', 'jsonpath={.items[*].metadata.name}']);
  expect(path.out).toBe('blog shop');
  const one = await cli.b8sctl(['get', 'site', 'blog', '-o', 'jsonpath={.spec.hosts[0]}']);
  expect(one.out).toBe('blog.example.com');
});

test('get -o yaml has one key order and hides managedFields unless asked', async () => {
  const managedFields = [{ manager: 'b8sctl', operation: 'apply' as const, time: '', fields: [] }];
  cli.api.put({ kind: 'Node', metadata: { name: 'fra1', managedFields }, spec: {} });
  const { out } = await cli.b8sctl('get node/fra1 -o yaml');
  expect(out.match(/^\w+(?=:)/gm)).toEqual(['apiVersion', 'kind', 'metadata', 'spec']);
  expect(out).not.toContain('managedFields');
  expect((await cli.b8sctl('get node/fra1 -o yaml --show-managed-fields')).out).toContain(
    'managedFields:\n    - fields: []',
  );
});

test('get selects by label, sorts by a field, and reads the past', async () => {
  putSite('one', { ttl: 9, labels: { tier: 'front' } });
  const two = putSite('two', { ttl: 10 });
  putSite('two', { ttl: 5 });
  expect((await cli.b8sctl('get sites -l tier=front -o name')).out).toBe('site.b8s.dev/one\n');
  expect((await cli.b8sctl('get sites --sort-by .spec.ttl -o name')).out).toBe(
    'site.b8s.dev/two\nsite.b8s.dev/one\n',
  );
  const at = `--at ${two.metadata.resourceVersion}`;
  const past = await cli.b8sctl(`get site two ${at} -o jsonpath={.spec.ttl}`);
  expect(past.out).toBe('10');
});

test('a missing name is told, the others are shown, and the exit code is 1', async () => {
  putSite('blog');
  const { out, error, code } = await cli.b8sctl('get site blog nope -o name');
  expect(out).toBe('site.b8s.dev/blog\n');
  expect(error).toBe('Error from server (NotFound): sites "nope" not found\n');
  expect(code).toBe(1);
});

test('an empty list is no error', async () => {
  const empty = await cli.b8sctl('get sites');
  const error = 'No resources found in default namespace.\n';
  expect(empty).toEqual({ out: '', error, code: 0 });
  expect((await cli.b8sctl('get nodes')).error).toBe('No resources found\n');
  expect((await cli.b8sctl('get sites -o name')).out).toBe('');
});

test('get -w prints what is there, then each change, until it is interrupted', async () => {
  putSite('blog');
  const watching = cli.start('get sites -w');
  await vi.waitFor(() => expect(cli.api.watchers()).toBe(1), { timeout: 15_000 });
  putSite('shop');
  await cli.clock.advance(0);
  watching.interrupt();
  const { out, code } = await watching.done;
  expect(out.split('\n').map((line) => line.split(' ')[0])).toEqual(['NAME', 'blog', 'shop', '']);
  expect(code).toBe(130);
});

test('describe shows metadata, spec, conditions and events', async () => {
  putSite('blog', { labels: { tier: 'front' } });
  putEvent('e2', 'blog', '2027-01-15T11:59:30Z');
  putEvent('e1', 'blog', '2027-01-15T11:59:00Z');
  putEvent('e3', 'shop', '2027-01-15T11:59:00Z');
  const { out } = await cli.b8sctl('describe site blog');
  expect(out).toMatchInlineSnapshot(`
    "Name:          blog
    Namespace:     default
    Kind:          Site
    Labels:        tier=front
    Annotations:   <none>
    Created:       2027-01-15T12:00:00.000Z (0s ago)
    Generation:    1
    Conditions:
      TYPE    STATUS   REASON     SINCE   MESSAGE
      Ready   True     Released   2m      All is well.
    Events:
      LAST-SEEN   COUNT   TYPE      REASON   SOURCE               MESSAGE
      60s         2       Warning   Broken   content-controller   blog broke
      30s         2       Warning   Broken   content-controller   blog broke
    Spec:
      caching: auto
      canonicalHost: false
      compression: on
      content:
        release: sha256-abababababababababababababababababababababababababababababababab
      headers: []
      hosts:
        - blog.example.com
      notFoundPage: 404.html
      redirects: []
      routing:
        answers: 1
        policy: nearest
      securityHeaders: none
      singlePageApp: false
      tls:
        issuer: internal
      ttl: 30
    Status:
      release: sha256-abababababababababababababababababababababababababababababababab
      rollout:
        release: sha256-abababababababababababababababababababababababababababababababab
        startedAt: 2027-01-15T12:00:00Z
        total: 2
        verified: 2
    "
  `);
});

test('events are sorted by time and can be about one object', async () => {
  putEvent('e2', 'blog', '2027-01-15T11:59:30Z');
  putEvent('e1', 'shop', '2027-01-15T11:59:00Z');
  const all = await cli.b8sctl('events');
  expect(all.out.match(/site\/\w+/g)).toEqual(['site/shop', 'site/blog']);
  const some = await cli.b8sctl('events --for site/shop');
  expect(some.out.match(/site\/\w+/g)).toEqual(['site/shop']);
  expect((await cli.b8sctl('events --for site/none')).error).toBe('No events found\n');
});

test('events of some types, without a header', async () => {
  putEvent('e1', 'blog', '2027-01-15T11:59:30Z');
  expect((await cli.b8sctl('events --types=Normal')).error).toBe('No events found\n');
  const { out } = await cli.b8sctl('events --types=warning,Normal --no-headers');
  expect(out).toMatch(/^30s +Warning +Broken +site\/blog/);
  expect((await cli.b8sctl('events --types=Bad')).error).toContain('There are Normal and Warning.');
});

test('what others wrote cannot move the cursor', async () => {
  const hostile = 'x\u001b[2Jy';
  cli.api.put({
    kind: 'Zone',
    metadata: { namespace: 'default', name: 'z' },
    spec: { origin: hostile },
  });
  expect((await cli.b8sctl('get zones')).out).toContain('x\\u001b[2Jy');
});

test('dns explain shows candidates with distance and reason', async () => {
  cli.api.explanation = {
    ...{ nameserver: 'fra1', zone: 'example.com', serial: 7, rcode: 'NOERROR', ttlS: 30 },
    answers: ['192.0.2.1'],
    ...{ clientLatitude: 50.1, clientLongitude: 8.7 },
    locationSource: 'database sha256-ab, prefix 203.0.113.0/24',
    candidates: [
      {
        node: 'fra1',
        addresses: ['192.0.2.1'],
        distanceKm: 3.2,
        chosen: true,
        ...{ reason: 'the nearest', health: 'up', weight: 2 },
      },
      {
        node: 'nyc1',
        addresses: ['192.0.2.2'],
        distanceKm: 6207.6,
        chosen: false,
        ...{ reason: 'farther', health: 'up', weight: 1 },
      },
      {
        ...{ node: 'syd1', addresses: [], distanceKm: undefined, chosen: false },
        ...{ reason: 'no location', health: 'not-ready' },
      },
    ],
    ...{ scopeBits: 24, decision: '2 of 3 candidates are up', clientCountry: 'DE' },
  };
  const { out } = await cli.b8sctl('dns explain blog.example.com --client 203.0.113.7');
  expect(out).toMatchInlineSnapshot(`
    "Question:    blog.example.com A
    Client:      203.0.113.7
    Location:    50.10, 8.70, DE (database sha256-ab, prefix 203.0.113.0/24)
    Nameserver:  fra1
    Zone:        example.com (serial 7)
    Answer:      192.0.2.1
    TTL:         30s
    Holds for:   all that share 24 bits with 203.0.113.7
    Decision:    2 of 3 candidates are up

    CHOSEN   NODE   ADDRESSES   DISTANCE    HEALTH      WEIGHT   WHY
    *        fra1   192.0.2.1   3 km        up          2        the nearest
             nyc1   192.0.2.2   6208 km     up          1        farther
             syd1               <unknown>   not-ready            no location
    "
  `);
  const json = await cli.b8sctl('dns explain blog.example.com --client 203.0.113.7 -o json');
  expect(JSON.parse(json.out)).toMatchObject({ answers: ['192.0.2.1'], serial: 7 });
  const yaml = await cli.b8sctl('dns explain blog.example.com --client 203.0.113.7 -o yaml');
  expect(yaml.out).toContain('decision: 2 of 3 candidates are up\n');
});

describe('dns explain --all-servers', () => {
  const line = 'dns explain blog.example.com --client 203.0.113.7 --all-servers';
  const EXPLANATION = {
    ...{ nameserver: 'fra1', zone: 'example.com', serial: 7, rcode: 'NOERROR', ttlS: 30 },
    ...{ answers: ['192.0.2.1'], clientLatitude: undefined, clientLongitude: undefined },
    ...{ locationSource: '', candidates: [], scopeBits: 0, decision: '', clientCountry: '' },
  };

  test('says that they agree', async () => {
    putNameservers();
    cli.api.explanation = EXPLANATION;
    const { out, code } = await cli.b8sctl(line);
    expect(out).toMatchInlineSnapshot(`
      "blog.example.com A for 203.0.113.7

      NAMESERVER   SERIAL   TTL   ANSWER
      fra1         7        30s   192.0.2.1
      nyc1         7        30s   192.0.2.1
      syd1         7        30s   192.0.2.1

      They agree.
      "
    `);
    expect(code).toBe(0);
  });

  test('says where they differ, and who does not say', async () => {
    putNameservers();
    cli.api.explanations.set('fra1', EXPLANATION);
    cli.api.explanations.set('nyc1', { ...EXPLANATION, answers: ['192.0.2.2'] });
    const { out, code } = await cli.b8sctl(line);
    expect(out).toContain('nyc1         7        30s   192.0.2.2');
    expect(out).toContain('no nameserver is connected');
    expect(out).toContain('They differ: ask one of them with --server for its reasons.');
    expect(code).toBe(1);
  });

  test('without a nameserver', async () => {
    expect(await cli.b8sctl(line)).toEqual({
      ...{ out: '', code: 1 },
      error: 'error: no node has the role nameserver: see b8sctl get nodes\n',
    });
  });

  function putNameservers(): void {
    for (const name of ['fra1', 'nyc1', 'syd1', 'edge']) {
      const roles = name === 'edge' ? ['edge'] : ['nameserver'];
      cli.api.put({ kind: 'Node', metadata: { name }, spec: { roles } });
    }
  }
});

test('version warns of a skew of more than one minor version', async () => {
  expect(await cli.b8sctl('version')).toEqual({
    out: 'Client Version: 0.1.0\nServer Version: 0.1.0\nStore: sqlite\n',
    ...{ error: '', code: 0 },
  });
  cli.api.version = '0.2.3';
  expect((await cli.b8sctl('version')).error).toBe('');
  cli.api.version = '0.3.0';
  expect((await cli.b8sctl('version')).error).toMatch(/^WARNING: version difference .*\+\/-1\n$/);
});

test('config lists, switches and hides secrets', async () => {
  expect((await cli.b8sctl('config current-context')).out).toBe('local\n');
  expect((await cli.b8sctl('config get-contexts')).out).toMatch(
    /\n\* +local +local +127\.0\.0\.1:7443/,
  );
  const view = await cli.b8sctl('config view');
  expect(view.out).toContain('clientKeyData: REDACTED');
  expect(view.out).not.toContain('S0VZ');
  const wrong = await cli.b8sctl('config use-context prod');
  expect(wrong).toMatchObject({ code: 1, out: '' });
  const text = cli.files.get(CONFIG_PATH) ?? '';
  cli.files.set(
    CONFIG_PATH,
    text.replace(
      'contexts:',
      'contexts:\n  - { name: prod, context: { cluster: local, user: local, namespace: team } }',
    ),
  );
  expect((await cli.b8sctl('config use-context prod')).out).toBe('Switched to context "prod".\n');
  expect(cli.files.get(CONFIG_PATH)).toContain('currentContext: prod');
  expect((await cli.b8sctl('get sites')).error).toBe('No resources found in team namespace.\n');
});

test.each([
  { words: [''], some: ['apply', 'get', 'version'] },
  { words: ['ge'], some: ['get'] },
  { words: ['get', 'si'], some: ['site', 'sites'] },
  { words: ['get', 'site', ''], some: ['blog', 'shop'] },
  { words: ['get', 'site/b'], some: ['site/blog'] },
  { words: ['get', '-o', 'y'], some: ['yaml'] },
  { words: ['get', '--sort'], some: ['--sort-by'] },
  { words: ['-n', 'team', 'get', 'site', ''], some: ['other'] },
  { words: ['rollout', 'st'], some: ['status'] },
  { words: ['rollout', 'status', ''], some: ['site/blog', 'site/shop'] },
  { words: ['node', 'token', ''], some: ['create', 'list', 'revoke'] },
  { words: ['apply', '--dry-run', ''], some: ['client', 'server'] },
  { words: ['push', 'dist', '--site', 'b'], some: ['blog'] },
  { words: ['config', 'use-context', ''], some: ['local'] },
  { words: ['completion', 'z'], some: ['zsh'] },
  { words: ['get', 'sites', '-n', ''], some: ['default', 'team'] },
  { words: ['events', '--types=W'], some: ['--types=Warning'] },
  { words: ['wait', 'site/blog', '--for=c'], some: ['--for=condition=', '--for=create'] },
  { words: ['get', 'sites', '--sort-by', '.spec.t'], some: ['.spec.tls', '.spec.ttl'] },
  { words: ['get', 'sites', '--field-selector', 'metadata.n'], some: ['metadata.name'] },
  { words: ['explain', 'site.spec.t'], some: ['site.spec.tls', 'site.spec.ttl'] },
  { words: ['explain', 'si'], some: ['site'] },
  { words: ['dns', 'explain', ''], some: ['blog.example.com'] },
  { words: ['logs', ''], some: ['site/blog', 'site/shop'] },
  { words: ['auth', 'can-i', 'de'], some: ['delete'] },
  { words: ['auth', 'can-i', 'delete', 'si'], some: ['sites'] },
  { words: ['user', 'revoke', ''], some: ['ada'] },
  { words: ['node', 'token', 'revoke', ''], some: ['t7'] },
])('$words completes to $some', async ({ words, some }) => {
  putSite('blog');
  putSite('shop');
  putSite('other', { namespace: 'team' });
  cli.api.users.list = [{ name: 'ada', certificates: [] }];
  cli.api.tokens = [{ id: 't7', node: '', expiresMs: 0, createdBy: 'admin' }];
  const { out, code } = await cli.b8sctl(['__complete', ...words]);
  expect(out.split('\n')).toEqual(expect.arrayContaining(some));
  expect(out.split('\n').every((line) => line === '' || line.startsWith(words.at(-1) ?? ''))).toBe(
    true,
  );
  expect(code).toBe(0);
});

test.each([
  { words: ['events', '--types', '=', 'W'], all: ['Warning'] },
  { words: ['events', '--types', '='], all: ['Normal', 'Warning'] },
  { words: ['explain', 'site.nope.'], all: [] },
  { words: ['explain', 'pod.'], all: [] },
])('$words, as bash parts them, completes to $all', async ({ words, all }) => {
  const { out } = await cli.b8sctl(['__complete', ...words]);
  expect(out.split('\n').filter(Boolean)).toEqual(all);
});

test('a prompt does not hang: completion waits for two seconds, other commands for longer', async () => {
  await cli.b8sctl(['__complete', 'get', 'site', '']);
  expect(cli.patienceMs).toBe(2_000);
  await cli.b8sctl('get sites');
  expect(cli.patienceMs).toBe(30_000);
});

test('completion keeps quiet when dom is away', async () => {
  cli.api.failNext('list', new ApiError('Unavailable', 'away'));
  expect(await cli.b8sctl(['__complete', 'get', 'site', ''])).toEqual({
    out: '',
    error: '',
    code: 0,
  });
});

test.each([
  { line: '', code: 0, says: /^Usage: b8sctl COMMAND/ },
  { line: '--help', code: 0, says: /Declare:[^]*apply/ },
  { line: 'get --help', code: 0, says: /Examples:\n {2}b8sctl get sites/ },
  { line: 'help get', code: 0, says: /Examples:\n {2}b8sctl get sites/ },
  { line: 'rollout undo --help', code: 0, says: /--to-generation/ },
  { line: 'explain site.spec.tls', code: 0, says: /FIELD: tls <Object>/ },
  { line: 'explain site.spec.tls --recursive', code: 0, says: /FIELDS:\n {2}issuer <string>\n/ },
  { line: 'explain zone --recursive', code: 0, says: /\n {2}spec <Object>[^]*\n {6}values </ },
  { line: 'explain site.spec.tsl', code: 1, says: /did you mean "tls"/ },
  { line: 'api-resources', code: 0, says: /sites +si +b8s\.dev\/v1 +true +Site/ },
  { line: 'version --client', code: 0, says: /^Client Version: 0\.1\.0\n$/ },
  { line: 'completion bash', code: 0, says: /complete -o default -F _b8sctl b8sctl/ },
  { line: 'completion tcsh', code: 1, says: /there are bash, zsh and fish/ },
  { line: 'gte sites', code: 1, says: /unknown command 'gte'[^]*Did you mean get\?/ },
  { line: 'get stie', code: 1, says: /resource type "stie"; did you mean "site"\?/ },
  { line: 'get', code: 1, says: /^error: name what to get/ },
  { line: 'get sites --outptu yaml', code: 1, says: /unknown option '--outptu'/ },
  { line: 'get sites -o toml', code: 1, says: /unknown output format "toml"/ },
  { line: 'get sites -o jsonpath={range', code: 1, says: /error: jsonpath: unbalanced braces/ },
  { line: 'get sites --at now', code: 1, says: /Write a revision \(1234\)/ },
  { line: 'get sites --request-timeout soon', code: 1, says: /Write it like 30s/ },
  { line: 'get sites --context nope', code: 1, says: /error: context "nope" does not exist/ },
  { line: 'get sites --config none', code: 1, says: /error: no config at none/ },
  { line: 'apply -f none.yaml', code: 1, says: /error: the path "none\.yaml" does not exist/ },
  { line: 'apply', code: 1, says: /say what to apply: -f FILE, or --plan FILE/ },
])('"b8sctl $line" exits $code', async ({ line, code, says }) => {
  const outcome = await cli.b8sctl(line);
  expect(outcome.out + outcome.error).toMatch(says);
  expect(outcome.code).toBe(code);
});

test('what the server says is told in its words', async () => {
  cli.api.failNext('list', new ApiError('Forbidden', 'the role reader may not list sites'));
  const { error, code } = await cli.b8sctl('get sites');
  expect(error).toBe('Error from server (Forbidden): the role reader may not list sites\n');
  expect(code).toBe(1);
});
