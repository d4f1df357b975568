/** One thing that was looked at. */
export interface Finding {
  /** `unknown`: it could not be told from here. */
  readonly verdict: 'fine' | 'problem' | 'unknown';
  /** What is so, for a person. */
  readonly message: string;
  /** What to do; undefined: nothing. */
  readonly mend?: string;
}

export function problem(message: string, mend: string): Finding {
  return { verdict: 'problem', message, mend };
}

export const TELL_REGISTRAR = 'give the lines below to the registrar';
export const WAIT = 'wait a few seconds and look at b8sctl describe zone';

/** Whether what was seen is what is wanted, in any order. */
export function compare(
  what: string,
  { seen, wanted, mend }: { seen: readonly string[]; wanted: readonly string[]; mend: string },
): Finding {
  const missing = wanted.filter((one) => !seen.includes(one));
  const extra = seen.filter((one) => !wanted.includes(one));
  if (missing.length === 0 && extra.length === 0)
    return { verdict: 'fine', message: `${what} ${wanted.join(', ')}` };
  const wrong = [
    ...(missing.length === 0 ? [] : [`${missing.join(', ')} missing`]),
    ...(extra.length === 0 ? [] : [`${extra.join(', ')} too many`]),
  ];
  return problem(`${what} ${seen.join(', ') || 'nothing'}; ${wrong.join(', ')}`, mend);
}
