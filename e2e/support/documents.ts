import { readFileSync } from 'node:fs';

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

/** One line each, but for those that end in a backslash, and here-documents. */
function scriptOf(lines: readonly string[], line: number): readonly Typed[] {
  const typed: Typed[] = [];
  let rest: readonly string[] = lines;
  while (rest.length > 0) {
    const [, end] = /<<'?(\w+)'?/u.exec(rest[0] ?? '') ?? [];
    const isLast = (text: string) => (end === undefined ? !text.endsWith('\\') : text === end);
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
