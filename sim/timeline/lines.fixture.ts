import { type LineDetails, Trace, type TraceLine } from '../engine/trace.ts';

/** A few seconds of a small cluster, with one violation at its end. */
export function exampleLines(): readonly TraceLine[] {
  let nowMs = 0;
  const trace = new Trace(() => nowMs, { keep: 'lines' });
  const at = (ms: number, host: string, what: string, details: LineDetails): number => {
    nowMs = ms;
    return trace.add(host, what, details);
  };
  at(0, 'dom', 'starts', { kind: 'starts' });
  const asks = at(900, 'user-1', 'apply Site/blog', { kind: 'user' });
  const decides = at(1_000, 'dom', 'audit', {
    ...{ kind: 'decides', level: 'info', causes: [asks], fields: { verb: 'apply' } },
  });
  const commit = at(1_001, 'store', '7 by dom#1: +sites/default/blog', {
    kind: 'commits',
    causes: [decides],
  });
  at(1_002, 'dom', '7: sites/default/blog', { kind: 'watches', causes: [commit] });
  const sent = at(1_003, 'dom', '→ london plan (1, 7): +site/default/blog, whole', {
    ...{ kind: 'sends', fields: { objects: ['site/default/blog'] } },
  });
  at(1_500, 'london', 'starts', { kind: 'starts' });
  at(1_600, 'london', '← dom plan (1, 7): +site/default/blog, whole', {
    kind: 'receives',
    causes: [sent],
  });
  for (let beat = 0; beat < 10; beat += 1)
    at(1_700 + beat, 'london', '→ dom heartbeat', { kind: 'sends' });
  at(2_000, 'london', 'a blob could not be fetched', {
    ...{ kind: 'decides', level: 'warn', fields: { error: 'no way', failures: 2 } },
  });
  at(2_000, 'london', 'plan (1, 7) is in effect', { kind: 'applies' });
  at(2_100, 'tokyo', 'starts', { kind: 'starts' });
  at(2_500, 'london', 'GET blog.test/: 503 ', { kind: 'serves' });
  trace.violated('INV-28: london was named and answers 503');
  return trace.lines();
}
