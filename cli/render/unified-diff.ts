/** Unchanged lines shown around a change, as in diff -u. */
const CONTEXT_LINES = 3;

/** Above this many pairs of lines the middle is shown as replaced, instead of compared. */
const PAIRS_MAX = 4_000_000;

type Edit = { readonly mark: ' ' | '-' | '+'; readonly line: string };

/** The unified diff of two texts; empty when they are the same. Lines end in a line feed. */
export function unifiedDiff(
  from: { readonly name: string; readonly text: string },
  to: { readonly name: string; readonly text: string },
): string {
  const edits = lineEdits(linesOf(from.text), linesOf(to.text));
  const hunks = hunksOf(edits).map((hunk) => renderHunk(edits, hunk));
  if (hunks.length === 0) return '';
  return `--- ${from.name}\n+++ ${to.name}\n${hunks.join('')}`;
}

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

function lineEdits(from: readonly string[], to: readonly string[]): readonly Edit[] {
  let start = 0;
  while (start < Math.min(from.length, to.length) && from[start] === to[start]) start += 1;
  let end = 0;
  const endMax = Math.min(from.length, to.length) - start;
  while (end < endMax && from.at(-1 - end) === to.at(-1 - end)) end += 1;
  return [
    ...mark(' ', from.slice(0, start)),
    ...middleEdits(from.slice(start, from.length - end), to.slice(start, to.length - end)),
    ...mark(' ', from.slice(from.length - end)),
  ];
}

function mark(sign: Edit['mark'], lines: readonly string[]): readonly Edit[] {
  return lines.map((line) => ({ mark: sign, line }));
}

/** By the longest common subsequence; removals come before additions. */
function middleEdits(from: readonly string[], to: readonly string[]): readonly Edit[] {
  if (from.length * to.length > PAIRS_MAX) return [...mark('-', from), ...mark('+', to)];
  const width = to.length + 1;
  // common[i * width + j]: how many lines from.slice(i) and to.slice(j) have in common.
  const common = new Uint32Array((from.length + 1) * width);
  const at = (i: number, j: number) => common[i * width + j] ?? 0;
  for (let i = from.length - 1; i >= 0; i -= 1) {
    for (let j = to.length - 1; j >= 0; j -= 1) {
      common[i * width + j] =
        from[i] === to[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const edits: Edit[] = [];
  let i = 0;
  let j = 0;
  while (i < from.length || j < to.length) {
    const [old, fresh] = [from[i], to[j]];
    if (old !== undefined && old === fresh) {
      edits.push({ mark: ' ', line: old });
      i += 1;
      j += 1;
    } else if (old !== undefined && (fresh === undefined || at(i + 1, j) >= at(i, j + 1))) {
      edits.push({ mark: '-', line: old });
      i += 1;
    } else if (fresh !== undefined) {
      edits.push({ mark: '+', line: fresh });
      j += 1;
    }
  }
  return edits;
}

interface Hunk {
  /** Indices into the edits. */
  readonly start: number;
  readonly end: number;
}

function hunksOf(edits: readonly Edit[]): readonly Hunk[] {
  const hunks: Hunk[] = [];
  for (const [index, edit] of edits.entries()) {
    if (edit.mark === ' ') continue;
    const start = Math.max(0, index - CONTEXT_LINES);
    const end = Math.min(edits.length, index + 1 + CONTEXT_LINES);
    const last = hunks.at(-1);
    if (last !== undefined && start <= last.end) hunks.splice(-1, 1, { start: last.start, end });
    else hunks.push({ start, end });
  }
  return hunks;
}

function renderHunk(edits: readonly Edit[], { start, end }: Hunk): string {
  const body = edits.slice(start, end);
  const before = edits.slice(0, start);
  const span = (without: Edit['mark']) => {
    const count = body.filter((edit) => edit.mark !== without).length;
    const first = before.filter((edit) => edit.mark !== without).length + (count === 0 ? 0 : 1);
    return count === 1 ? `${first}` : `${first},${count}`;
  };
  const lines = body.map((edit) => `${edit.mark}${edit.line}\n`).join('');
  return `@@ -${span('+')} +${span('-')} @@\n${lines}`;
}
