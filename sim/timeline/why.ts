import type { TraceLine } from '../engine/trace.ts';
import {
  type CauseGraph,
  causalPast,
  causeGraph,
  closure,
  knowledgeAt,
  nearestCauses,
} from './causes.ts';
import { noiseOf } from './noise.ts';
import { relatedTo } from './subjects.ts';
import { alignClock, markOf, wordsOf } from './words.ts';

export interface WhyOptions {
  /** So many causes are told at most. Left out: 40. */
  readonly max?: number | undefined;
  readonly columnsMax?: number | undefined;
}

const CAUSES_MAX = 40;
const CLOCK_WIDTH = 12;
/** Of each line so many causes on other hosts are named at most. */
const LINKS_MAX = 3;

/** The number of the line that tells of the violation; undefined: there is none. */
export function violationOf(lines: readonly TraceLine[]): number | undefined {
  const number = lines.findIndex(({ kind }) => kind === 'violation');
  return number < 0 ? undefined : number;
}

/**
 * Why a line came about: its nearest causes, newest first, each with the numbers of those told that
 * it follows from, and what its host could know of the others by then.
 */
export function renderWhy(
  lines: readonly TraceLine[],
  number: number,
  { max = CAUSES_MAX, columnsMax = Infinity }: WhyOptions = {},
): string {
  const graph = causeGraph(lines);
  const noises = noiseOf(lines);
  const causes = nearestCauses(lines, number, {
    max,
    isNoise: (each) => noises[each] !== undefined,
    isRelated: relatedTo(lines, number),
  });
  const told = [number, ...causes];
  const width = Math.max(...told.map((each) => lines[each]?.host.length ?? 0));
  const rows = told.map((each) => {
    const links = linksOf(graph, each, new Set(told))
      .filter((link) => lines[link]?.host !== lines[each]?.host)
      .slice(0, LINKS_MAX)
      .map((link) => `#${link}`);
    const from = links.length > 0 ? `  ⇐ ${links.join(' ')}` : '';
    const row = rowOf(lines, each, width);
    const room = columnsMax - from.length;
    return `${row.length > room ? `${row.slice(0, room - 1)}…` : row}${from}`;
  });
  const past = causalPast(lines, number).length;
  return [
    `why #${number}: ${causes.length} of the ${past} lines before it that may have had a part, newest first`,
    ...rows,
    'the last that could be known there of each other host:',
    ...[...knowledgeAt(lines, graph, number).values()].map((each) => rowOf(lines, each, width)),
    '',
  ].join('\n');
}

function rowOf(lines: readonly TraceLine[], number: number, hostWidth: number): string {
  const line = lines[number];
  if (line === undefined) return '';
  const [id, clock] = [`#${number}`.padStart(7), alignClock(line).padEnd(CLOCK_WIDTH)];
  return `${id} ${clock} ${line.host.padEnd(hostWidth)} ${markOf(line)} ${wordsOf(line).replaceAll('\n', ' ')}`.trimEnd();
}

/** The nearest lines before this one that are told, through those that are not; newest first. */
function linksOf(
  { before }: CauseGraph,
  number: number,
  told: ReadonlySet<number>,
): readonly number[] {
  const links = new Set<number>();
  const seen = new Set<number>();
  const open = [...(before[number] ?? [])];
  for (let each = open.pop(); each !== undefined; each = open.pop()) {
    if (seen.has(each)) continue;
    seen.add(each);
    if (told.has(each)) links.add(each);
    else open.push(...(before[each] ?? []));
  }
  // What another one follows from goes without saying.
  const implied = new Set([...links].flatMap((link) => closure(before, link)));
  return [...links].filter((link) => !implied.has(link)).toSorted((a, b) => b - a);
}
