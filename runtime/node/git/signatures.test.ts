import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Git } from '../../git/git.ts';
import { parseSigners } from '../../git/signature/signer.ts';
import { testFolder } from './bare-remote.fixture.ts';
import { createGit } from './git.ts';

/** What people's own git and ssh-keygen make, beside what the fixtures make. */
const ENV = {
  PATH: process.env['PATH'],
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
};
const LIMITS = { fetchBytesMax: 4_000_000, filesMax: 50 };
const calm = new AbortController().signal;

let folder: string;
let work: string;
let git: Git;
let ids = 0;

const run = (args: readonly string[]): string =>
  execFileSync('git', ['-C', work, ...args], { env: ENV, encoding: 'utf8' });

beforeAll(async () => {
  folder = testFolder();
  work = join(folder, 'work');
  git = await createGit({ folder: join(folder, 'dom'), fileUrls: 'allowed' });
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', work], { env: ENV });
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ['ed25519', []],
  ['rsa', ['-b', '3072']],
  ['ecdsa', ['-b', '256']],
  ['ecdsa', ['-b', '384']],
  ['ecdsa', ['-b', '521']],
] as const)('git commit -S and git tag -s with a key of ssh: %s %s', async (type, bits) => {
  const key = join(folder, `key-${(ids += 1)}`);
  execFileSync('ssh-keygen', ['-q', '-t', type, ...bits, '-N', '', '-C', 'ada', '-f', key]);
  const how = ['-c', 'gpg.format=ssh', '-c', `user.signingKey=${key}`];
  writeFileSync(join(work, 'a'), String(ids));
  run(['add', 'a']);
  const message = 'Ä subject\n\nA body\n\nSigned-off-by: Ada\n';
  run([...how, 'commit', '--quiet', '-S', '-m', message]);
  const tag = `v1.0.${ids}`;
  run([...how, 'tag', '-s', '-m', 'A version', tag]);
  const read = parseSigners(`ada@example.com namespaces="git" ${publicLine(key)}`, 'signers');
  if (read.kind === 'problem') throw new Error(read.problem);
  const at = { id: `s${ids}`, url: `file://${work}`, credentials: {} };
  const target = await git.resolve(at, { kind: 'tag', name: tag }, calm);
  const opened = await git.open(at, target, { limits: LIMITS, signal: calm });
  const by = expect.stringMatching(/^ada@example\.com \(SHA256:.{43}\)$/);
  expect(await opened.verify('commit', read.signers)).toEqual({ kind: 'signed', by });
  expect(await opened.verify('tag', read.signers)).toEqual({ kind: 'signed', by });
  await opened.close();
});

function publicLine(key: string): string {
  return readFileSync(`${key}.pub`, 'utf8').trim();
}
