import type { LineKind, TraceLine } from '../engine/trace.ts';

/** One narrow sign for each kind: one column wide in every terminal. */
export const MARKS: Readonly<Record<LineKind, string>> = {
  starts: '▲',
  crashes: '✖',
  pauses: '‖',
  wakes: '▷',
  sends: '→',
  receives: '←',
  commits: '●',
  watches: '○',
  decides: '·',
  applies: '◆',
  serves: '»',
  fault: '↯',
  user: '@',
  world: '═',
  violation: '█',
};

/** Of whole seconds: more than a day. */
const SECONDS_WIDTH = 5;
const DIGEST_LENGTH = 15;
/** Fields that say nothing to a person at this place. */
const DULL_FIELDS = ['controller', 'object', 'outcome', 'seconds'];

/** The sign of a line: warnings and errors of production code have their own. */
export function markOf({ kind, level }: Pick<TraceLine, 'kind' | 'level'>): string {
  if (level === 'error') return '‼';
  return level === 'warn' ? '!' : MARKS[kind];
}

/** What happened, in one line, with what production code said besides. */
export function wordsOf({ kind, what, fields }: TraceLine): string {
  return shortDigests(kind === 'decides' ? decided(what, fields ?? {}) : withoutMark(what));
}

/** Of all lines, with what only the lines after tell: that a frame never arrived. */
export function wordsOfAll(lines: readonly TraceLine[]): readonly string[] {
  const arrived = new Set(
    lines.flatMap(({ kind, causes: [sent] }) => (kind === 'receives' ? (sent ?? []) : [])),
  );
  return lines.map((line, number) => {
    const isLost = line.kind === 'sends' && !arrived.has(number);
    return `${wordsOf(line)}${isLost ? '  (never arrives)' : ''}`;
  });
}

/** " 12.345" in seconds; the tick of the clock follows where it is not the first of the moment. */
export function clockOf({ atMs, tick }: Pick<TraceLine, 'atMs' | 'tick'>): string {
  return `${(atMs / 1000).toFixed(3)}${tick === 0 ? '' : `·${tick}`}`;
}

/** The same, with seconds under seconds, whether a tick follows or not. */
export function alignClock(line: Pick<TraceLine, 'atMs' | 'tick'>): string {
  const clock = clockOf(line);
  return clock.padStart(clock.length + SECONDS_WIDTH - clock.indexOf('.'));
}

export function shortDigests(text: string): string {
  return text.replaceAll(/sha256-[0-9a-f]{64}/g, (digest) => `${digest.slice(0, DIGEST_LENGTH)}…`);
}

/** Arrows of frames are signs of their own. */
function withoutMark(what: string): string {
  return what.replace(/^[→←] /, '');
}

function decided(what: string, fields: Readonly<Record<string, unknown>>): string {
  const { controller, object, outcome } = fields;
  if (what === 'reconciled' && typeof object === 'string')
    return `reconciled ${String(controller)} ${object}: ${String(outcome)}${pairs(fields, DULL_FIELDS)}`;
  return `${what}${pairs(fields, [])}`;
}

/** ` name=value name="some words"` */
function pairs(fields: Readonly<Record<string, unknown>>, dull: readonly string[]): string {
  return Object.entries(fields)
    .filter(([name]) => !dull.includes(name))
    .map(([name, value]) => ` ${name}=${scalar(value)}`)
    .join('');
}

function scalar(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value) ?? '';
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}
