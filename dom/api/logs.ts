import type { Site } from '../../api/site.ts';
import type { ReadLogsRequest, ReadLogsResponse } from '../../proto/gen/b8s/v1/api.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { RequestError } from '../../runtime/request-error.ts';
import type { Store } from '../../runtime/store/store.ts';
import type { Hub } from '../gateway/hub.ts';
import { readLogs } from '../gateway/read-logs.ts';
import { notFound, readObject, requestedName } from './names.ts';

/** Lines that one request may ask for. */
export const LINES_MAX = 10_000;

export interface LogPorts {
  readonly store: Store;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Lines of the access log of a Site. Whoever may read may read these, as with the logs of pods in
 * Kubernetes' role `view`; but they say who has read what, so it is written down who looked.
 */
export async function* readSiteLogs(
  { store, hub, clock, log }: LogPorts,
  { site: reference, linesMax, ageMsMax, follow, node }: ReadLogsRequest,
  { user, signal }: { readonly user: string; readonly signal: AbortSignal },
): AsyncGenerator<ReadLogsResponse> {
  const name = requestedName(reference);
  if (name.kind !== 'Site')
    throw new RequestError('INVALID_ARGUMENT', `only Sites have access logs, not ${name.kind}`);
  if (linesMax > LINES_MAX)
    throw new RequestError('INVALID_ARGUMENT', `ask for at most ${LINES_MAX} lines`);
  const site = (await readObject(store, name)) as Site | undefined;
  if (site === undefined) throw notFound(name);
  if ((site.spec.accessLog?.format ?? 'none') === 'none')
    throw new RequestError(
      'FAILED_PRECONDITION',
      `site "${name.name}" has no access log: set spec.accessLog.format to json or combined`,
    );
  const { namespace } = name;
  log.info({ user, verb: 'logs', kind: 'Site', namespace, name: name.name, follow }, 'audit');
  const query = { siteUid: site.metadata.uid, linesMax, ageMsMax, follow, node };
  yield* readLogs(query, { sessions: hub.logSessions(), clock }, signal);
}
