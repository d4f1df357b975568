import { beforeEach, describe, expect, test } from 'vitest';
import { connectionOf, parseConfig } from '../../runtime/client-config.ts';
import { type TestCli, testCli } from '../testing/test-cli.ts';

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
});

test('a new user gets a config of this cluster, with a key that is nowhere else', async () => {
  const { out, error, code } = await cli.b8sctl('user create ci --days 10');
  expect(code).toBe(0);
  expect(connectionOf(parseConfig(out), '')).toMatchObject({
    ...{ server: '127.0.0.1:7443', certificatePem: 'certificate of ci', keyPem: 'key of a viewer' },
  });
  expect(error).toBe('ci is a viewer until 2027-01-25T12:00:00.000Z; who has this config is ci\n');
});

test('a role that is none is refused', async () => {
  const { error, code } = await cli.b8sctl('user create ci --role boss');
  expect(error).toMatch(/Allowed choices are viewer, admin/);
  expect(code).toBe(1);
});

describe('those who may call dom', () => {
  const DAY_MS = 86_400_000;
  beforeEach(() => {
    const nowMs = cli.clock.nowMs();
    const given = { createdBy: 'admin', createdMs: nowMs - DAY_MS };
    cli.api.users.list = [
      {
        name: 'ada',
        certificates: [
          { serial: '4a01', role: 'viewer', ...given, expiresMs: nowMs + 5 * DAY_MS },
          { serial: '4a02', role: 'admin', ...given, createdBy: 'bob', expiresMs: nowMs + DAY_MS },
        ],
      },
      {
        name: 'ci',
        certificates: [],
        revoked: { atMs: nowMs - 3 * 60_000, by: 'ada' },
      },
    ];
  });

  test('are listed, with what they have together', async () => {
    const { out } = await cli.b8sctl('user list');
    expect(out).toBe(
      [
        'NAME   ROLE           STATUS                  CONFIGS   EXPIRES-IN   CREATED-BY',
        'ada    admin,viewer   active                  2         5d           admin,bob',
        'ci     <none>         revoked 3m ago by ada   0         <none>       <none>',
        '',
      ].join('\n'),
    );
  });

  test('are listed one certificate a line', async () => {
    const { out } = await cli.b8sctl('user list -o wide');
    expect(out.split('\n').map((line) => line.split(/ {2,}/u))).toMatchObject([
      ['NAME', 'ROLE', 'STATUS', 'EXPIRES', 'CREATED', 'CREATED-BY', 'SERIAL'],
      ['ada', 'viewer', 'active', '2027-01-20T12:00:00.000Z', expect.any(String), 'admin', '4a01'],
      ['ada', 'admin', 'active', '2027-01-16T12:00:00.000Z', expect.any(String), 'bob', '4a02'],
      [
        'ci',
        '<none>',
        'revoked 2027-01-15T11:57:00.000Z by ada',
        ...Array(3).fill('<none>'),
        'all before',
      ],
      [''],
    ]);
  });

  test('are listed for scripts', async () => {
    expect((await cli.b8sctl('user list -o name')).out).toBe('ada\nci\n');
    const { out } = await cli.b8sctl('user list -o json');
    expect(JSON.parse(out)).toMatchObject([{ name: 'ada' }, { revoked: { by: 'ada' } }]);
  });

  test('none yet', async () => {
    cli.api.users.list = [];
    expect(await cli.b8sctl('user list')).toEqual({ out: '', error: 'No users found\n', code: 0 });
  });

  test('are revoked', async () => {
    const revoked = await cli.b8sctl('user revoke ada');
    expect(revoked).toEqual({ out: 'user ada revoked\n', error: '', code: 0 });
    expect(cli.api.users.list.find(({ name }) => name === 'ada')?.certificates).toEqual([]);
  });

  test('several are revoked once that is confirmed', async () => {
    cli.answer = 'no';
    expect(await cli.b8sctl('user revoke ada ci')).toMatchObject({ out: '', code: 1 });
    cli.answer = 'yes';
    expect((await cli.b8sctl('user revoke ada ci')).out).toBe(
      'user ada revoked\nuser ci revoked\n',
    );
  });

  test('nobody locks themselves out by mistake', async () => {
    const { error, code } = await cli.b8sctl('user revoke admin');
    expect(error).toMatch(/^error: you are admin: this would lock you out; use another admin's/);
    expect(code).toBe(1);
    const forced = await cli.b8sctl('user revoke admin --force');
    expect(forced.out).toBe('user admin revoked\n');
    expect(forced.error).toBe(
      'dom makes a new config of admin in its state folder when it starts\n',
    );
  });

  test('a name that no list shows needs --force', async () => {
    const { error, code } = await cli.b8sctl('user revoke adda');
    expect(error).toMatch(/NotFound.*no user "adda" is known/);
    expect(code).toBe(1);
    expect((await cli.b8sctl('user revoke adda --force')).code).toBe(0);
  });
});
