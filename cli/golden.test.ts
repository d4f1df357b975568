import { expect, test } from 'vitest';
import { kinds } from '../api/kinds.ts';
import { ApiError } from '../runtime/api-client.ts';
import { putGoldenWorld } from './testing/golden-world.fixture.ts';
import { type TestCli, testCli } from './testing/test-cli.ts';

/*
 * What people see, each command with its answer, in golden/: `vitest run --project unit
 * cli/golden.test.ts --update` writes them anew; read the difference before it is committed.
 */

/** As narrow as terminals are. */
const NARROW = 80;

function world(): TestCli {
  const cli = testCli();
  putGoldenWorld(cli);
  return cli;
}

/** Command, output, errors and exit code, as they stand below each other in a terminal. */
async function session(cli: TestCli, lines: readonly string[]): Promise<string> {
  let text = '';
  for (const line of lines) {
    const { out, error, code } = await cli.b8sctl(line);
    const ended = code === 0 ? '' : `(exit code ${code})\n`;
    text += `$ b8sctl ${line}\n${out}${error}${ended}\n`;
  }
  return text;
}

test.each(kinds.map((kind) => kind.plural))('tables of %s', async (plural) => {
  const cli = world();
  const lines = [`get ${plural}`, `get ${plural} -o wide`, `get ${plural} -A --show-labels`];
  const everywhere = await session(cli, lines);
  cli.columns = NARROW;
  const narrow = await session(cli, [`get ${plural}`]);
  const text = `${everywhere}# On a terminal of ${NARROW} columns\n${narrow}`;
  await expect(text).toMatchFileSnapshot(`golden/get/${plural}.txt`);
  const longest = Math.max(...narrow.split('\n').map((line) => [...line].length));
  // Names and numbers are never cut: a Release is called by its digest.
  if (plural !== 'releases') expect(longest).toBeLessThanOrEqual(NARROW);
});

/** As long as names may be; two of them beside each other fit no terminal of 120 columns. */
const LONG = `a${'-long'.repeat(7)}`;

test.each(kinds.flatMap(({ plural }) => [60, 80, 120].map((columns) => ({ plural, columns }))))(
  'the table of $plural fits a terminal of $columns columns',
  async ({ plural, columns }) => {
    const cli = world();
    for (const { kind, metadata, ...object } of cli.api.objects()) {
      // A Release is called by its digest.
      const name =
        kind === 'Release' ? metadata.name.slice(0, 40) : `${metadata.name.at(0)}${LONG}`;
      cli.api.put({ ...object, kind, metadata: { ...metadata, name, uid: `${metadata.uid}-2` } });
    }
    for (const { kind, metadata } of cli.api.objects())
      if (kind === 'Release' && metadata.name.length > 40)
        cli.api.remove({ kind, namespace: metadata.namespace ?? '', name: metadata.name });
    cli.columns = columns;
    for (const line of [`get ${plural}`, `get ${plural} --no-headers`]) {
      const { out } = await cli.b8sctl(line);
      const lines = out.split('\n');
      expect(Math.max(...lines.map((each) => [...each].length)), out).toBeLessThanOrEqual(columns);
      expect(lines.length).toBeGreaterThan(1);
      if (plural !== 'events' && plural !== 'releases') expect(out).toContain(LONG);
    }
    const { out } = await cli.b8sctl(`get ${plural} -A`);
    const longest = Math.max(...out.split('\n').map((each) => [...each].length));
    // Names of namespaces are as sacred as others.
    expect(longest, out).toBeLessThanOrEqual(Math.max(columns, 80));
  },
);

test.each(kinds.map((kind) => kind.singular))('describe %s', async (singular) => {
  const cli = world();
  const relative = await session(cli, [`describe ${singular}`]);
  cli.columns = NARROW;
  const narrow = await session(cli, [`describe ${singular}`]);
  const text = `${relative}# On a terminal of ${NARROW} columns\n${narrow}`;
  await expect(text).toMatchFileSnapshot(`golden/describe/${singular}.txt`);
});

