import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { renderConfig, singleConfig } from '../runtime/client-config.ts';
import { testCertificate } from '../runtime/node/tls/test-certificate.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

/** Runs the real process; `reader` decides how much of its output is read. */
async function b8sctl(
  words: readonly string[],
  reader: 'all' | 'none' = 'all',
  config = '/nowhere/config',
) {
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: { B8SCONFIG: config },
  });
  let [out, error] = ['', ''];
  if (reader === 'none') child.stdout.destroy();
  else child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (error += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { out, error, code };
}

test('data goes to stdout', async () => {
  expect(await b8sctl(['version', '--client'])).toEqual({
    out: 'Client Version: 0.1.0\n',
    ...{ error: '', code: 0 },
  });
});

test('a missing config is told on stderr, with the way out', async () => {
  const { out, error, code } = await b8sctl(['get', 'sites']);
  expect({ out, code }).toEqual({ out: '', code: 1 });
  expect(error).toMatch(/^error: no config at \/nowhere\/config: /);
});

test('a reader that has seen enough ends it quietly', async () => {
  expect(await b8sctl(['explain', 'site'], 'none')).toEqual({ out: '', error: '', code: 0 });
});

test('a server that accepts and never answers holds the process no longer than its timeout', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const folder = mkdtempSync(join(tmpdir(), 'b8s-cli-'));
  try {
    const { chainPem: certPem, keyPem } = await testCertificate(['dom.b8s.internal']);
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const cluster = {
      server: `127.0.0.1:${port}`,
      certificateAuthorityData: base64(certPem),
    };
    const user = { clientCertificateData: base64(certPem), clientKeyData: base64(keyPem) };
    const config = join(folder, 'config');
    writeFileSync(config, renderConfig(singleConfig('silent', cluster, user)));
    // The server would keep the connection for ever: that the command ends at all is the proof.
    const words = ['get', 'sites', '--request-timeout', '1s'];
    const { out, error, code } = await b8sctl(words, 'all', config);
    expect({ out, code }).toEqual({ out: '', code: 1 });
    expect(error).toMatch(
      /^Error from server \(Timeout\): 127\.0\.0\.1:\d+ did not answer in time/,
    );
  } finally {
    for (const socket of sockets) socket.destroy();
    silent.close();
    rmSync(folder, { recursive: true });
  }
});
