import type { Terminal } from '../terminal.ts';

/** The process's own standard streams. A non-empty `NO_COLOR` turns colours off. */
export function nodeTerminal(): Terminal {
  const { stdout, stderr, stdin, env } = process;
  return {
    out: (text) => void stdout.write(text),
    error: (text) => void stderr.write(text),
    outIsTerminal: stdout.isTTY === true,
    errorIsTerminal: stderr.isTTY === true,
    canAsk: stdin.isTTY === true && stderr.isTTY === true,
    columns: stdout.columns ?? 80,
    colour: stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
    async confirm(question) {
      // Few commands ask, and all of them start.
      const { createInterface } = await import('node:readline/promises');
      const reader = createInterface({ input: stdin, output: stderr });
      // While it reads, Ctrl-C is a key to the terminal and not yet a signal to us.
      reader.on('SIGINT', () => {
        process.emit('SIGINT');
        reader.close();
      });
      const over = new Promise<string>((resolve) => reader.once('close', () => resolve('')));
      try {
        const answer = await Promise.race([reader.question(question).catch(() => ''), over]);
        return /^y(es)?$/i.test(answer.trim());
      } finally {
        reader.close();
      }
    },
  };
}