test('tables of other commands', async () => {
  const cli = world();
  cli.api.tokens = [
    { id: 't1', node: '', expiresMs: cli.clock.nowMs() + 600_000, createdBy: 'admin' },
  ];
  const createdMs = cli.clock.nowMs() - 86_400_000;
  const [algorithm, createdBy] = ['hmac-sha256', 'admin'];
  cli.api.transferKeys = [{ name: 'secondary.example.', algorithm, createdMs, createdBy }];
  const given = { serial: '4a0f', role: 'viewer', createdBy, createdMs } as const;
  const expiresMs = cli.clock.nowMs() + 5 * 86_400_000;
  cli.api.users.list = [
    { name: 'ci', certificates: [{ ...given, expiresMs }] },
    { name: 'eve', certificates: [], revoked: { atMs: createdMs, by: 'admin' } },
  ];
  const lines = [
    ...['user list', 'user list -o wide'],
    ...['events', 'events -o wide', 'events --types=Warning', 'events --for node/frankfurt -A'],
    ...['get all', 'get nodes,zones', 'get sites -o name', 'get sites -L app'],
    ...['api-resources', 'auth whoami', 'config get-contexts', 'config view'],
    ...['node token list', 'transfer-key list', 'history site/blog', 'history site/blog -o wide'],
    ...['top sites', 'version', 'version --client', 'label site blog --list'],
  ];
  const wide = await session(cli, lines);
  cli.columns = NARROW;
  const narrow = await session(cli, [
    ...['events', 'api-resources', 'config get-contexts', 'history site/blog', 'user list -o wide'],
    'rollout history site/blog',
  ]);
  const text = `${wide}# On a terminal of ${NARROW} columns\n${narrow}`;
  await expect(text).toMatchFileSnapshot('golden/tables.txt');
});

const SITE = `apiVersion: b8s.dev/v1
kind: Site
metadata:
  name: shop
spec:
  hosts: [shop.example.com]
`;

/** Files by name, each wrong in its own way. */
const FILES: Readonly<Record<string, string>> = {
  'good.yaml': SITE,
  'typo.yaml': SITE.replace('hosts', 'hostz'),
  'kind.yaml': SITE.replace('Site', 'Sight'),
  'version.yaml': SITE.replace('b8s.dev/v1', 'v1'),
  'name.yaml': SITE.replace('shop\n', 'My_Shop\n'),
  'value.yaml': SITE.replace('[shop.example.com]', '[shop]'),
  'type.yaml': SITE.replace('[shop.example.com]', 'shop.example.com'),
  'twice.yaml': `${SITE}  hosts: [x.example.com]\n`,
  'tabs.yaml': SITE.replace('  name', '\tname'),
  'empty.yaml': '# nothing\n',
  'namespace.yaml': SITE.replace('name: shop', 'name: shop\n  namespace: other'),
  'content.yaml': `${SITE}  content: { path: ./none }\n`,
  'outside.yaml': `${SITE}  content: { path: /etc }\n`,
  'folder/readme.txt': 'no manifest',
};

