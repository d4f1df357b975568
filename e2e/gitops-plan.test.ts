import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Resource } from '../api/object.ts';
import type { FakeFile } from '../runtime/git/fake/remote.ts';
import { BareRemote, testFolder } from '../runtime/node/git/bare-remote.fixture.ts';
import { run, until } from './support/processes.ts';
import { useScene } from './support/scene.ts';

const ROOT = resolve(import.meta.dirname, '..');

const issuer = (name: string, lifetime = '30d'): string =>
  `apiVersion: b8s.dev/v1\nkind: Issuer\nmetadata: { name: ${name} }\nspec: { ca: { lifetime: ${lifetime} } }\n`;
const files = (...names: readonly string[]): Record<string, FakeFile> =>
  Object.fromEntries(names.map((name) => [`${name}.yaml`, issuer(name)]));

/** A folder of manifests, as plan and apply see it. */
function write(folder: string, content: Readonly<Record<string, string>>): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(content)) writeFileSync(join(folder, name), text);
}

describe('what would happen is what happens, with dom and Git as they are', () => {
  const scene = useScene('sqlite', {
    ...{ name: 'gitops-plan', nodes: 0, domFlags: ['--allow-file-repositories'] },
  });
  const folder = testFolder();
  const remote = new BareRemote(`${folder}/infra.git`);
  const viewer = join(folder, 'ci-config');

  const b8sctl = (
    line: string,
    input?: string,
  ): Promise<{ readonly stdout: string; readonly stderr: string; readonly exitCode: number }> =>
    scene().cluster.b8sctl(line.split(' '), {
      ...{ cwd: folder, ...(input !== undefined && { input }) },
    });
  /** Who may only look, as a check of a pull request does. */
  const asCi = (line: string): ReturnType<typeof b8sctl> => b8sctl(`--config ${viewer} ${line}`);
  const lines = (text: string): readonly string[] =>
    text.split('\n').filter((line) => /^ {2}[~+=.-] /.test(line));
  const issuers = async (): Promise<readonly string[]> => {
    const { stdout } = await b8sctl('get issuers -o json');
    const { items } = JSON.parse(stdout) as { readonly items: readonly Resource[] };
    return items
      .filter(({ metadata }) => metadata.name !== 'internal')
      .map(({ metadata, spec }) => {
        return `${metadata.name} ${(spec as { ca: { lifetime: string } }).ca.lifetime}`;
      });
  };

  beforeAll(async () => {
    await remote.commit(files('a', 'b', 'c'), { subject: 'First' });
    const input = `apiVersion: b8s.dev/v1
kind: Repository
metadata: { name: infra }
spec: { url: "file://${folder}/infra.git", ref: { branch: main }, interval: 1h, timeout: 60s }
`;
    await scene().cluster.b8sctlOk(['apply', '-f', '-'], { input });
    await until('the first commit is in force', async () => (await issuers()).length === 3, {
      timeoutMs: 30_000,
    });
    const { stdout } = await b8sctl('user create ci --days 1');
    writeFileSync(viewer, stdout);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('a viewer asks about a branch, and it is merged: creates, updates and prunes as told', async () => {
    expect((await asCi('diff --repository infra')).exitCode).toBe(0);
    const next = { ...files('a', 'd'), 'b.yaml': issuer('b', '7d') };
    await remote.commit(next, { branch: 'change', subject: 'Change' });
    const told = await asCi('plan --repository infra --ref change');
    expect(lines(told.stdout)).toEqual([
      '  ~ issuer.b8s.dev/b (b.yaml:1)',
      '  + issuer.b8s.dev/d (d.yaml:1)',
      '  - issuer.b8s.dev/c',
    ]);
    const diff = await asCi('diff --repository infra --ref change');
    expect(diff.exitCode).toBe(1);
    expect(diff.stdout).toMatch(/-\s+lifetime: 30d\n\+\s+lifetime: 7d/);
    expect(await issuers()).toEqual(['a 30d', 'b 30d', 'c 30d']);
    expect((await asCi('reconcile repository/infra')).exitCode).not.toBe(0);

    await remote.commit(next, { subject: 'Change' });
    await b8sctl('reconcile repository/infra');
    expect(await issuers()).toEqual(['a 30d', 'b 7d', 'd 30d']);
    const { stdout, exitCode } = await asCi('diff --repository infra');
    expect([stdout, exitCode]).toEqual(['', 0]);
  });

  test('a bad commit ends the check with 2, with file and line', async () => {
    const typo = issuer('x').replace('lifetime', 'lifetimes');
    await remote.commit({ ...files('a', 'd'), 'x.yaml': typo }, { branch: 'bad' });
    const { stderr, exitCode } = await asCi('diff --repository infra --ref bad');
    expect(stderr).toMatch(/spec\.ca\.lifetimes.*\(x\.yaml:4\)/);
    expect(exitCode).toBe(2);
    expect((await asCi('diff --repository infra --ref nowhere')).exitCode).toBe(2);
  });

  test('the check of docs/gitops.md passes what may be merged, and fails what dom would refuse', async () => {
    const docs = readFileSync(join(ROOT, 'docs/gitops.md'), 'utf8');
    const script = /```sh\n(# check\.sh[^`]*)```/.exec(docs)?.[1] ?? 'exit 9';
    const check = (
      branch: string,
    ): Promise<{ readonly exitCode: number; readonly stdout: string }> => {
      const line = `cd ${folder}; PATH=${join(ROOT, 'bin')}:$PATH; BRANCH=${branch}; ${script}`;
      return run('/bin/sh', ['-c', line]);
    };
    await remote.commit(
      { ...files('a', 'd', 'f'), 'b.yaml': issuer('b', '7d') },
      { branch: 'good' },
    );
    const [same, good, bad] = [await check('main'), await check('good'), await check('bad')];
    expect([same.exitCode, same.stdout]).toEqual([0, 'merging changes nothing\n']);
    expect([good.exitCode, good.stdout]).toEqual([
      0,
      expect.stringMatching(/^merging changes this:.*\+ +name: f/s),
    ]);
    expect([bad.exitCode, bad.stdout]).toEqual([
      1,
      expect.stringMatching(/^dom would refuse it:.*x\.yaml:4/s),
    ]);
    expect((await asCi('auth can-i apply sites')).stdout).toBe('no\n');
  });

  test('a plan is refused once somebody changed what it touches, and done otherwise', async () => {
    const content = { ...files('a', 'd', 'e'), 'b.yaml': issuer('b', '5d') };
    const commit = await remote.commit(content, { branch: 'planned', subject: 'Planned' });
    await asCi('plan --repository infra --ref planned -o plan.json');
    await b8sctl('apply -f -', issuer('e', '1d'));
    const refused = await b8sctl('apply --plan plan.json');
    expect(refused.stderr).toMatch(
      /issuer\.b8s\.dev\/e was not there, and is there now: created by admin with "b8sctl .*apply -f -" at 20/,
    );
    expect(refused.exitCode).toBe(1);
    expect(await issuers()).toEqual(['a 30d', 'b 7d', 'd 30d', 'e 1d']);
    await b8sctl('delete issuer e');
    const done = await b8sctl('apply --plan plan.json');
    expect([done.stderr, done.exitCode]).toEqual(['', 0]);
    expect(done.stdout).toContain(commit.slice(0, 7));
    expect(await issuers()).toEqual(['a 30d', 'b 5d', 'd 30d', 'e 30d']);
  });

  test('what Git declares is not changed by hand without a word', async () => {
    const { stderr, exitCode } = await b8sctl(
      'patch issuer b -p {"spec":{"ca":{"lifetime":"9d"}}}',
    );
    expect(stderr).toMatch(/declared by repository default\/infra.*git revert [0-9a-f]{40}/s);
    expect(exitCode).toBe(1);
    const deleted = await b8sctl('delete issuer b');
    expect(deleted.stderr).toMatch(/declared by repository default\/infra.*remove its manifest/s);
    expect(deleted.exitCode).toBe(1);
    // Git does not name it.
    expect((await b8sctl('label issuer b mine=yes')).stderr).toBe('');
    expect((await b8sctl('history repository/infra')).stdout).toMatch(
      /COMMIT +OUTCOME +AGE +MESSAGE\n(.*\n)*[0-9a-f]{7} +CommitApplied .*: Planned\n/,
    );
    const { stdout } = await b8sctl('history issuer/b');
    expect(stdout).toMatch(/commit [0-9a-f]{7} of default\/infra by .*: Planned/);
  });

  test('a host that moves between files is told as apply does it, in its order', async () => {
    const where = join(folder, 'h');
    const site = (name: string, host: string): string =>
      `apiVersion: b8s.dev/v1\nkind: Site\nmetadata: { name: ${name} }\nspec: { hosts: [${host}.example.com] }\n`;
    const both = async (content: Record<string, string>): Promise<readonly number[]> => {
      write(where, content);
      const told = await asCi('diff -f h');
      return [told.exitCode, (await b8sctl('apply -f h')).exitCode];
    };
    expect(await both({ '1.yaml': site('one', 'x'), '2.yaml': site('two', 'y') })).toEqual([1, 0]);
    expect(await both({ '1.yaml': site('one', 'z'), '2.yaml': site('two', 'x') })).toEqual([1, 0]);
    // Who takes it comes before who gives it up.
    expect(await both({ '1.yaml': site('one', 'x'), '2.yaml': site('two', 'z') })).toEqual([2, 1]);
    expect(await both({ '3.yaml': site('three', 'n'), '4.yaml': site('four', 'n') })).toEqual([
      2, 1,
    ]);
    expect(await both({ '3.yaml': site('three', 'n') })).toEqual([0, 0]);
  });

  test('a plan of files is done as it says, and refused after a change', async () => {
    const where = join(folder, 'm');
    const flags = '-f m --prune --applyset mine';
    write(where, { 'p.yaml': issuer('p'), 'q.yaml': issuer('q'), 'r.yaml': issuer('r') });
    expect((await b8sctl(`apply ${flags}`)).exitCode).toBe(0);
    write(where, { 'p.yaml': issuer('p', '3d'), 'q.yaml': issuer('q'), 's.yaml': issuer('s') });
    const planned = await asCi(`plan ${flags} -o files.json`);
    expect(lines(planned.stdout)).toEqual([
      '  ~ issuer.b8s.dev/p (m/p.yaml:1)',
      '  + issuer.b8s.dev/s (m/s.yaml:1)',
      '  - issuer.b8s.dev/r',
    ]);
    expect((await asCi('apply --plan files.json')).exitCode).not.toBe(0);
    await b8sctl('patch issuer p -p {"spec":{"ca":{"lifetime":"4d"}}}');
    const { stderr } = await b8sctl('apply --plan files.json');
    expect(stderr).toMatch(
      /spec\.ca\.lifetime of issuer\.b8s\.dev\/p was "30d", and is "4d" now: set by b8sctl at .*, by admin with "b8sctl .*patch issuer p/,
    );
    await b8sctl('patch issuer p -p {"spec":{"ca":{"lifetime":"30d"}}}');
    await asCi(`plan ${flags} -o files.json`);
    const { stdout } = await b8sctl('apply --plan files.json');
    expect(stdout).toBe(
      'issuer.b8s.dev/p configured\nissuer.b8s.dev/s created\nissuer.b8s.dev/r pruned\n',
    );
    expect((await asCi(`diff ${flags}`)).exitCode).toBe(0);
  });
});
