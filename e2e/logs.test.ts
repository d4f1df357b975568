import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NodeOptions } from './support/cluster.ts';
import { type Browser, browser, http2Browser } from './support/https.ts';
import { program, until } from './support/processes.ts';
import { describeOnStores, edgeOf, publish, siteYaml, useScene } from './support/scene.ts';

const HOST = 'noted.example.test';
const B8SCTL = join(import.meta.dirname, '../bin/b8sctl');

interface Line {
  readonly time: string;
  readonly node: string;
  readonly method: string;
  readonly path: string;
  readonly protocol: string;
  readonly status: number;
  readonly bytes: number;
  readonly client?: string;
  readonly userAgent?: string;
}

function parse(text: string): readonly Line[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
}

await describeOnStores(
  'access logs',
  (kind) => {
    // A file for each site makes way at 128 KiB.
    const scene = useScene(kind, { name: 'logs', subFlags: ['--access-log-mib', '1'] });
    const folder = mkdtempSync(join(tmpdir(), 'b8s-logs-'));
    let http1: Browser;
    let http2: Browser;

    const apply = (spec: string) =>
      scene().cluster.b8sctlOk(['apply', '-f', '-'], { input: siteYaml('noted', HOST, spec) });
    const logs = async (...flags: readonly string[]): Promise<readonly Line[]> =>
      parse(await scene().cluster.b8sctlOk(['logs', 'site/noted', ...flags]));

    async function visit(node: NodeOptions, client: Browser, path: string): Promise<number> {
      return (await client.get(edgeOf(node), path, { 'user-agent': 'e2e "x"' })).status;
    }

    beforeAll(async () => {
      writeFileSync(join(folder, 'index.html'), 'hello');
      await apply('');
      await publish(scene(), 'noted', folder);
      http1 = browser(HOST, scene().ca(), { keepAlive: true });
      http2 = http2Browser(HOST, scene().ca(), { keepAlive: true });
    }, 180_000);
    afterAll(() => {
      http1.close();
      http2.close();
      rmSync(folder, { recursive: true, force: true });
    });

    /** Where all nodes write by now; what they noted before is not looked at. */
    async function wait(has: (lines: readonly Line[]) => boolean): Promise<readonly Line[]> {
      let lines: readonly Line[] = [];
      const look = async (): Promise<boolean> => {
        lines = await logs('--tail', '10000', '-o', 'json');
        return has(lines);
      };
      await until('the lines are there', look, { timeoutMs: 30_000 });
      return lines;
    }

    test('a site has none until it is asked for, and it is said how', async () => {
      const said = await scene().cluster.b8sctl(['logs', 'site/noted']);
      expect(said.exitCode).toBe(1);
      const command = /b8sctl (patch .*) -p '(.*)'/.exec(said.stderr);
      const [words = '', patch = ''] = command?.slice(1) ?? [];
      await scene().cluster.b8sctlOk([...words.split(' '), '-p', patch]);
      for (const node of scene().nodes) {
        const noted = async (): Promise<boolean> => {
          await visit(node, http1, '/probe');
          return (await logs('--node', node.name)).length > 0;
        };
        await until(`${node.name} notes requests`, noted, { timeoutMs: 30_000 });
      }
    }, 120_000);

    test('each request is noted once, of both protocols and all nodes, in order', async () => {
      const clients = [http1, http2];
      for (const [index, node] of scene().nodes.entries())
        for (const [which, client] of clients.entries()) {
          expect(await visit(node, client, `/?n=${index}${which}`)).toBe(200);
          expect(await visit(node, client, `/gone?n=${index}${which}`)).toBe(404);
        }
      const wanted = (lines: readonly Line[]): readonly Line[] =>
        lines.filter(({ path }) => path.includes('?n='));
      const lines = wanted(await wait((all) => wanted(all).length >= 12));
      expect(lines).toHaveLength(12);
      expect(new Set(lines.map(({ path }) => path)).size).toBe(12);
      expect(lines.map(({ time }) => time)).toEqual(lines.map(({ time }) => time).toSorted());
      for (const { path, protocol, status, bytes, node, client, userAgent } of lines) {
        const [index = 0, which] = [...path.slice(-2)].map(Number);
        expect(protocol).toBe(which === 0 ? 'HTTP/1.1' : 'HTTP/2.0');
        expect(status).toBe(path.startsWith('/gone') ? 404 : 200);
        if (status === 200) expect(bytes).toBe(5);
        expect(node).toBe(scene().nodes[index]?.name);
        expect([client?.startsWith('127.'), userAgent]).toEqual([true, 'e2e "x"']);
      }
      const combined = await scene().cluster.b8sctlOk(['logs', 'site/noted', '-o', 'combined']);
      expect(combined).toMatch(
        /^127\.\S+ - - \[[^\]]+\] "GET \/gone\?n=21 HTTP\/2\.0" 404 \d+ "-" "e2e \\x22x\\x22"$/m,
      );
    }, 60_000);

    test('logs -f shows each new line once, until Ctrl-C', async () => {
      const { cluster, logDir, nodes } = scene();
      const following = program({
        name: 'logs',
        command: B8SCTL,
        args: ['--config', cluster.configFile, 'logs', 'site/noted', '-f', '--tail', '1'],
        logFile: join(logDir, 'follow.out'),
      });
      following.start();
      const shown = (): readonly Line[] => parse(readFileSync(following.logFile, 'utf8'));
      await until('it shows what there was', () => Promise.resolve(shown().length === 1), {
        timeoutMs: 20_000,
      });
      for (let request = 0; request < 100; request += 1)
        for (const node of nodes)
          await visit(node, request % 2 === 0 ? http1 : http2, `/?f=${node.name}-${request}`);
      await until('it shows all', () => Promise.resolve(shown().length >= 301), {
        timeoutMs: 20_000,
      });
      expect(await following.stop('SIGINT')).toBe(130);
      const paths = shown()
        .slice(1)
        .map(({ path }) => path);
      expect(paths).toHaveLength(300);
      expect(new Set(paths).size).toBe(300);
      // The nodes are told: what comes then is told to nobody.
      await visit(nodes[0] ?? raise(), http1, '/?after');
    }, 120_000);

    test('top shows what sites and nodes answer', async () => {
      const { cluster, nodes } = scene();
      const top = async (...flags: readonly string[]): Promise<readonly string[]> => {
        const { stdout } = await cluster.b8sctl(['top', ...flags]);
        return stdout.trimEnd().split('\n');
      };
      let cells: readonly string[] = [];
      const shown = async (): Promise<boolean> => {
        for (const node of nodes) await visit(node, http2, '/');
        cells = (await top('sites'))[1]?.split(/ {2,}/) ?? [];
        return cells.at(-1) === '3';
      };
      await until('top knows the site on all nodes', shown, { timeoutMs: 30_000 });
      const [name, requests, succeeded] = cells;
      expect(name).toBe('noted');
      expect(Number(requests)).toBeGreaterThan(0);
      expect(Number(succeeded)).toBeGreaterThan(0);
      const rows = (await top('nodes', '--sort-by', 'name')).slice(1);
      expect(rows.map((row) => row.split(' ')[0])).toEqual(
        nodes.map((node) => node.name).toSorted(),
      );
      for (const row of rows) expect(row).toMatch(/ \d+% .*MiB/);
      const one = await top('sites', '--node', nodes[0]?.name ?? raise());
      expect(one[1]).toMatch(/^noted .* 1$/);
    }, 60_000);

    test('files make way, and take a bounded room', async () => {
      const [node = raise()] = scene().nodes;
      const long = 'x'.repeat(1500);
      for (let batch = 0; batch < 40; batch += 1)
        await Promise.all(
          Array.from({ length: 20 }, (_, n) => visit(node, http2, `/?b=${batch}-${n}-${long}`)),
        );
      await wait((lines) => lines.some(({ path }) => path.startsWith('/?b=39-')));
      const files = join(scene().cluster.subDir(node.name), 'logs/access/default');
      const names = readdirSync(files);
      expect(names.length).toBeGreaterThan(2);
      expect(names.length).toBeLessThanOrEqual(5);
      const bytes = names.map((name) => statSync(join(files, name)).size);
      for (const each of bytes) expect(each).toBeLessThanOrEqual(128 * 1024);
    }, 120_000);

    test('addresses are cut where they are not to be noted whole', async () => {
      const patch = '{"spec":{"accessLog":{"format":"combined","clientAddress":"network"}}}';
      await scene().cluster.b8sctlOk(['patch', 'site/noted', '-p', patch]);
      const [node = raise()] = scene().nodes;
      const noted = async (): Promise<boolean> => {
        await visit(node, http2, '/?cut');
        const said = await scene().cluster.b8sctlOk(['logs', 'site/noted', '--node', node.name]);
        return /^127\.\d+\.\d+\.0 - - .*\/\?cut/m.test(said);
      };
      await until('only its network is noted', noted, { timeoutMs: 30_000 });
    }, 60_000);

    test('a site that goes takes its lines with it', async () => {
      const { cluster, nodes } = scene();
      await cluster.b8sctlOk(['delete', 'site', 'noted', '--timeout', '60s'], {
        timeoutMs: 70_000,
      });
      const left = (): readonly string[] =>
        nodes.flatMap(({ name }) => {
          const files = join(cluster.subDir(name), 'logs/access/default');
          return readdirSync(files, { withFileTypes: true }).map((each) => each.name);
        });
      await until('nothing is left', () => Promise.resolve(left().length === 0), {
        timeoutMs: 30_000,
      });
    }, 120_000);
  },
  ['sqlite'],
);

function raise(): never {
  throw new Error('no node');
}
