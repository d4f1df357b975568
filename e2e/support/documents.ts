import { readFileSync } from 'node:fs';
import { until } from './processes.ts';

/** A fenced block of a Markdown file. */
export interface Block {
  /** "sh", "console", "yaml" …; empty: not said. */
  readonly language: string;
  /** Of the first line within, from 1. */
  readonly line: number;
  readonly lines: readonly string[];
}

/** What a person would type, and what the page says that they see; undefined: it does not say. */
export interface Typed {
  readonly command: string;
  readonly line: number;
  readonly seen: readonly string[] | undefined;
}

/** The fenced blocks of a file, in order, also those that are indented with a list. */
export function blocksOf(file: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { readonly indent: number; readonly block: Block & { lines: string[] } } | undefined;
  for (const [index, text] of readFileSync(file, 'utf8').split('\n').entries()) {
    const [, spaces = '', language] = /^( *)```(\S*)$/u.exec(text) ?? [];
    if (open === undefined) {
      if (language !== undefined)
        open = { indent: spaces.length, block: { language, line: index + 2, lines: [] } };
    } else if (language === '') {
      blocks.push(open.block);
      open = undefined;
    } else open.block.lines.push(text.slice(open.indent));
  }
  return blocks;
}

/** What shows something and changes nothing. */
const LOOKS = /^b8sctl (?:get|describe|history) /u;
const LOOKS_MS_MAX = 30_000;

/**
 * Types a command, and one that only looks again and again until it shows what the page says: a new
 * version of a zone, for one, may still be on its way to the nodes. `typeOnce` throws where it does not.
 */
export async function typeUntilShown(
  { command, seen = [] }: Pick<Typed, 'command' | 'seen'>,
  typeOnce: () => Promise<void>,
): Promise<void> {
  if (seen.length === 0 || !LOOKS.test(command)) return typeOnce();
  const isShown = async (): Promise<boolean> => {
    await typeOnce();
    return true;
  };
  await until(`${command} shows what the page says`, isShown, { timeoutMs: LOOKS_MS_MAX });
}

/** Of a block of `sh` each command, of one of `console` each with what it shows. */
export function typedOf({ language, line, lines }: Block): readonly Typed[] {
  return language === 'console' ? sessionOf(lines, line) : scriptOf(lines, line);
}

function sessionOf(lines: readonly string[], line: number): readonly Typed[] {
  const typed: (Typed & { readonly seen: string[] })[] = [];
  for (const [index, text] of lines.entries()) {
    if (text.startsWith('$ ')) typed.push({ command: text.slice(2), line: line + index, seen: [] });
    else typed.at(-1)?.seen.push(text);
  }
  return typed;
}

/** One line each, but for those that end in a backslash or within quotes, and here-documents. */
function scriptOf(lines: readonly string[], line: number): readonly Typed[] {
  const typed: Typed[] = [];
  let rest: readonly string[] = lines;
  while (rest.length > 0) {
    const [, end] = /<<'?(\w+)'?/u.exec(rest[0] ?? '') ?? [];
    const isLast = (text: string, index: number) =>
      end === undefined
        ? !text.endsWith('\\') && !endsInQuotes(rest.slice(0, index + 1).join('\n'))
        : text === end;
    const count = rest.findIndex(isLast) + 1 || rest.length;
    const command = rest.slice(0, count).join('\n');
    if (command.trim() !== '' && !command.startsWith('#'))
      typed.push({ command, line: line + lines.length - rest.length, seen: undefined });
    rest = rest.slice(count);
  }
  return typed;
}

/**
 * What a page shows as a pattern of what is really seen: `…` stands for anything, also for several
 * lines where it stands alone; blanks for any number of them; empty lines do not count.
 */
export function patternOf(seen: readonly string[]): RegExp {
  const lines = seen
    .filter((text) => text.trim() !== '')
    .map((text) =>
      text.trim() === '…'
        ? '(?:[^\\n]*\\n)*?'
        : `${text.trim().split(/\s+/u).map(wordPattern).join('[^\\S\\n]+')}\\n`,
    );
  return new RegExp(`^${lines.join('')}$`, 'u');
}

function wordPattern(word: string): string {
  return word.split('…').map(escaped).join('[^\\n]*?');
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/gu, '\\$&');
}

/** What was seen, as `patternOf` compares it. */
export function comparable(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => line !== '')
    .map((line) => `${line}\n`)
    .join('');
}

/** Whether a shell would go on reading: a quote is open, in no comment. */
function endsInQuotes(text: string): boolean {
  const rest = text.replaceAll(/\\.|'[^']*'|"(?:\\.|[^"\\])*"|(?<=^|\s)#.*$/gmu, '');
  return /['"]/u.test(rest);
}

/**
 * The words of each `b8sctl` that a command line runs, as a shell would part them; what stands
 * within `$(…)` is a word of the outer one.
 */
export function callsOf(command: string): readonly (readonly string[])[] {
  const calls: string[][] = [[]];
  const tokens = command.replaceAll(/\\\n/gu, ' ').matchAll(TOKEN);
  for (const [token] of tokens) {
    if (/^\s*#/u.test(token)) continue;
    if (/^(?:\|\|?|&&?|;|\n|\()$/u.test(token)) calls.push([]);
    else if (!/^\d?[<>]/u.test(token)) calls.at(-1)?.push(unquoted(token));
  }
  return calls.flatMap((words) => {
    const at = words.findIndex((word) => /^(?:\S*\/)?b8sctl$/u.test(word));
    // Before it, only what sets its environment, or runs it.
    const isRun = words
      .slice(0, Math.max(at, 0))
      .every((word) => /=|^(?:ssh|source|if|!)$/u.test(word));
    return at === -1 || !isRun ? [] : [words.slice(at + 1)];
  });
}

/** Comments, redirections with their files, operators, and words with their quoted parts. */
const TOKEN =
  /(?<=^|\s)#[^\n]*|\d?(?:<\(|[<>]{1,2}&?\s*[^\s;|&]+)|\|\|?|&&?|;|\n|\(|(?:\$\([^)]*\)|'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"|&;()])+/gu;

function unquoted(token: string): string {
  return token.replaceAll(/'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/gu, (_, single, double, escaped) =>
    String(single ?? double ?? escaped),
  );
}

/** `…` stands for what a person fills in. */
const FILLED_IN: readonly (readonly [RegExp, string])[] = [
  [/^ *…$/gmu, ''],
  // Of an armored key nothing but its first line is shown.
  [/^ *- name: bob\n(?: {8,}.*\n?)+/gmu, ''],
  [/AAAAC3NzaC1lZDI1NTE5AAAAI… /gu, `AAAAC3NzaC1lZDI1NTE5AAAAI${'A'.repeat(43)} `],
  [/…/gu, 'filled-in'],
];

/** A manifest of a page with what a person would put where it says `…`. */
export function filledIn(lines: readonly string[]): string {
  return FILLED_IN.reduce(
    (filled, [pattern, by]) => filled.replaceAll(pattern, by),
    lines.join('\n'),
  );
}
