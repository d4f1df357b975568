/** One step into an object: a field's name or a list's index. */
export type PathStep = string | number;

/** Steps as people read them: `spec.hosts[0]`, `metadata.labels["example.com/tier"]`. */
export function formatPath(steps: readonly PathStep[]): string {
  return steps.reduce<string>((path, step) => {
    if (typeof step === 'number') return `${path}[${step}]`;
    if (!PLAIN_FIELD.test(step)) return `${path}[${JSON.stringify(step)}]`;
    return path === '' ? step : `${path}.${step}`;
  }, '');
}

/** The steps of what formatPath wrote. */
export function parsePath(path: string): readonly PathStep[] {
  const steps: PathStep[] = [];
  for (const [, field, index, quoted] of path.matchAll(STEP)) {
    if (index !== undefined) steps.push(Number(index));
    else if (quoted !== undefined) steps.push(String(JSON.parse(quoted)));
    else if (field !== undefined) steps.push(field);
  }
  return steps;
}

/** The steps of a JSON Pointer (RFC 6901); every step is a field's name. */
export function parsePointer(pointer: string): readonly string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The JSON Pointer of some fields. */
export function formatPointer(fields: readonly string[]): string {
  return fields.map((field) => `/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

const PLAIN_FIELD = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const STEP = /\.?([A-Za-z_][A-Za-z0-9_-]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/g;
