import type { Resource } from '../../api/object.ts';
import { nameOfKey } from '../../controllers/repository/facts.ts';
import type { ForecastChange } from '../../controllers/repository/forecast/forecast.ts';
import type { Forecasted, Forecasts } from '../../controllers/repository/forecast/forecasts.ts';
import type {
  ForecastRepositoryRequest,
  ForecastRepositoryResponse,
} from '../../proto/gen/b8s/v1/api.ts';
import { RequestError } from '../../runtime/request-error.ts';

import { requestedName } from './names.ts';
import { shown } from './secrets.ts';

/** First the commit, then each change. */
export async function* tellForecast(
  forecasts: Forecasts | undefined,
  { repository, ref, force, confirmPrune }: ForecastRepositoryRequest,
  signal: AbortSignal,
): AsyncGenerator<ForecastRepositoryResponse> {
  if (forecasts === undefined)
    throw new RequestError('FAILED_PRECONDITION', 'this dom follows no Git repositories');
  const named = { namespace: '', ...repository, kind: 'Repository', name: repository?.name ?? '' };
  const { namespace = '', name } = requestedName(named);
  const question = { repository: { namespace, name }, ref, force, confirmPrune };
  const made = await forecasts.make(question, signal);
  yield { part: { $case: 'head', value: headOf(made) } };
  for (const change of made.changes) yield { part: { $case: 'change', value: changeOf(change) } };
}

type Part<Case extends string> = Extract<
  NonNullable<ForecastRepositoryResponse['part']>,
  { readonly $case: Case }
>['value'];

function headOf({
  set,
  repository,
  holds,
  changes,
  digest,
  appliedCommit,
}: Forecasted): Part<'head'> {
  const { commit, subject, author = '' } = set;
  return {
    ...{ commit, subject, author, holds, changes: changes.length, digest },
    appliedCommit: appliedCommit ?? '',
    repositoryJson: JSON.stringify(repository),
  };
}

function changeOf({ key, before, after, ...change }: ForecastChange): Part<'change'> {
  const { namespace = '', ...name } = nameOfKey(key);
  return {
    ...change,
    object: { ...name, namespace },
    beforeJson: jsonOf(before),
    afterJson: jsonOf(after),
  };
}

function jsonOf(object: Resource | undefined): string {
  return object === undefined ? '' : JSON.stringify(shown(object));
}
