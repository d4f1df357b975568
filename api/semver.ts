/** A version as semver.org 2.0.0 writes it; build metadata is left out. */
export interface Version {
  readonly numbers: readonly [number, number, number];
  /** Empty: a release. */
  readonly prerelease: readonly string[];
}

/** Undefined: it is no version. A `v` in front is left out, as tags have it. */
export function parseVersion(text: string): Version | undefined {
  const match = VERSION.exec(text);
  if (match === null) return undefined;
  const [, major, minor, patch, prerelease = ''] = match;
  const numbers = [Number(major), Number(minor), Number(patch)] as const;
  if (!numbers.every(Number.isSafeInteger)) return undefined;
  return { numbers, prerelease: prerelease === '' ? [] : prerelease.split('.') };
}

/** Precedence (semver.org §11): negative when `one` comes before `other`. */
export function compareVersions(one: Version, other: Version): number {
  for (const index of [0, 1, 2] as const) {
    const difference = one.numbers[index] - other.numbers[index];
    if (difference !== 0) return difference;
  }
  return comparePrereleases(one.prerelease, other.prerelease);
}

/** The greatest of the versions that a range admits, with the text that it was written as. */
export function greatestVersion(texts: readonly string[], range: Range): string | undefined {
  const found = texts
    .flatMap((text) => {
      const version = parseVersion(text);
      return version !== undefined && admits(range, version) ? [{ text, version }] : [];
    })
    // Two tags may write one version: which of them is taken must not depend on their order.
    .toSorted((a, b) => compareVersions(a.version, b.version) || (a.text < b.text ? -1 : 1));
  return found.at(-1)?.text;
}

/** Alternatives, each of which is a list of bounds that must all hold. */
export type Range = readonly (readonly Bound[])[];

interface Bound {
  readonly operator: '<' | '<=' | '>' | '>=' | '=';
  readonly version: Version;
}

/**
 * `1.2.3`, `1.2`, `1.x`, `*`, `^1.2`, `~1.2`, `>=1.2 <2`, `1.2 - 1.4`, and several with `||`, as npm
 * reads them. Undefined: it is no range.
 */
export function parseRange(text: string): Range | undefined {
  const alternatives = text.split('||').map((each) => parseAlternative(each.trim()));
  return alternatives.every((each) => each !== undefined) ? alternatives : undefined;
}

/** A prerelease is admitted only by a bound that names one of the same three numbers. */
export function admits(range: Range, version: Version): boolean {
  return range.some((bounds) => {
    if (!bounds.every((bound) => holds(bound, version))) return false;
    return (
      version.prerelease.length === 0 || bounds.some((bound) => namesPrerelease(bound, version))
    );
  });
}

const NUMBER = '(0|[1-9]\\d{0,15})';
const TAIL = '(?:-([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?(?:\\+[0-9A-Za-z.-]+)?';
const VERSION = new RegExp(`^v?${NUMBER}\\.${NUMBER}\\.${NUMBER}${TAIL}$`);
const PART = '(0|[1-9]\\d{0,15}|[xX*])';
const COMPARATOR = new RegExp(
  `^(\\^|~|>=|<=|>|<|=)?v?${PART}(?:\\.${PART})?(?:\\.${PART}${TAIL})?$`,
);

function comparePrereleases(one: readonly string[], other: readonly string[]): number {
  if (one.length === 0 || other.length === 0) return other.length - one.length;
  for (let index = 0; index < Math.max(one.length, other.length); index += 1) {
    const [a, b] = [one[index], other[index]];
    if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
    if (a !== b) return compareIdentifiers(a, b);
  }
  return 0;
}

/** Numbers come before words, and are compared as numbers. */
function compareIdentifiers(a: string, b: string): number {
  const [isNumberA, isNumberB] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumberA && isNumberB) return a.length - b.length || (a < b ? -1 : 1);
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1;
  return a < b ? -1 : 1;
}

