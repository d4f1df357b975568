import { beforeEach, expect, test } from 'vitest';
import type { Resource } from '../../api/object.ts';
import { type TestCli, testCli } from '../testing/test-cli.ts';

const FINGERPRINT = 'ab'.repeat(32);

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
});

async function declare(kind: string, name: string, spec: object): Promise<void> {
  const manifest = { apiVersion: 'b8s.dev/v1', kind, metadata: { name }, spec };
  cli.files.set('it.yaml', JSON.stringify(manifest));
  await cli.b8sctl('apply -f it.yaml');
}

function annotations(kind: string): Resource['metadata']['annotations'] {
  return cli.api.objects().find((each) => each.kind === kind)?.metadata.annotations;
}

test('cert renew asks for each certificate by the clock, and goes on after a missing one', async () => {
  await declare('Certificate', 'blog', { names: ['blog.example.com'], issuer: 'internal' });
  const { out, error, code } = await cli.b8sctl('cert renew cert/blog nothing');
  expect(out).toBe('certificate.b8s.dev/blog is renewed\n');
  expect(error).toContain('certificates "nothing" not found');
  expect(code).toBe(1);
  expect(annotations('Certificate')).toEqual({
    'b8s.dev/renew-requested': '2027-01-15T12:00:00.000Z',
  });
});

test('cert revoke names the very certificate in use, and asks first on a terminal', async () => {
  await declare('Certificate', 'blog', { names: ['blog.example.com'], issuer: 'internal' });
  expect((await cli.b8sctl('cert revoke blog')).error).toContain('has not been issued yet');
  const spec = { names: ['blog.example.com'], issuer: 'internal' };
  const metadata = { name: 'blog', namespace: 'default' };
  cli.api.put({ kind: 'Certificate', metadata, spec, status: { fingerprint: FINGERPRINT } });
  cli.answer = 'no';
  expect(await cli.b8sctl('cert revoke blog')).toMatchObject({ code: 1, out: '' });
  expect(annotations('Certificate')).toBeUndefined();
  cli.answer = 'yes';
  const { out } = await cli.b8sctl('cert revoke blog --reason keyCompromise');
  expect(out).toBe('certificate.b8s.dev/blog is revoked\n');
  expect(annotations('Certificate')).toEqual({
    'b8s.dev/revoke-requested': `${FINGERPRINT} keyCompromise`,
  });
  expect((await cli.b8sctl('cert revoke blog --reason tired')).error).toContain('Allowed choices');
});

test.each(['cert renew shop', 'cert revoke shop'])(
  '%s: nobody but its CA can do that to a certificate that was brought',
  async (line) => {
    await declare('Certificate', 'shop', { names: ['shop.example.com'], secret: 'shop-2027' });
    const { error, out, code } = await cli.b8sctl(line);
    expect(error).toContain('is out of Secret "shop-2027": have its CA do it');
    expect({ out, code }).toEqual({ out: '', code: 1 });
    expect(annotations('Certificate')).toBeUndefined();
  },
);

test('a site whose certificate was brought shows no Issuer', async () => {
  await declare('Site', 'blog', { hosts: ['blog.example.com'], tls: { secret: 'blog-2027' } });
  await declare('Site', 'shop', { hosts: ['shop.example.com'], tls: { issuer: 'letsencrypt' } });
  const { out } = await cli.b8sctl('get sites -o wide');
  expect(out).not.toContain('internal');
  expect(out).toMatch(/^blog .* <none> /m);
  expect(out).toMatch(/^shop .* letsencrypt /m);
});

test('cert describe shows every order that was tried, and when', async () => {
  const order = 'https://ca.test/order/7';
  const failed = { started: '2027-01-15T11:00:00Z', time: '2027-01-15T11:00:30Z' };
  const issued = { started: '2027-01-15T11:58:57Z', time: '2027-01-15T11:59:00Z' };
  cli.api.put({
    ...{ kind: 'Certificate', metadata: { name: 'blog', namespace: 'default' } },
    spec: { names: ['blog.example.com'], issuer: 'le' },
    status: {
      tries: [
        { ...failed, issuer: 'le', outcome: 'failed', detail: 'the CA says dns: no such name' },
        { ...issued, issuer: 'le', outcome: 'issued', detail: FINGERPRINT, order },
      ],
    },
  });
  const { out } = await cli.b8sctl('cert describe cert/blog');
  expect(out).toMatch(/Orders:\n +ENDED +TOOK +ISSUER +OUTCOME +ORDER +DETAIL\n/);
  expect(out).toMatch(/59m ago +30s +le +failed +<none> +the CA says dns: no such name\n/);
  expect(out).toMatch(/60s ago +3s +le +issued +https:\/\/ca.test\/order\/7 +(ab){32}\n/);
});

test('issuer rollover is for accounts', async () => {
  await declare('Issuer', 'internal', { ca: {} });
  expect((await cli.b8sctl('issuer rollover internal')).error).toContain('has no account');
  await declare('Issuer', 'le', { acme: { directory: 'https://ca.test/dir' } });
  expect((await cli.b8sctl('issuer rollover le')).out).toBe(
    'issuer.b8s.dev/le gets a new account key\n',
  );
});

test('create secret takes files, texts and standard input', async () => {
  cli.files.set('k.txt', 'from a file');
  cli.stdin = 'from stdin';
  const line = 'create secret generic s --from-file=a=k.txt --from-file=b=- --from-literal=c=d=e';
  expect((await cli.b8sctl(line)).out).toBe('secret.b8s.dev/s created\n');
  expect(cli.api.objects()[0]?.spec).toEqual({
    data: { a: 'from a file', b: 'from stdin', c: 'd=e' },
  });
  cli.files.set('c.pem', 'CHAIN').set('k.pem', 'KEY');
  await cli.b8sctl('create secret tls s --cert c.pem --key k.pem');
  expect(cli.api.objects()[0]?.spec).toEqual({ data: { 'tls.crt': 'CHAIN', 'tls.key': 'KEY' } });
});

test.each([
  { when: 'there is no value', line: 'create secret generic s', says: 'needs a value' },
  {
    when: 'a file is missing',
    line: 'create secret generic s --from-file=a=x',
    says: 'there is no file x',
  },
  {
    when: 'a key is missing',
    line: 'create secret generic s --from-literal=x',
    says: 'write --from-literal key=text',
  },
  {
    when: 'a key comes twice',
    line: 'create secret generic s --from-literal=a=1 --from-literal=a=2',
    says: 'given twice',
  },
])('create secret says what to mend when $when', async ({ line, says }) => {
  const { error, code } = await cli.b8sctl(line);
  expect(error).toContain(says);
  expect(code).toBe(1);
});
