import { RECONCILE_REQUESTED, type Repository } from '../../api/repository.ts';

/** What was asked for: by a person with `b8sctl reconcile`, or by a call of the Git host. */
export interface ReconcileRequest {
  /** As it was written: another text is another request. */
  readonly text: string;
  /** A call asks for a look, and changes nothing of what a person has decided. */
  readonly by: 'person' | 'webhook';
  readonly force: boolean;
  readonly confirmPrune: boolean;
  readonly commit: string | undefined;
  /** What its changes must come to, see `changeDigest`; undefined: anything. */
  readonly expect: string | undefined;
}

/** `2026-11-21T23:40:00.000Z force confirm-prune ref=<40 hex digits> expect=<64>`, or with `webhook=<call>`; undefined: nothing was asked. */
export function requestOf({ metadata }: Repository): ReconcileRequest | undefined {
  const text = metadata.annotations?.[RECONCILE_REQUESTED];
  if (text === undefined) return undefined;
  const words = text.split(' ').slice(1);
  const commit = words.find((word) => /^ref=[0-9a-f]{40}$/.test(word))?.slice(4);
  const expect = words.find((word) => /^expect=[0-9a-f]{64}$/.test(word))?.slice(7);
  return {
    text,
    by: words.some((word) => word.startsWith('webhook=')) ? 'webhook' : 'person',
    force: words.includes('force'),
    confirmPrune: words.includes('confirm-prune'),
    commit,
    expect,
  };
}
