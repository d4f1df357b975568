import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BareRemote } from '../runtime/node/git/bare-remote.fixture.ts';
import {
  type Block,
  blocksOf,
  comparable,
  filledIn,
  patternOf,
  typedOf,
  typeUntilShown,
} from './support/documents.ts';
import { run } from './support/processes.ts';
import { publish, siteYaml, useScene } from './support/scene.ts';

/*
 * The pages about one thing each, as typed by a person who has a site called blog and a Repository
 * called infra. docs/tutorial.md is a story of its own: docs.test.ts.
 */

const ROOT = join(import.meta.dirname, '..');
const COMMAND_MS_MAX = 120_000;
const PAGES = ['content', 'edge', 'dns', 'certificates', 'gitops'] as const;

/** What is not typed here, and why. Each must still be there. */
const LEFT_OUT: readonly { readonly command: RegExp; readonly why: string }[] = [
  { command: /oci:\/\//u, why: 'needs a registry: e2e/image.test.ts has one' },
  { command: /letsencrypt|^\$EDITOR/u, why: 'asks Let’s Encrypt; e2e/acme asks Pebble' },
  { command: /^dig @192/u, why: 'an address of the documentation (RFC 5737)' },
  { command: /^b8sctl dns check/u, why: 'asks the Internet: e2e/dns/check.test.ts has one' },
  {
    command: /^b8sctl zone ds/u,
    why: 'a DS is given once resolvers forgot unsigned answers: hours',
  },
  { command: /vitest run/u, why: 'these are tests themselves' },
  { command: /^age-keygen|^sops/u, why: 'e2e/git-trust.test.ts has keys and encrypted files' },
  { command: /^b8sctl rollout undo site\/blog$/u, why: 'shown by what Git declares, below' },
];

/** What goes on until somebody ends it. */
const GOES_ON = / (?:-w|--watch)(?: |$)|b8sctl logs .*-f /u;
/** Of `diff`: there are differences. */
const DIFFERENT = 1;

describe('the pages of docs/, as typed by a person', () => {
  const scene = useScene('sqlite', {
    ...{ name: 'docs-pages', domFlags: ['--allow-file-repositories'] },
  });
  const folder = mkdtempSync(join(tmpdir(), 'b8s-pages-'));
  const remote = new BareRemote(`${folder}/infra.git`);
  let commit = '';
  const unused = new Set(LEFT_OUT);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  beforeAll(async () => {
    stageFiles(folder);
    await must('tar -czf site.tar.gz public && tar --zstd -cf site.tar.zst public');
    const pair = '-keyout privkey.pem -out fullchain.pem -subj /CN=shop.example.com';
    await must(`openssl req -x509 -newkey rsa:2048 -nodes -days 9 ${pair} 2>&1`);
    const { cluster } = scene();
    const more =
      'ttl: 1\n  accessLog: { format: json }\n  previews: { domain: preview.example.com }';
    const input = siteYaml('blog', 'blog.example.com', `  ${more}\n`);
    await cluster.b8sctlOk(['apply', '-f', '-'], { input });
    await publish(scene(), 'blog', join(folder, 'public'));
    commit = await remote.commit({ 'a.yaml': ISSUER }, { subject: 'First' });
    await remote.commit({ 'a.yaml': ISSUER.replace('30d', '7d') }, { branch: 'my-change' });
    const repository = `apiVersion: b8s.dev/v1
kind: Repository
metadata: { name: infra }
spec: { url: "file://${folder}/infra.git", ref: { branch: main }, interval: 1h, timeout: 60s }
`;
    await cluster.b8sctlOk(['apply', '-f', '-'], { input: repository });
    await cluster.b8sctlOk(['wait', 'repository/infra', '--for=condition=Ready', '--timeout=60s']);
    writeFileSync(join(folder, 'ci-config'), await cluster.b8sctlOk(['user', 'create', 'ci']));
  }, 240_000);

  test.each(PAGES)(
    'every command of docs/%s.md works',
    async (name) => {
      const page = `docs/${name}.md`;
      for (const block of blocksOf(join(ROOT, page))) {
        const [, script] = /^# (\S+\.sh): /u.exec(block.lines[0] ?? '') ?? [];
        if (script !== undefined) await runScript(script, block, page);
        else if (block.language === 'sh' || block.language === 'console')
          for (const { command, line, seen } of typedOf(block))
            await typeUntilShown({ command, seen }, () =>
              type(command, { place: `${page}:${line}`, seen: seen ?? [] }),
            );
      }
    },
    600_000,
  );

  test('nothing is left out that is no longer there', () => {
    expect([...unused].map(({ command }) => String(command))).toEqual([]);
  });

  test('every manifest that stands alone is taken by dom', async () => {
    const pages = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`)];
    let count = 0;
    for (const page of pages.filter((each) => each.endsWith('.md')))
      for (const block of blocksOf(join(ROOT, page))) {
        const text = block.lines.join('\n');
        // A part of one is checked by the schemas: docs.test.ts.
        if (block.language !== 'yaml' || !/^kind:/mu.test(text) || /^ *…$/mu.test(text)) continue;
        writeFileSync(join(folder, 'page.yaml'), `${filledIn(block.lines)}\n`);
        const flags = '--dry-run=server --field-manager page --force-conflicts';
        const { stdout, exitCode } = await shell(`b8sctl apply -f page.yaml ${flags}`);
        expect(exitCode, `${page}:${block.line}\n${stdout}`).toBe(0);
        count += 1;
      }
    expect(count).toBeGreaterThan(9);
  }, 240_000);

  async function type(
    written: string,
    { place, seen }: { readonly place: string; readonly seen: readonly string[] },
  ): Promise<void> {
    const reason = LEFT_OUT.find(({ command }) => command.test(written));
    if (reason !== undefined) return void unused.delete(reason);
    const command = written.replaceAll('fra1', 'london').replaceAll('1c0d8a…', commit);
    const goesOn = GOES_ON.test(command.replace(/ #.*$/u, ''));
    const { stdout, exitCode } = await shell(
      goesOn ? `timeout --signal=INT 5 ${command}` : command,
    );
    const said = `${place}: ${command}\n${stdout}`;
    const isDifferent = /b8sctl diff/u.test(command) && exitCode === DIFFERENT;
    // 124: of timeout, which ended it.
    if (goesOn) expect([124, 130], said).toContain(exitCode);
    else expect(isDifferent ? 0 : exitCode, said).toBe(0);
    if (seen.length > 0) expect(comparable(stdout), place).toMatch(patternOf(seen));
  }

  /** A script of a page, with what CI would set. */
  async function runScript(name: string, { lines, line }: Block, page: string): Promise<void> {
    writeFileSync(join(folder, name), `${lines.join('\n')}\n`);
    const { stdout, exitCode } = await shell(`BRANCH=my-change bash ${name}`);
    expect(exitCode, `${page}:${line}\n${stdout}`).toBe(0);
    expect(stdout).toMatch(/merging changes/u);
  }

  async function must(command: string): Promise<void> {
    const { stdout, exitCode } = await shell(command);
    expect(exitCode, `${command}\n${stdout}`).toBe(0);
  }

  function shell(command: string): ReturnType<typeof run> {
    const env = {
      PATH: `${join(ROOT, 'bin')}:${process.env['PATH']}`,
      ...{ B8SCONFIG: scene().cluster.configFile, HOME: folder },
    };
    return run('bash', ['-c', `exec 2>&1\n${command}`], {
      ...{ cwd: folder, env, timeoutMs: COMMAND_MS_MAX },
    });
  }
});

const ISSUER = `apiVersion: b8s.dev/v1
kind: Issuer
metadata: { name: from-git }
spec: { ca: { lifetime: 30d } }
`;

/** As RFC 1035 §5.1 has it, with a signature that b8s leaves out. */
const ZONE_FILE = `$ORIGIN example.org.
$TTL 3600
@ IN SOA ns1.example.net. hostmaster.example.org. 1 7200 3600 1209600 300
@ IN NS ns1.example.net.
www IN A 192.0.2.80
  RRSIG A 13 3 3600 20270201000000 20270101000000 1234 example.org. c2lnbmVk
`;

function stageFiles(folder: string): void {
  for (const name of ['public', 'draft', 'manifests']) mkdirSync(join(folder, name));
  const files = {
    'public/index.html': '<h1>public</h1>',
    'draft/index.html': '<h1>draft</h1>',
    'manifests/issuer.yaml': ISSUER.replace('from-git', 'by-hand'),
    'mac-key.txt': 'bm90IGEga2V5',
    'db.example.org': ZONE_FILE,
    'example.com.zone': ZONE_FILE.replaceAll('example.org', 'example.com').replace(/^ .*\n/mu, ''),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}
