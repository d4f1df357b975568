import type { LineKind, TraceLine } from '../../engine/trace.ts';
import { type CauseGraph, causeGraph } from '../causes.ts';
import { type Noise, noiseOf } from '../noise.ts';
import { type PageData, type PageStory, unpackLines } from '../page-data.ts';
import { wordsOfAll } from '../words.ts';

/** What the page shows, with all that is worked out once. */
export interface Run {
  readonly story: PageStory;
  readonly lines: readonly TraceLine[];
  /** In the order of their lanes. */
  readonly hosts: readonly string[];
  /** Of the longest name of a host. */
  readonly hostLength: number;
  /** Those that occur. */
  readonly kinds: readonly LineKind[];
  /** Of each line its lane. */
  readonly lanes: readonly number[];
  readonly words: readonly string[];
  /** To be searched: each is made when it is first looked at. */
  readonly texts: string[];
  readonly graph: CauseGraph;
  readonly noises: readonly (Noise | undefined)[];
  readonly states: readonly LaneState[];
  /** The number of the line that tells of it. */
  readonly violation: number | undefined;
}

/** From one line to another a host was not as it should be. */
export interface LaneState {
  readonly lane: number;
  readonly state: 'down' | 'paused' | 'cut off';
  readonly from: number;
  readonly to: number;
}

export function readRun(data: PageData): Run {
  const lines = unpackLines(data);
  const { story, hosts } = data;
  const laneOf = new Map(hosts.map((host, lane) => [host, lane]));
  const occurring = new Set(lines.map(({ kind }) => kind));
  const violation = lines.findIndex(({ kind }) => kind === 'violation');
  return {
    ...{ story, hosts, lines },
    hostLength: Math.max(0, ...hosts.map(({ length }) => length)),
    kinds: data.kinds.filter((kind) => occurring.has(kind)),
    lanes: lines.map(({ host }) => laneOf.get(host) ?? 0),
    words: wordsOfAll(lines),
    texts: [],
    graph: causeGraph(lines),
    noises: noiseOf(lines),
    states: statesOf(lines, laneOf),
    violation: violation < 0 ? undefined : violation,
  };
}

/** When hosts were down, stood still or were cut off. One that never starts is not known to be. */
function statesOf(
  lines: readonly TraceLine[],
  laneOf: ReadonlyMap<string, number>,
): readonly LaneState[] {
  const states: LaneState[] = [];
  const open = new Map<string, Omit<LaneState, 'to'>>();
  const begin = (host: string, state: LaneState['state'], from: number): void => {
    const lane = laneOf.get(host);
    if (lane !== undefined) open.set(`${host} ${state}`, { lane, state, from });
  };
  const end = (host: string, state: LaneState['state'], to: number): void => {
    const begun = open.get(`${host} ${state}`);
    if (begun !== undefined) states.push({ ...begun, to });
    open.delete(`${host} ${state}`);
  };
  for (const { host } of lines.filter(({ kind }) => kind === 'starts')) begin(host, 'down', 0);
  for (const [number, { kind, host, what }] of lines.entries()) {
    if (kind === 'crashes') begin(host, 'down', number);
    if (kind === 'starts') end(host, 'down', number);
    if (kind === 'pauses') begin(host, 'paused', number);
    if (['wakes', 'starts', 'crashes'].includes(kind)) end(host, 'paused', number);
    const [, isOver, cut = ''] = /^(no longer: )?(\S+) is cut off$/.exec(what) ?? [];
    if (kind === 'fault' && isOver === undefined) begin(cut, 'cut off', number);
    else if (kind === 'fault') end(cut, 'cut off', number);
  }
  return [...states, ...[...open.values()].map((each) => ({ ...each, to: lines.length - 1 }))];
}

/** Lines whose first cause is where something was sent, or written. */
const CARRIERS: readonly LineKind[] = ['receives', 'watches', 'commits', 'violation'];

/** The one place where the message of a line came from, if it came from another host. */
export function messageOf({ lines }: Run, number: number): number | undefined {
  const line = lines[number];
  const [first] = line?.causes ?? [];
  const cause = first === undefined ? undefined : lines[first];
  if (line === undefined || cause === undefined || cause.host === line.host) return undefined;
  const isMessage = line.kind === 'serves' ? cause.kind === 'serves' : CARRIERS.includes(line.kind);
  return isMessage ? first : undefined;
}