function parseAlternative(text: string): readonly Bound[] | undefined {
  const span = /^(\S+)\s+-\s+(\S+)$/.exec(text);
  if (span !== null) {
    const [low, high] = [partsOf(span[1] ?? ''), partsOf(span[2] ?? '')];
    if (low === undefined || high === undefined) return undefined;
    if (low.operator !== undefined || high.operator !== undefined) return undefined;
    return [...boundsOf({ ...low, operator: '>=' }), ...boundsOf({ ...high, operator: '<=' })];
  }
  const words = text.replaceAll(/([<>=^~])\s+/g, '$1').split(/\s+/);
  const parsed = (text === '' ? ['*'] : words).map(partsOf);
  if (!parsed.every((each) => each !== undefined)) return undefined;
  return parsed.flatMap(boundsOf);
}

interface Parts {
  readonly operator: string | undefined;
  /** As many as were written, up to a wildcard. */
  readonly numbers: readonly number[];
  readonly prerelease: readonly string[];
}

function partsOf(text: string): Parts | undefined {
  const match = COMPARATOR.exec(text);
  if (match === null) return undefined;
  const [, operator, major, minor, patch, prerelease = ''] = match;
  const written = [major, minor, patch];
  const end = written.findIndex((part) => part === undefined || /[xX*]/.test(part));
  const numbers = (end === -1 ? written : written.slice(0, end)).map(Number);
  if (!numbers.every(Number.isSafeInteger)) return undefined;
  return { operator, numbers, prerelease: prerelease === '' ? [] : prerelease.split('.') };
}

function boundsOf({ operator = '=', numbers, prerelease }: Parts): readonly Bound[] {
  const low: Version = { numbers: filled(numbers), prerelease };
  const isWhole = numbers.length === 3;
  switch (operator) {
    case '^':
      return between(low, numbers, firstNonZero(numbers));
    case '~':
      return between(low, numbers, Math.min(1, numbers.length - 1));
    case '>=':
    case '<':
      if (numbers.length === 0 && operator === '<') return [NOTHING];
      return [{ operator, version: low }];
    case '>':
      if (isWhole) return [{ operator, version: low }];
      return numbers.length === 0 ? [NOTHING] : [{ operator: '>=', version: after(numbers) }];
    case '<=':
      if (isWhole) return [{ operator, version: low }];
      return numbers.length === 0 ? [] : [{ operator: '<', version: after(numbers) }];
    default:
      if (isWhole) return [{ operator: '=', version: low }];
      return between(low, numbers, numbers.length - 1);
  }
}

/** No version comes before 0.0.0-0. */
const NOTHING: Bound = { operator: '<', version: { numbers: [0, 0, 0], prerelease: ['0'] } };

/** From `low` to where the number at `index` grows. */
function between(low: Version, numbers: readonly number[], index: number): readonly Bound[] {
  if (numbers.length === 0) return [{ operator: '>=', version: low }];
  const high = after(numbers.slice(0, index + 1));
  return [
    { operator: '>=', version: low },
    { operator: '<', version: high },
  ];
}

/** Which number `^` lets stand: the first that is not 0. */
function firstNonZero(numbers: readonly number[]): number {
  const index = numbers.findIndex((number) => number !== 0);
  return index === -1 ? numbers.length - 1 : index;
}

/** The first version after all that begin with these numbers, prereleases of it included. */
function after(numbers: readonly number[]): Version {
  const last = numbers.length - 1;
  const next = numbers.map((number, index) => (index === last ? number + 1 : number));
  return { numbers: filled(next), prerelease: ['0'] };
}

function filled([major = 0, minor = 0, patch = 0]: readonly number[]): Version['numbers'] {
  return [major, minor, patch];
}

function holds({ operator, version }: Bound, given: Version): boolean {
  const order = compareVersions(given, version);
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    case '=':
      return order === 0;
  }
}

function namesPrerelease({ version }: Bound, given: Version): boolean {
  // What `after` made is a bound of ours: nobody has asked for prereleases of it.
  const isAsked = version.prerelease.length > 0 && version.prerelease.join('.') !== '0';
  return isAsked && version.numbers.every((number, index) => number === given.numbers[index]);
}
