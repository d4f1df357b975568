import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  type Block,
  blocksOf,
  comparable,
  patternOf,
  type Typed,
  typedOf,
  typeUntilShown,
} from './support/documents.ts';
import { run } from './support/processes.ts';
import { describeOnStores, useScene } from './support/scene.ts';

const ROOT = join(import.meta.dirname, '..');
const TUTORIAL = join(ROOT, 'docs/tutorial.md');
const COMMAND_MS_MAX = 120_000;

/** What of the tutorial is not typed here, and why. Each must still be there. */
const LEFT_OUT: readonly { readonly command: RegExp; readonly why: string }[] = [
  { command: /^git clone/u, why: 'e2e/build.test.ts builds' },
  { command: /^dist\/bin\/dom run/u, why: 'the scene has started dom, at an address of its own' },
  { command: /^export B8SCONFIG/u, why: 'the scene knows where it is' },
  { command: /^sub (?:join|run)/u, why: 'the nodes of the scene have joined so' },
  {
    command: /^dig @/u,
    why: 'the address is of the documentation (RFC 5737), not of this machine',
  },
  { command: /letsencrypt/u, why: 'asks Let’s Encrypt; e2e/acme asks Pebble' },
  { command: /^curl .*https:\/\/blog\.example\.com/u, why: 'needs port 443 and a delegated name' },
];

/** 1 of `diff`: there are differences. */
const DIFFERENT = 1;

await describeOnStores(
  'the documentation, as typed by a person',
  (kind) => {
    const scene = useScene(kind, { name: 'docs' });
    const folder = mkdtempSync(join(tmpdir(), 'b8s-docs-'));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test('every command of docs/tutorial.md works, and shows what the page says', async () => {
      const unused = new Set(LEFT_OUT);
      let count = 0;
      for (const block of blocksOf(TUTORIAL)) {
        if (block.language === 'yaml') await declare(block);
        if (block.language !== 'sh' && block.language !== 'console') continue;
        for (const typed of typedOf(block)) {
          const reason = LEFT_OUT.find(({ command }) => command.test(typed.command));
          if (reason !== undefined) unused.delete(reason);
          else await type(typed);
          count += 1;
        }
      }
      expect([...unused].map(({ command }) => String(command))).toEqual([]);
      expect(count).toBeGreaterThan(20);
    }, 600_000);

    async function type(typed: Typed): Promise<void> {
      await typeUntilShown(typed, () => typeOnce(typed));
    }

    async function typeOnce({ command, line, seen }: Typed): Promise<void> {
      const env = {
        PATH: `${join(ROOT, 'bin')}:${process.env['PATH']}`,
        ...{ B8SCONFIG: scene().cluster.configFile, HOME: folder },
      };
      const { stdout, exitCode } = await run('bash', ['-c', `exec 2>&1\n${command}`], {
        ...{ cwd: folder, env, timeoutMs: COMMAND_MS_MAX },
      });
      const place = `docs/tutorial.md:${line}: ${command}`;
      const isDifferent = command.startsWith('b8sctl diff') && exitCode === DIFFERENT;
      expect(isDifferent ? 0 : exitCode, `${place}\n${stdout}`).toBe(0);
      if (seen !== undefined && seen.length > 0)
        expect(comparable(stdout), place).toMatch(patternOf(seen));
    }

    /** A whole manifest becomes the file that its first line names; a part goes to the Site. */
    async function declare({ lines, line }: Block): Promise<void> {
      const text = `${lines.join('\n')}\n`;
      const [, name] = /^# (\S+\.yaml)$/u.exec(lines[0] ?? '') ?? [];
      if (name === undefined) {
        writeFileSync(join(folder, 'part.yaml'), text);
        await type({
          command: 'b8sctl patch site/blog -p "$(cat part.yaml)"',
          line,
          seen: undefined,
        });
      } else writeFileSync(join(folder, name), text);
    }
  },
  ['sqlite'],
);
