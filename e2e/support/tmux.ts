import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, until } from './processes.ts';

export const TMUX = '/usr/bin/tmux';

/** A real terminal with a shell in it, and a person who types. */
export interface Screen {
  /** What stands on the screen now, without colours and trailing spaces. */
  text(): Promise<string>;
  /** Types a line and Enter. */
  type(line: string): Promise<void>;
  /** Presses keys by tmux's names: "C-c", "y", "Enter". */
  press(...keys: readonly string[]): Promise<void>;
  /** Waits until the screen shows this; rejects with what it shows instead. */
  shows(wanted: RegExp, timeoutMs?: number): Promise<string>;
  /** Waits for the prompt, and gives the exit code of what ran before it. */
  exitCode(timeoutMs?: number): Promise<number>;
  /** Whether the cursor is seen, and in which column it stands, from 0. */
  cursor(): Promise<{ readonly isShown: boolean; readonly column: number }>;
  clear(): Promise<void>;
  close(): Promise<void>;
}

const PROMPT = 'ready> ';

/** Starts one of that size, on a server of its own. Nothing of the person's tmux is read. */
export async function openScreen(options: {
  readonly columns: number;
  readonly rows: number;
  readonly env: Readonly<Record<string, string>>;
}): Promise<Screen> {
  const folder = mkdtempSync(join(tmpdir(), 'b8s-tmux-'));
  const socket = join(folder, 'socket');
  const tmux = async (...args: readonly string[]): Promise<string> => {
    const base = ['-S', socket, '-f', '/dev/null'];
    const { stdout, stderr, exitCode } = await run(TMUX, [...base, ...args]);
    if (exitCode !== 0) throw new Error(`tmux ${args[0]}: ${stderr}`);
    return stdout;
  };
  const rcFile = join(folder, 'rc');
  const exports = Object.entries(options.env).map(([name, value]) => `export ${name}='${value}'\n`);
  writeFileSync(rcFile, `PS1='${PROMPT}'\n${exports.join('')}`);
  const size = ['-x', String(options.columns), '-y', String(options.rows)];
  await tmux('new-session', '-d', ...size, `bash --noprofile --rcfile ${rcFile}`);

  const text = async () => {
    const shown = await tmux('capture-pane', '-p', '-J');
    return shown.replaceAll(/[ \t]+$/gmu, '').trimEnd();
  };
  const shows = async (wanted: RegExp, timeoutMs = 30_000) => {
    let last = '';
    const look = async () => {
      last = await text();
      return wanted.test(last) ? last : undefined;
    };
    return await until(`the screen shows ${wanted}`, look, { timeoutMs, everyMs: 30 }).catch(
      (cause: unknown) => {
        throw new Error(`the screen does not show ${wanted} but:\n${last}`, { cause });
      },
    );
  };
  const press = async (...keys: readonly string[]) => void (await tmux('send-keys', ...keys));
  const type = async (line: string) => {
    await tmux('send-keys', '-l', line);
    await press('Enter');
  };
  const close = async () => {
    await tmux('kill-server').catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  };
  await shows(/^ready>$/mu).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  let asked = 0;
  return {
    ...{ text, type, press, shows, close },
    async exitCode(timeoutMs = 30_000) {
      // The last line: what ran has ended, and the shell waits.
      await shows(/(?:^|\n)ready>$/u, timeoutMs);
      asked += 1;
      await type(`echo code-${asked}-is-$?`);
      const shown = await shows(new RegExp(`^code-${asked}-is-\\d+$`, 'mu'));
      return Number(new RegExp(`^code-${asked}-is-(\\d+)$`, 'mu').exec(shown)?.[1]);
    },
    async cursor() {
      const [flag, column] = (
        await tmux('display-message', '-p', '#{cursor_flag} #{cursor_x}')
      ).split(' ');
      return { isShown: flag === '1', column: Number(column) };
    },
    async clear() {
      await tmux('send-keys', '-R', 'C-l');
      await tmux('clear-history');
      await shows(/^ready>$/u);
    },
  };
}
