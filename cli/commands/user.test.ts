import { beforeEach, expect, test } from 'vitest';
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
