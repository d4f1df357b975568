import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { ApiError } from '../runtime/api-client.ts';
import { nodePlugins } from '../runtime/node/plugins.ts';
import { type TestCli, testCli } from './testing/test-cli.ts';
import { takeVerbosity } from './verbosity.ts';

let cli: TestCli;
let ran: string[];
beforeEach(() => {
  cli = testCli();
  ran = [];
  for (const name of ['foo', 'foo-bar', 'two_words', 'get'])
    cli.plugins.set(`/bin/b8sctl-${name}`, (args) => {
      ran.push([name, ...args].join(' '));
      return 3;
    });
});

test.each([
  { line: 'foo', runs: ['foo'] },
  { line: 'foo x --flag', runs: ['foo x --flag'] },
  { line: 'foo bar x', runs: ['foo-bar x'] },
  { line: 'foo --flag bar -v=6', runs: ['foo --flag bar -v=6'] },
  { line: 'two-words', runs: ['two_words'] },
  { line: 'get sites', runs: [] },
  { line: '../foo', runs: [] },
  { line: 'unknown', runs: [] },
])('b8sctl $line runs $runs', async ({ line, runs }) => {
  const { code } = await cli.b8sctl(line);
  expect(ran).toEqual(runs);
  if (runs.length > 0) expect(code).toBe(3);
});

test('plugin list warns of those that are never run', async () => {
  const { out, error } = await cli.b8sctl('plugin list');
  expect(out).toContain('/bin/b8sctl-foo-bar\n');
  expect(error).toBe('  Warning: never run, for b8sctl has a command get\n');
  cli.plugins.clear();
  expect((await cli.b8sctl('plugin list')).error).toBe('error: no b8sctl-… programs on PATH\n');
});

test('real programs: only those that may be run, in absolute folders of PATH', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'b8sctl-plugins-'));
  try {
    const script = async (name: string, mode: number) => {
      await writeFile(join(folder, name), '#!/bin/sh\nexit 7\n');
      await chmod(join(folder, name), mode);
    };
    await script('b8sctl-seven', 0o755);
    await script('b8sctl-plain', 0o644);
    await mkdir(join(folder, 'b8sctl-folder'));
    const plugins = nodePlugins(`.:${folder}:/nowhere-at-all`);
    const path = join(folder, 'b8sctl-seven');
    expect(await plugins.list('b8sctl-')).toEqual([path]);
    expect(await plugins.find('b8sctl-seven')).toBe(path);
    for (const name of ['b8sctl-plain', 'b8sctl-folder', '../b8sctl-seven', 'b8sctl-none'])
      expect(await plugins.find(name)).toBeUndefined();
    expect(await plugins.run(path, [])).toBe(7);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.each([
  { given: 'get sites', words: 'get sites', verbosity: 0 },
  { given: 'get -v sites', words: 'get sites', verbosity: 1 },
  { given: 'get -v=6 sites', words: 'get sites', verbosity: 6 },
  { given: '-v 6 get', words: 'get', verbosity: 6 },
  { given: 'get -v8', words: 'get', verbosity: 8 },
  { given: 'get --v=9', words: 'get', verbosity: 9 },
  { given: 'get --verbose', words: 'get', verbosity: 1 },
  { given: 'get -v=6 -v=0', words: 'get', verbosity: 0 },
  { given: 'foo -- -v=6', words: 'foo -- -v=6', verbosity: 0 },
  { given: 'get -vx', words: 'get -vx', verbosity: 0 },
])('"$given" has verbosity $verbosity', ({ given, words, verbosity }) => {
  expect(takeVerbosity(given.split(' '))).toEqual({ words: words.split(' '), verbosity });
});

test('-v=6 tells each request, and nothing that may be secret', async () => {
  cli.api.put({ kind: 'Secret', metadata: { namespace: 'default', name: 's' }, spec: {} });
  cli.api.failNext('get', new ApiError('Forbidden', 'no'));
  const { error } = await cli.b8sctl('get secret/s -v=6');
  expect(error.split('\n')[0]).toBe(
    'get Secret default/s: 0 ms, Error from server (Forbidden): no',
  );
  const value = ['patch', 'secret', 's', '-p', '{"spec":{"data":{"a":"sesame"}}}', '-v=9'];
  const patched = await cli.b8sctl(value);
  expect(patched.error).toBe('get Secret default/s: 0 ms\nupdate Secret default/s: 0 ms\n');
});

test('-v=8 tells what is sent and comes back, -v=9 all of it', async () => {
  const hosts = Array.from({ length: 100 }, (_, n) => `host-${n}.example.com`);
  cli.api.put({ kind: 'Site', metadata: { namespace: 'default', name: 'blog' }, spec: { hosts } });
  const { error } = await cli.b8sctl('get site blog -v=8');
  expect(error).toMatch(/^get Site default\/blog: 0 ms\n {2}request: \[\{"kind":"Site",/);
  expect(error).toMatch(
    /\n {2}answer: \{"apiVersion".*host-1\.example.*more characters: -v=9\)\n$/,
  );
  const whole = await cli.b8sctl('get site blog -v=9');
  expect(whole.error).toContain('host-99.example.com');
  expect(whole.out).toBe((await cli.b8sctl('get site blog')).out);
});

test('no level tells values of Secrets', async () => {
  const value = JSON.stringify({ spec: { data: { a: 'sesame' } } });
  cli.api.put({ kind: 'Secret', metadata: { namespace: 'default', name: 's' }, spec: {} });
  const manifest = `{apiVersion: b8s.dev/v1, kind: Secret, metadata: {name: t}, spec: {data: {a: sesame}}}`;
  cli.files.set('s.yaml', manifest);
  for (const line of [
    ['patch', 'secret', 's', '-p', value],
    ['apply', '-f', 's.yaml'],
    ['get', 'secrets', '-o', 'name'],
    ['history', 'secret/t'],
    ['user', 'create', 'ci'],
    ['node', 'token', 'create'],
  ]) {
    const { error } = await cli.b8sctl([...line, '-v=9']);
    expect(error, line.join(' ')).not.toMatch(/sesame|key of a|\.secret/);
    expect(error).toMatch(/: 0 ms/);
  }
});

test('a name that is near is told', async () => {
  cli.api.put({ kind: 'Node', metadata: { name: 'london' }, spec: {} });
  const { error } = await cli.b8sctl('get node lodnon');
  expect(error).toBe(
    'Error from server (NotFound): nodes "lodnon" not found; did you mean "london"?\n',
  );
});
