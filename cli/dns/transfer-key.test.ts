import { beforeEach, expect, test } from 'vitest';
import { type TestCli, testCli } from '../testing/test-cli.ts';

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
});

const SECRET = Buffer.from('a secret that is given').toString('base64');

test('a secret that is made goes to stdout, once, as BIND takes it', async () => {
  const { out, error, code } = await cli.b8sctl('transfer-key create xfr');
  expect([code, error]).toEqual([0, 'Give this to the secondary; it is not shown again:\n']);
  const made = Buffer.from('a secret that was made').toString('base64');
  expect(out).toBe(`key "xfr" {\n  algorithm hmac-sha256;\n  secret "${made}";\n};\n`);
});

test('a secret that is given is not repeated', async () => {
  cli.files.set('secret.b64', `${SECRET}\n`);
  const { out, error, code } = await cli.b8sctl('transfer-key create xfr --secret-file secret.b64');
  expect([code, out, error]).toEqual([0, 'transfer key xfr created\n', '']);
  expect(cli.api.secrets.map((each) => Buffer.from(each).toString())).toEqual([
    'a secret that is given',
  ]);
});

test.each([
  { when: 'there is no file', content: undefined, says: 'there is no file secret.b64' },
  { when: 'it is no base64', content: 'not base64!', says: 'does not hold a secret in base64' },
])('nothing is made: $when', async ({ content, says }) => {
  if (content !== undefined) cli.files.set('secret.b64', content);
  const { error, code } = await cli.b8sctl('transfer-key create xfr --secret-file secret.b64');
  expect(code).toBe(1);
  expect(error).toContain(says);
  expect(error).not.toContain('not base64!');
  expect(cli.api.transferKeys).toEqual([]);
});

test('keys are listed without their secrets, and deleted by name', async () => {
  await cli.b8sctl('transfer-key create xfr --algorithm hmac-sha512');
  expect((await cli.b8sctl('transfer-key list')).out).toBe(
    'NAME   ALGORITHM     AGE   CREATED-BY\nxfr    hmac-sha512   0s    admin\n',
  );
  const { out } = await cli.b8sctl('transfer-key delete xfr');
  expect(out).toBe('transfer key xfr deleted\n');
  expect((await cli.b8sctl('transfer-key list')).error).toBe('No transfer keys found\n');
});
