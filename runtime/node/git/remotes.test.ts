import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSilent, type Server as SilentServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Git, GitRemote } from '../../git/git.ts';
import { BareRemote, testFolder } from './bare-remote.fixture.ts';
import { createGit } from './git.ts';

const LIMITS = { fetchBytesMax: 10_000_000, filesMax: 100 };
const TOKEN = 'hunter2-token';
const calm = new AbortController().signal;

let folder: string;
let git: Git;
let bare: BareRemote;
const ends: (() => void)[] = [];

beforeEach(async () => {
  folder = testFolder();
  git = await createGit({ folder: join(folder, 'dom'), fileUrls: 'refused' });
  bare = new BareRemote(join(folder, 'site.git'));
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
  rmSync(folder, { recursive: true });
});

const remote = (url: string, credentials: GitRemote['credentials'] = {}): GitRemote => ({
  ...{ id: 'r1', url, credentials },
});

async function readA(from: GitRemote): Promise<string> {
  const target = await git.resolve(from, { kind: 'branch', name: 'main' }, calm);
  const commit = await git.open(from, target, { limits: LIMITS, signal: calm });
  const [entry] = (await commit.list('')) ?? [];
  if (entry === undefined) throw new Error('nothing is listed');
  const chunks: Uint8Array[] = [];
  for await (const chunk of commit.read(entry)) chunks.push(chunk);
  await commit.close();
  return Buffer.concat(chunks).toString();
}

/** Git's own CGI program behind HTTP, for whoever shows the token. */
async function serveHttp(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server: Server = createServer(answer);
  const port = await portOf(server);
  ends.push(() => server.close().closeAllConnections());
  return `http://127.0.0.1:${port}`;
}

function backend(request: IncomingMessage, response: ServerResponse): void {
  const wanted = `Basic ${Buffer.from(`git:${TOKEN}`).toString('base64')}`;
  if (request.headers.authorization !== wanted) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    return;
  }
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const env = {
    ...{ PATH: process.env['PATH'], GIT_PROJECT_ROOT: folder, GIT_HTTP_EXPORT_ALL: '1' },
    ...{ PATH_INFO: path, QUERY_STRING: query, REQUEST_METHOD: request.method ?? 'GET' },
    CONTENT_TYPE: request.headers['content-type'] ?? '',
    HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
    GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    GIT_CONFIG_NOSYSTEM: '1',
  };
  const child = spawn('git', ['http-backend'], { env });
  request.pipe(child.stdin);
  const printed: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => printed.push(chunk));
  child.on('close', () => {
    const all = Buffer.concat(printed);
    const end = all.indexOf('\r\n\r\n');
    for (const line of all.subarray(0, end).toString('latin1').split('\r\n')) {
      const [name = '', value = ''] = line.split(': ');
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.end(all.subarray(end + 4));
  });
}

test('over HTTP, with a token that is on no command line and in no file', async () => {
  await bare.commit({ a: 'one' });
  const url = `${await serveHttp(backend)}/site.git`;
  const login = { user: 'git', token: TOKEN };
  expect(await readA(remote(url, { login }))).toBe('one');
  await bare.commit({ a: 'two' });
  expect(await readA(remote(url, { login }))).toBe('two');
  expect(
    filesBelow(join(folder, 'dom')).filter((file) => readFileSync(file).includes(TOKEN)),
  ).toEqual([]);
});

test('without the token, or with another one, access is denied', async () => {
  const url = `${await serveHttp(backend)}/site.git`;
  for (const credentials of [{}, { login: { user: 'git', token: 'wrong' } }]) {
    const asked = git.resolve(remote(url, credentials), { kind: 'head' }, calm);
    await expect(asked).rejects.toMatchObject({ reason: 'AccessDenied' });
  }
});

test('another host is not followed to, and is not shown the token', async () => {
  const seen: (string | undefined)[] = [];
  const other = await serveHttp((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(404).end();
  });
  const url = await serveHttp((request, response) => {
    response.writeHead(302, { location: `${other}${request.url}` }).end();
  });
  const login = { user: 'git', token: TOKEN };
  const asked = git.resolve(remote(`${url}/site.git`, { login }), { kind: 'head' }, calm);
  await expect(asked).rejects.toMatchObject({ name: 'GitError' });
  expect(seen).toEqual([]);
});

test('by the git protocol, from Git’s own daemon', async () => {
  await bare.commit({ a: 'one' });
  const probe = createSilent();
  const port = await portOf(probe);
  await new Promise((resolve) => probe.close(resolve));
  const how = ['--reuseaddr', '--export-all', `--base-path=${folder}`, '--listen=127.0.0.1'];
  const child = spawn('/usr/lib/git-core/git-daemon', [...how, `--port=${port}`, folder], {
    env: { PATH: process.env['PATH'], GIT_CONFIG_NOSYSTEM: '1' },
    detached: true,
    stdio: 'ignore',
  });
  ends.push(() => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'));
  await expect
    .poll(() => readA(remote(`git://127.0.0.1:${port}/site.git`)).catch(String))
    .toBe('one');
});

test('file: URLs are refused unless dom allows them, and no other protocol is spoken', async () => {
  for (const url of [`file://${bare.folder}`, 'ext::sh -c id', 'ftp://127.0.0.1/a', bare.folder]) {
    const asked = git.resolve(remote(url), { kind: 'head' }, calm);
    await expect(asked).rejects.toMatchObject({ reason: 'NotAllowed' });
  }
});

test('a server that never answers ends with the signal, and nothing is left running', async () => {
  const silent = createSilent(() => undefined);
  const port = await portOf(silent);
  ends.push(() => void silent.close());
  const over = new AbortController();
  const asked = git.resolve(remote(`git://127.0.0.1:${port}/a.git`), { kind: 'head' }, over.signal);
  const connected = new Promise((resolve) => silent.once('connection', resolve));
  await connected;
  const reason = new Error('enough');
  over.abort(reason);
  await expect(asked).rejects.toBe(reason);
});

test('what a repository brings along is not run: hooks, attributes, submodules', async () => {
  const marker = join(folder, 'ran');
  const allowed = await createGit({ folder: join(folder, 'other'), fileUrls: 'allowed' });
  await bare.commit({
    a: 'plain',
    '.gitattributes': '* filter=evil\n',
    '.gitmodules': `[submodule "s"]\n\tpath = s\n\turl = ext::sh -c 'touch ${marker}'\n`,
    s: { submodule: '1234567890123456789012345678901234567890' },
  });
  writeFileSync(
    join(bare.folder, 'config'),
    `${readFileSync(join(bare.folder, 'config'), 'utf8')}\n[filter "evil"]\n\tsmudge = touch ${marker}\n[core]\n\tfsmonitor = touch ${marker}\n`,
  );
  const from = remote(`file://${bare.folder}`);
  const target = await allowed.resolve(from, { kind: 'head' }, calm);
  const commit = await allowed.open(from, target, { limits: LIMITS, signal: calm });
  const entries = (await commit.list('')) ?? [];
  for (const entry of entries.filter(({ kind }) => kind === 'file'))
    for await (const _ of commit.read(entry));
  await commit.close();
  expect(entries.map(({ kind }) => kind)).toContain('submodule');
  expect(existsSync(marker)).toBe(false);
});

/** Listens on loopback, at a port that is free. */
function portOf(server: SilentServer): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

function filesBelow(path: string): readonly string[] {
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