/** What each command says of what cannot be. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  apply: [
    'apply',
    'apply -f none.yaml',
    ...Object.keys(FILES)
      .filter((name) => name.endsWith('.yaml') && !['good.yaml', 'namespace.yaml'].includes(name))
      .map((name) => `apply -f ${name}`),
    'apply -f folder',
    'apply -f namespace.yaml -n default',
    'apply -f good.yaml --prune',
    'apply -f good.yaml --dry-run=maybe',
    'apply -f typo.yaml -f good.yaml',
    'apply -f http://example.com/site.yaml',
    'apply -f https://example.com/site.yaml',
  ],
  get: [
    'get',
    'get sits',
    'get pods',
    'get site blgo',
    'get site/none zone/none',
    'get site/blog zone',
    'get site/blog/x',
    'get sites -n empty',
    'get nodes -l region=us',
    'get sites -l =x',
    'get sites --field-selector spec.ttl',
    'get sites -o yml',
    'get sites -o jsonpath={.items[}',
    'get sites -o custom-columns=NAME',
    'get sites --sort-by .items[',
    'get site blog -l app=blog',
    'get sites,zones -w',
    'get sites --at yesterday',
    'get sites --at 2h -w',
    'get sites --chunk-size=-1',
    'get sites --outptu yaml',
    'get nodes --ignore-not-found none',
    'gte sites',
    'get sites --context nowhere',
    'get sites --request-timeout soon',
  ],
  delete: [
    'delete',
    'delete site',
    'delete sites --all',
    'delete site none',
    'delete site blog -l app=blog',
    'delete site blog -f good.yaml',
    'delete -f none.yaml',
    'delete site blog -i',
    'delete site blog --cascade=sideways',
    'delete site blog --cascade=orphan',
    'delete site blog --cascade=foreground --force',
    'delete site blog --force -i',
    'delete site blog --grace-period=30',
    'delete site blog --wait=perhaps',
    'delete site blog --timeout=long',
  ],
  wait: [
    'wait site/blog',
    'wait site/blog --for=ready',
    'wait site --for=delete',
    'wait sites -l app=none --for=delete',
    'wait site/blog --for=condition=Ready --timeout=0',
    'wait site/none --for=condition=Ready --timeout=0',
    'wait site/none --for=create --timeout=0',
    'wait site/none --for=delete --timeout=0',
    'wait site/blog --for=delete --timeout=0',
    'wait site/blog --for=condition=Released --for=condition=Ready --timeout=0',
    'wait site/blog --for=jsonpath={.status.rollout.verified}=2 --timeout=0',
    'wait site/blog --for=jsonpath={.status[ --timeout=0',
    'wait site/blog --for=condition=Ready --timeout=soon',
  ],
  config: [
    'config',
    'config use-context nowhere',
    'config use',
    'config get-contexts --config none',
    'config view --config broken',
    'get sites --config none',
  ],
  others: [
    'describe',
    'describe site none',
    'explain sight',
    'explain site.spec.hostz',
    'label site blog',
    'label site blog app=other',
    'label site blog bad~key=x',
    'annotate site none a=b',
    'patch site blog -p {',
    'edit site none',
    'events --types=Loud',
    'events --for nothing',
    'reconcile repository/none',
    'rollout undo site/none',
    'undelete site/none',
    'auth can-i fly',
    'node token revoke none',
    'completion tcsh',
    'nonsense',
  ],
};

test.each(Object.entries(REFUSED))('errors of %s', async (name, lines) => {
  const cli = world();
  for (const [file, text] of Object.entries(FILES)) cli.files.set(file, text);
  cli.files.set('broken', 'contexts: [');
  await expect(await session(cli, lines)).toMatchFileSnapshot(`golden/errors/${name}.txt`);
});

test('errors of dom', async () => {
  const cli = world();
  cli.files.set('good.yaml', SITE);
  const errors = [
    new ApiError('Unavailable', 'The connection to the server 127.0.0.1:7443 was refused'),
    new ApiError('Unauthorized', 'the certificate has expired'),
    new ApiError('Forbidden', 'viewer may not write sites'),
    new ApiError('Invalid', 'Site "shop" is invalid', {
      violations: [{ path: 'spec.hosts[0]', message: 'belongs to site default/blog' }],
    }),
    new ApiError('Conflict', 'other managers own fields', {
      clashes: [{ path: 'spec.hosts', manager: 'repository/infra' }],
    }),
    new ApiError('Aborted', 'the object has been changed meanwhile'),
    new ApiError('InternalError', 'something broke in dom'),
  ];
  let text = '';
  for (const error of errors) {
    cli.api.failNext('apply', error);
    text += await session(cli, ['apply -f good.yaml']);
    cli.api.failNext('list', error);
    text += await session(cli, ['get sites']);
  }
  await expect(text).toMatchFileSnapshot('golden/errors/dom.txt');
});
