/** What the pages have people type is what b8sctl takes: its flags, their values, its arguments. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import type { Cli } from './cli/cli.ts';
import { commands } from './cli/commands.ts';
import { globalOptions } from './cli/program.ts';
import { takeVerbosity } from './cli/verbosity.ts';
import { blocksOf, callsOf, typedOf } from './e2e/support/documents.ts';

const ROOT = import.meta.dirname;
/** Generated: usage texts, with examples that are indented, each with a word on what it does. */
const GENERATED = 'b8sctl.md';
const pages = [
  ...['README.md', 'manifests/README.md', 'e2e/README.md'],
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md') && name !== GENERATED)
    .map((name) => `docs/${name}`),
];
const examples = blocksOf(join(ROOT, 'docs', GENERATED)).flatMap(({ lines, line }) =>
  lines.flatMap((text, index) => {
    const [, command] = /^ {2}((?:ssh \S+ "\$\()?\S*\bb8sctl .*?)(?: {3,}.*)?$/u.exec(text) ?? [];
    const typed = command === undefined ? [] : callsOf(command);
    return typed.map((words) => ({ page: `docs/${GENERATED}`, line: line + index, words }));
  }),
);
const written = pages.flatMap((page) =>
  blocksOf(join(ROOT, page))
    .filter(({ language }) => language === 'sh' || language === 'console')
    .flatMap(typedOf)
    .flatMap(({ command, line }) => callsOf(command).map((words) => ({ page, line, words }))),
);

test('there are commands in the pages, and examples of nearly every command', () => {
  expect(written.length).toBeGreaterThan(70);
  const shown = new Set(examples.map(({ words: [name] }) => name));
  const without = commands.filter(({ name }) => !shown.has(name)).map(({ name }) => name);
  // These take no arguments.
  expect(without).toEqual(['api-resources', 'plugin', 'version']);
});

test.each([...written, ...examples])('$page:$line: $words', async ({ words }) => {
  expect(await refusalOf(words)).toBeUndefined();
});

test('one that is wrong would be seen', async () => {
  for (const line of [
    'history',
    'get sites --outptu wide',
    'patch site blog --type strategic -p {}',
    'wait site/blog --for=delete --timeout soon',
    'user revoke',
    'zone rol-key x',
    'gte sites',
  ])
    expect(await refusalOf(line.split(' ')), line).toBeDefined();
});

/** What commander says of a command line; nothing runs. */
async function refusalOf(given: readonly string[]): Promise<string | undefined> {
  let said = '';
  const program = globalOptions().configureOutput({
    writeOut: () => undefined,
    writeErr: (text) => (said += text),
  });
  for (const { name, load } of commands) {
    const command = program.command(name);
    if (!given.includes(name)) continue;
    (await load())(command, {} as Cli);
    disarm(command);
  }
  try {
    await program.parseAsync(takeVerbosity(given).words, { from: 'user' });
    return undefined;
  } catch (error) {
    return said === '' ? String(error) : said;
  }
}

/** Parses as before, and does nothing. */
function disarm(command: Command): void {
  if (command.commands.length === 0) command.action(() => undefined);
  for (const inner of command.commands) disarm(inner);
}
