import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeOnStores, siteYaml, useScene } from './support/scene.ts';
import { openScreen, type Screen, TMUX } from './support/tmux.ts';

const BIN = join(import.meta.dirname, '../bin');
const isMissing = !existsSync(TMUX);
if (isMissing && process.env['CI'] === 'true') throw new Error('tmux is missing: e2e/setup.sh');
const SIZE = { columns: 80, rows: 30 };
/** So many files that reading and sending them takes seconds. */
const FILES = 3_000;
const FILE_BYTES = 30_000;
/** Sites: applying so many takes seconds. */
const MANY = 3_000;
const INTERRUPTED = 130;

await describeOnStores(
  `b8sctl on a terminal${isMissing ? ' (skipped: tmux is missing)' : ''}`,
  (kind) => {
    const scene = useScene(kind, { name: 'terminal', nodes: 1 });
    const folder = mkdtempSync(join(tmpdir(), 'b8s-terminal-'));
    let screen: Screen;

    /** Of files with a word that is new dom has nothing yet. */
    function writeFiles(word: string): void {
      for (let number = 0; number < FILES; number += 1) {
        const inner = join(folder, 'public', String(number % 50));
        mkdirSync(inner, { recursive: true });
        const text = `${word} ${number} `;
        writeFileSync(join(inner, `${number}.txt`), text.repeat(FILE_BYTES / text.length));
      }
    }

    beforeAll(async () => {
      writeFiles('first');
      const { cluster } = scene();
      await cluster.b8sctlOk(['apply', '-f', '-'], {
        input: siteYaml('blog', 'blog.example.test'),
      });
    }, 180_000);
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    beforeEach(async () => {
      const env = {
        PATH: `${BIN}:${process.env['PATH']}`,
        B8SCONFIG: scene().cluster.configFile,
        XDG_CACHE_HOME: join(folder, 'cache'),
        HOME: folder,
      };
      screen = await openScreen({ ...SIZE, env });
      await screen.type(`cd ${folder}`);
      await screen.clear();
    });
    afterEach(async () => {
      await screen.close();
    });

    /** As the person left it: a prompt at the beginning of a line, and a cursor. */
    async function isClean(): Promise<void> {
      await screen.shows(/(?:^|\n)ready>$/u);
      expect(await screen.cursor()).toEqual({ isShown: true, column: 'ready> '.length });
    }

    test('push shows a bar while it works, and takes it away when it is done', async () => {
      await screen.type('b8sctl push public --site blog');
      const seen = await screen.shows(/(?:hashing|uploading) \d+\/3000 files, \S+\/\S+ \[=* *\]/u);
      expect(Math.max(...seen.split('\n').map((line) => line.length))).toBeLessThan(SIZE.columns);
      expect(await screen.exitCode(120_000)).toBe(0);
      const shown = await screen.text();
      expect(shown).toMatch(/3000 files uploaded/u);
      expect(shown).not.toMatch(/\[=/u);
    }, 180_000);

    test('Ctrl-C of a push takes the bar away: exit code 130, a clean line', async () => {
      rmSync(join(folder, 'cache'), { recursive: true, force: true });
      writeFiles('second');
      await screen.type('b8sctl push public --site blog --no-cache');
      await screen.shows(/(?:hashing|uploading) \d+\/3000 files/u);
      await screen.press('C-c');
      await isClean();
      expect(await screen.exitCode()).toBe(INTERRUPTED);
      expect(await screen.text()).not.toMatch(/\[=/u);
    }, 60_000);

    test.each([
      { line: 'get sites -w', until: /^blog +blog\.example\.test/mu },
      { line: 'wait site/none --for=create --timeout=-1', until: /for=create --timeout=-1/u },
      { line: 'logs site/blog -f', until: /logs site\/blog -f/u },
      { line: 'events -w', until: /events -w/u },
      { line: 'top sites -w', until: /Nothing was asked for|^SITE/mu },
      { line: 'rollout status site/blog -w', until: /rollout status/u },
    ])('Ctrl-C ends b8sctl $line: exit code 130, a clean line', async ({ line, until: wanted }) => {
      await screen.type(`b8sctl ${line}`);
      await screen.shows(wanted);
      await screen.press('C-c');
      await isClean();
      expect(await screen.exitCode()).toBe(INTERRUPTED);
      expect(await screen.text()).not.toMatch(/[Ee]rror|at .*\.ts:/u);
    });

    test('Ctrl-C of an apply of many: what was said is done, the rest is not begun', async () => {
      const sites = Array.from({ length: MANY }, (_, n) =>
        siteYaml(`many-${n}`, `m${n}.example.test`),
      );
      writeFileSync(join(folder, 'many.yaml'), sites.join('---\n'));
      await screen.type('b8sctl apply -f many.yaml');
      await screen.shows(/many-\d+ created/u);
      await screen.press('C-c');
      await isClean();
      const last = Number(/many-(\d+) created\n[^\n]*ready>$/u.exec(`${await screen.text()}`)?.[1]);
      expect(await screen.exitCode()).toBe(INTERRUPTED);
      const { cluster } = scene();
      const there = (await cluster.b8sctlOk(['get', 'sites', '-o', 'name'])).match(/many-/gu);
      // One more may have been on its way.
      const count = there?.length ?? 0;
      expect(count).toBeGreaterThan(0);
      expect(count).toBeLessThan(sites.length);
      if (!Number.isNaN(last)) expect([last + 1, last + 2]).toContain(count);
      writeFileSync(join(folder, 'begun.yaml'), sites.slice(0, count + 1).join('---\n'));
      await cluster.b8sctlOk(['delete', '-f', join(folder, 'begun.yaml'), '--ignore-not-found']);
    }, 120_000);

    test.each([
      {
        when: 'the person says no',
        keys: ['n', 'Enter'],
        code: 1,
        said: /Nothing was deleted\./u,
        left: 2,
      },
      {
        when: 'the person only presses Enter',
        keys: ['Enter'],
        code: 1,
        said: /Nothing was deleted\./u,
        left: 2,
      },
      {
        when: 'the person presses Ctrl-C',
        keys: ['C-c'],
        code: INTERRUPTED,
        said: /\[y\/N\]/u,
        left: 2,
      },
      { when: 'the person ends the input', keys: ['C-d'], code: 1, said: /\[y\/N\]/u, left: 2 },
      {
        when: 'the person says yes',
        keys: ['y', 'Enter'],
        code: 0,
        said: /"b-asked" deleted/u,
        left: 0,
      },
    ])('delete asks before several go; $when', async ({ keys, code, said, left }) => {
      const { cluster } = scene();
      const input = ['a-asked', 'b-asked'].map((name) => siteYaml(name, `${name}.example.test`));
      await cluster.b8sctlOk(['apply', '-f', '-'], { input: input.join('---\n') });
      await screen.type('b8sctl delete site/a-asked site/b-asked');
      const asking = await screen.shows(/Delete these 2 objects\? \[y\/N\]$/u);
      expect(asking).toContain('site.b8s.dev/a-asked\n  site.b8s.dev/b-asked');
      await screen.press(...keys);
      await screen.shows(said);
      await isClean();
      expect(await screen.exitCode()).toBe(code);
      const names = await cluster.b8sctlOk(['get', 'sites', '-o', 'name']);
      expect(names.match(/-asked/gu)?.length ?? 0).toBe(left);
    });

    test('edit opens again on what is refused, with the reasons, and saving it unchanged gives up', async () => {
      const editor = join(folder, 'editor.sh');
      // The first time a typo; then it shows what it was given, and leaves it.
      writeFileSync(
        editor,
        '#!/bin/sh\nif [ -e "$HOME/again" ]; then cp "$1" "$HOME/again"; else\n' +
          'touch "$HOME/again"; sed -i s/hosts:/hostz:/ "$1"; fi\n',
        { mode: 0o755 },
      );
      await screen.type(`EDITOR=${editor} b8sctl edit site blog; cat $HOME/again | head -5`);
      const shown = await screen.shows(/It was refused:/u);
      expect(shown).toMatch(/given up, nothing was changed/u);
      expect(shown).toMatch(/did you mean "hosts"\?/u);
    });

    test('tables fit the terminal, and NO_COLOR is heard', async () => {
      await screen.type('b8sctl get nodes,sites; b8sctl events; b8sctl api-resources');
      expect(await screen.exitCode()).toBe(0);
      const lines = (await screen.text()).split('\n');
      expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(SIZE.columns);
    });
  },
  ['sqlite'],
);
