import { type Command, InvalidArgumentError } from 'commander';
import { LINE_KINDS, type LineKind } from '../engine/trace.ts';
import { isLineKind, parseMoment } from './select.ts';
import type { TextOptions } from './text.ts';

/** What a command that prints a timeline takes. */
export interface TimelineOptions {
  readonly host?: readonly string[];
  readonly kind?: readonly LineKind[];
  readonly from?: number;
  readonly to?: number;
  readonly grep?: string;
  readonly all?: true;
  readonly why?: true | number;
  readonly html?: string;
}

export function addTimelineOptions(command: Command): Command {
  return command
    .option('--host <names>', 'print only what happens there, e.g. `london,dom`', list)
    .option('--kind <kinds>', `print only these: ${LINE_KINDS.join(' ')}`, kinds)
    .option('--from <time>', 'print what happens from then on, e.g. `12s`', moment)
    .option('--to <time>', 'print what happens until then', moment)
    .option('--grep <text>', 'print only lines that have it')
    .option('--all', 'print heartbeats, too, and whatever else says nothing new')
    .option('--why [line]', 'print what led to the violation, or to the line of that number', whole)
    .option('--html <file>', 'write the timeline as a page to look at with a browser');
}

export function textOptionsOf(
  { host, kind, from, to, grep, all }: TimelineOptions,
  terminal: { readonly columns: number | undefined },
): TextOptions {
  return {
    ...{ hosts: host, kinds: kind, fromMs: from, toMs: to, grep },
    noise: all ? 'show' : 'fold',
    columnsMax: terminal.columns,
    color: terminal.columns === undefined ? 'none' : 'ansi',
  };
}

function list(text: string): readonly string[] {
  return text.split(',').filter((each) => each !== '');
}

function kinds(text: string): readonly LineKind[] {
  return list(text).map((each) => {
    if (isLineKind(each)) return each;
    throw new InvalidArgumentError(`there is no ${each}; there are: ${LINE_KINDS.join(' ')}`);
  });
}

function moment(text: string): number {
  const ms = parseMoment(text);
  if (ms === undefined) throw new InvalidArgumentError('a time, e.g. 12s or 1500ms');
  return ms;
}

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('the number of a line, e.g. 812');
  return Number(text);
}
