import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import type { Cli } from '../cli.ts';
import { commands } from '../commands.ts';
import { globalOptions } from '../program.ts';

/*
 * What docs/ and README.md write as commands of b8sctl exists: the command, the one within it, and
 * each of its flags. What they do is shown by e2e/docs.test.ts.
 */

const ROOT = join(import.meta.dirname, '../..');
/** Generated of the commands themselves. */
const GENERATED = 'docs/b8sctl.md';

const files = [
  'README.md',
  'manifests/README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].filter((file) => file !== GENERATED);

test.each(files)('commands of b8sctl in %s', async (file) => {
  const problems: string[] = [];
  let place: 'block' | 'text' = 'text';
  for (const [index, line] of readFileSync(join(ROOT, file), 'utf8').split('\n').entries()) {
    if (/^ *```/u.test(line)) place = place === 'text' ? 'block' : 'text';
    for (const words of writtenIn(line, place)) {
      const problem = await problemOf(words);
      if (problem !== undefined) problems.push(`${file}:${index + 1}: ${problem}: ${line.trim()}`);
    }
  }
  expect(problems).toEqual([]);
});

/** The words after each `b8sctl` of a line of a block, or within backquotes. */
function writtenIn(line: string, place: 'block' | 'text'): readonly (readonly string[])[] {
  const code = [...line.matchAll(/`([^`]*\bb8sctl [^`]*)`/gu)].map(([, text = '']) => text);
  const isCommand = place === 'block' && /^ *(?:\$ )?(?:bin\/|dist\/bin\/)?b8sctl /u.test(line);
  return [...code, ...(isCommand ? [line] : [])].flatMap((text) =>
    text
      .replaceAll(/ #.*$/gu, '')
      .split(/\||&&|;|\$\(|<\(/u)
      .map((part) => /^.*?\bb8sctl (.*)$/u.exec(part)?.[1])
      .filter((part) => part !== undefined)
      .map((part) => part.replaceAll(/'[^']*'|"[^"]*"/gu, 'x').split(/\s+/u)),
  );
}

async function problemOf(words: readonly string[]): Promise<string | undefined> {
  const [name = '', ...rest] = words;
  const entry = commands.find((each) => each.name === name);
  // Flags alone, "b8sctl …", and plugins, which are called what one likes.
  if (!/^[a-z-]+$/u.test(name) || name.startsWith('-') || name === 'foo') return undefined;
  if (entry === undefined) return `there is no command ${name}`;
  let command = new Command(name);
  // Nothing runs.
  (await entry.load())(command, {} as Cli);
  for (const word of rest) {
    if (command.commands.length === 0 || !/^[a-z-]+$/u.test(word)) break;
    const inner = command.commands.find((each) => each.name() === word);
    if (inner === undefined) return `there is no command ${command.name()} ${word}`;
    command = inner;
  }
  const options = [...command.options, ...globalOptions().options];
  const known = options.flatMap(({ short, long }) => [short, long]);
  const flag = rest
    .filter((word) => /^--?[a-z]/iu.test(word))
    .map((word) => word.replace(/=.*$/su, '').replace(/[^\w-]+$/u, ''))
    .find((word) => !known.includes(word) && !/^-v\d?$|^--help$|^-h$/u.test(word));
  return flag === undefined ? undefined : `there is no flag ${flag}`;
}
