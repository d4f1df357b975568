import { AcmeProblem } from '../../runtime/acme/acme.ts';

/**
 * What a CA answered to several questions that were asked at once. Errors: rejects once all are
 * answered, with `weightiest` of what went wrong.
 */
export async function allAnswers<Answer>(
  asked: readonly Promise<Answer>[],
): Promise<readonly Answer[]> {
  const settled = await Promise.allSettled(asked);
  const errors = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  if (errors.length > 0) throw weightiest(errors);
  return settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
}

/** The refusal that has us wait longest, for then none is asked again too early (INV-30). */
export function weightiest(errors: readonly unknown[]): unknown {
  return errors.toSorted((one, other) => waitOf(other) - waitOf(one))[0];
}

function waitOf(error: unknown): number {
  return error instanceof AcmeProblem ? (error.retryAfterMs ?? 0) : 0;
}
