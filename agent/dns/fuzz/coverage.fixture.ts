import { Session } from 'node:inspector';

/** A function's ranges as V8 counts them, outermost first; offsets are characters of its script. */
interface FunctionCoverage {
  readonly ranges: readonly {
    readonly startOffset: number;
    readonly endOffset: number;
    readonly count: number;
  }[];
}

interface ScriptCoverage {
  readonly scriptId: string;
  readonly url: string;
  readonly functions: readonly FunctionCoverage[];
}

/** Which code has run so far in this thread, by V8's block coverage. */
export interface Coverage {
  /** Characters of code that ran since the last look and never before. */
  look(): number;
  /** Forgets what the last look added. */
  undo(): void;
  /** All characters of code that ever ran. */
  total(): number;
  stop(): void;
}

/** What the fuzzer itself runs is none of its discoveries. */
export function isFuzzed(url: string): boolean {
  return /\/(agent\/dns|api)\//.test(url) && !/\/agent\/dns\/fuzz\/|\.(fixture|test)\.ts/.test(url);
}

/** Only scripts whose address is wanted count. Two at once would take from each other. */
export function startCoverage(isWanted: (url: string) => boolean = isFuzzed): Coverage {
  const session = new Session();
  session.connect();
  const post = (method: string, parameters: object = {}): unknown => {
    let answer: unknown;
    // The callback is called before `post` returns: the inspector is this very thread's.
    session.post(method, parameters, (error, result) => {
      if (error !== null) throw new Error(method, { cause: error });
      answer = result;
    });
    return answer;
  };
  post('Profiler.enable');
  post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const seen = new Map<string, Uint8Array>();
  let total = 0;
  let added: { readonly known: Uint8Array; readonly at: number }[] = [];
  return {
    look() {
      added = [];
      const { result } = post('Profiler.takePreciseCoverage') as {
        readonly result: readonly ScriptCoverage[];
      };
      for (const script of result) {
        if (!isWanted(script.url)) continue;
        for (const { ranges } of script.functions) {
          const [outer] = ranges;
          if (outer === undefined || outer.count === 0) continue;
          // A function's range holds those within it, which may not have run: each has its own.
          const key = `${script.scriptId} ${outer.startOffset} ${outer.endOffset}`;
          const known = seen.get(key) ?? new Uint8Array(outer.endOffset - outer.startOffset);
          seen.set(key, known);
          for (const at of newCharacters(known, ranges)) added.push({ known, at });
        }
      }
      total += added.length;
      return added.length;
    },
    undo() {
      for (const { known, at } of added) known[at] = 0;
      total -= added.length;
      added = [];
    },
    total: () => total,
    stop() {
      post('Profiler.stopPreciseCoverage');
      session.disconnect();
    },
  };
}

/**
 * Those that ran for the first time; they are marked in `known`. V8 joins and splits blocks as
 * counts happen to be, so what is kept is characters, not blocks.
 */
function newCharacters(known: Uint8Array, ranges: FunctionCoverage['ranges']): readonly number[] {
  const startOffset = ranges[0]?.startOffset ?? 0;
  const ran = new Uint8Array(known.length);
  for (const range of ranges) {
    const value = range.count > 0 ? 1 : 0;
    ran.fill(value, range.startOffset - startOffset, range.endOffset - startOffset);
  }
  const added: number[] = [];
  for (const [index, value] of ran.entries()) {
    if (value === 0 || known[index] !== 0) continue;
    known[index] = 1;
    added.push(index);
  }
  return added;
}
