import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Repository } from '../api/repository.ts';
import { freePortsAt } from '../runtime/node/free-ports.ts';
import { testFolder } from '../runtime/node/git/bare-remote.fixture.ts';
import { GpgHome } from '../runtime/node/git/gpg-home.fixture.ts';
import { sopsEncrypt } from '../runtime/sops/sops.fixture.ts';
import { type GitServer, gitDaemon } from './support/git-servers.ts';
import { until } from './support/processes.ts';
import { AREA, describeOnStores, useScene } from './support/scene.ts';

const PROGRAMS = ['/usr/bin/gpg', '/usr/bin/ssh-keygen', '/usr/bin/age-keygen'];
const absent = PROGRAMS.filter((file) => !existsSync(file));
if (absent.length > 0 && process.env['CI'] === 'true')
  throw new Error(`${absent.join(', ')}: missing; run make setup`);
const PASSWORD = 'hunter2-in-git';

const object = (kind: string, name: string, spec: object): string =>
  JSON.stringify({ apiVersion: 'b8s.dev/v1', kind, metadata: { name }, spec });

await describeOnStores(
  `a Repository whose commits must be signed${absent.length > 0 ? ` (skipped: no ${absent.join(', ')})` : ''}`,
  (kind) => {
    const scene = useScene(kind, { name: 'git-trust', nodes: 0 });
    const folder = testFolder();
    const work = join(folder, 'infra');
    const env = { PATH: process.env['PATH'], HOME: folder, GIT_CONFIG_NOSYSTEM: '1' };
    const git = (...args: readonly string[]): string =>
      execFileSync('git', ['-C', work, ...args], { env, encoding: 'utf8' });
    let gpg: GpgHome;
    let server: GitServer;
    let age: { readonly identity: string; readonly recipient: string };

    /** `how` is what a person would have in the configuration of git. */
    const commit = (files: Readonly<Record<string, string>>, how: readonly string[]): void => {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(work, name), text);
      git('add', '.');
      const settings = ['user.name=Ada', 'user.email=ada@example.com', ...how];
      const options = settings.flatMap((setting) => ['-c', setting]);
      git(...options, 'commit', '--quiet', '--message', 'Change', '--date', 'now');
    };
    const bySsh = (key: string): readonly string[] => [
      ...['gpg.format=ssh', 'commit.gpgSign=true', `user.signingKey=${join(folder, key)}`],
    ];
    const sshKey = (name: string): string => {
      const file = join(folder, name);
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file]);
      return readFileSync(`${file}.pub`, 'utf8').trim();
    };
    const apply = (...objects: readonly string[]): Promise<unknown> =>
      scene().cluster.b8sctlOk(['apply', '-f', '-'], { input: objects.join('\n---\n') });
    const status = async (): Promise<Repository['status']> => {
      const args = ['get', 'repository', 'infra', '-o', 'json'];
      return (JSON.parse(await scene().cluster.b8sctlOk(args)) as Repository).status;
    };
    const reconcile = (): ReturnType<ReturnType<typeof scene>['cluster']['b8sctl']> =>
      scene().cluster.b8sctl(['reconcile', 'repository/infra']);

    beforeAll(async () => {
      mkdirSync(work);
      git('init', '--quiet', '--initial-branch=main');
      gpg = new GpgHome(join(folder, 'gpg'));
      const armor = gpg.make('Ada <ada@example.com>');
      const line = sshKey('ada');
      sshKey('eve');
      execFileSync('age-keygen', ['-o', join(folder, 'age.txt')], { stdio: 'pipe' });
      const identity = readFileSync(join(folder, 'age.txt'), 'utf8');
      age = { identity, recipient: /age1[a-z0-9]+/.exec(identity)?.[0] ?? '' };
      const address = `127.${AREA}.0.12`;
      const [port = 0] = await freePortsAt([address], 1);
      server = gitDaemon({ folder, repositories: folder, address, port });
      commit({ 'issuer.json': object('Issuer', 'one', { ca: { lifetime: '10d' } }) }, bySsh('ada'));
      const verify = { signers: [{ name: 'ada', key: line }], secretRef: 'signers' };
      const decryption = { secretRef: 'age' };
      const common = { interval: '1h', timeout: '60s', verify, decryption };
      await apply(
        object('Secret', 'signers', { data: { 'ada.asc': armor } }),
        object('Secret', 'age', { data: { 'age.agekey': identity } }),
        object('Repository', 'infra', { url: server.url('infra/.git'), ...common }),
      );
    });
    afterAll(() => {
      gpg.end();
      server.end();
      rmSync(folder, { recursive: true });
    });

    test('what git signs with a key of ssh is applied, and it is told who did', async () => {
      // Who signed it is known before it is in force.
      const isInForce = async (): Promise<boolean> => {
        const { signedBy, lastAppliedCommit } = (await status()) ?? {};
        return signedBy !== undefined && lastAppliedCommit !== undefined;
      };
      await until('it is in force', isInForce, { timeoutMs: 60_000 });
      expect((await status())?.signedBy).toMatch(/^ada \(SHA256:/);
    });

    test('what nobody signed, or somebody else, is refused, and b8sctl says so', async () => {
      const before = (await status())?.lastAppliedCommit;
      const two = object('Issuer', 'two', { ca: { lifetime: '10d' } });
      commit({ 'two.json': two }, ['commit.gpgSign=false']);
      expect(await reconcile()).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(/commit [0-9a-f]{7} is not signed; sign it/),
      });
      commit({ 'three.json': object('Issuer', 'three', { ca: {} }) }, bySsh('eve'));
      expect(await reconcile()).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(/with the key SHA256:.*none of the signers/s),
      });
      expect((await status())?.lastAppliedCommit).toBe(before);
      const names = await scene().cluster.b8sctlOk(['get', 'issuers', '-o', 'name']);
      expect(names).not.toMatch(/two|three/);
      git('reset', '--quiet', '--hard', before ?? '');
    });

    test('what gpg signs is applied, with a Secret that SOPS encrypted for a key of age', async () => {
      const wrap = async (recipient: string, bytes: Uint8Array): Promise<string> =>
        execFileSync('age', ['--armor', '--recipient', recipient], { input: bytes }).toString();
      const secret = object('Secret', 'db', { data: { password: PASSWORD } });
      const text = await sopsEncrypt(secret, { groups: [[age]], wrap });
      const program = join(folder, 'gpg.sh');
      const how = '--batch --no-options --pinentry-mode loopback';
      const exec = `exec gpg --homedir ${join(folder, 'gpg')} ${how} "$@"`;
      writeFileSync(program, `#!/bin/sh\n${exec}\n`, { mode: 0o755 });
      const signing = ['commit.gpgSign=true', 'user.signingKey=ada@example.com'];
      commit({ 'secret.yaml': text }, [...signing, `gpg.program=${program}`]);
      expect(await reconcile()).toMatchObject({ exitCode: 0 });
      expect((await status())?.signedBy).toMatch(/^ada\.asc \([0-9A-F]{40}\)$/);
      const shown = await scene().cluster.b8sctlOk(['get', 'secret', 'db', '-o', 'yaml']);
      expect(shown).toContain('(sealed)');
    });

    test.each(['apply', 'diff'])('b8sctl %s does not take ciphertext for a value', async (verb) => {
      const args = [verb, '-f', join(work, 'secret.yaml')];
      const { exitCode, stderr } = await scene().cluster.b8sctl(args);
      expect(exitCode).toBeGreaterThan(0);
      expect(stderr).toMatch(/secret\.yaml:\d+ is encrypted with SOPS, which only dom decrypts/);
    });

    test('neither the value nor the key is in a file of dom', () => {
      const { cluster, logDir } = scene();
      const files = [...filesBelow(cluster.stateDir), ...filesBelow(logDir)];
      expect(files.length).toBeGreaterThan(3);
      for (const file of files) {
        const bytes = readFileSync(file);
        expect([file, bytes.includes(PASSWORD), bytes.includes('AGE-SECRET-KEY-1')]).toEqual([
          ...[file, false, false],
        ]);
      }
    });
  },
  absent.length > 0 ? [] : ['sqlite'],
);

function filesBelow(path: string): readonly string[] {
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
