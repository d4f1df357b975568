import type { ChallengeType } from '../../runtime/acme/acme.ts';

/** One CAA record (RFC 8659 §4.1). */
interface CaaProperty {
  readonly isCritical: boolean;
  /** Lower case. */
  readonly tag: string;
  readonly value: string;
}

export interface CaaQuestion {
  /** With `*.` for a wildcard. */
  readonly name: string;
  /** Of the CA; empty: it does not say, so nothing can be told. */
  readonly identities: readonly string[];
  readonly accountUrl: string;
  /** Ways in which the name may be proven, the best first; empty: not known. */
  readonly ways: readonly ChallengeType[];
}

const CRITICAL = 128;
const KNOWN_TAGS: ReadonlySet<string> = new Set([
  ...['issue', 'issuewild', 'iodef', 'contactemail', 'contactphone', 'issuemail', 'issuevmc'],
]);

/**
 * Pure: what in a set of CAA records forbids the CA to issue, and the mend; undefined: nothing
 * (RFC 8659 §4.2 and §4.3, with the parameters of RFC 8657). `at`: the name that has the set.
 */
export function caaObstacle(
  question: CaaQuestion,
  { at, records }: { readonly at: string; readonly records: readonly string[] },
): string | undefined {
  const { name, identities } = question;
  if (identities.length === 0) return undefined;
  const properties = records.flatMap(parse);
  const unknown = properties.find(({ isCritical, tag }) => isCritical && !KNOWN_TAGS.has(tag));
  if (unknown !== undefined)
    return `${name}: the CAA record "${unknown.tag}" at ${at} is critical and known to nobody: remove it`;
  const issue = properties.filter(({ tag }) => tag === 'issue');
  const issueWild = properties.filter(({ tag }) => tag === 'issuewild');
  const counting = name.startsWith('*.') && issueWild.length > 0 ? issueWild : issue;
  if (counting.length === 0) return undefined;
  if (counting.some(({ value }) => allows(question, value))) return undefined;
  const values = counting.map(({ value }) => `"${value}"`).join(', ');
  return `${name}: the CAA records at ${at} (${values}) do not allow this CA: add 0 issue "${identities[0]}"`;
}

function allows({ identities, accountUrl, ways }: CaaQuestion, value: string): boolean {
  const [domain = '', ...parameters] = value.split(';').map((part) => part.trim());
  if (!identities.some((each) => each.toLowerCase() === domain.toLowerCase())) return false;
  return parameters.every((parameter) => {
    const cut = parameter.indexOf('=');
    const wanted = parameter.slice(cut + 1).trim();
    switch (parameter.slice(0, cut).trim().toLowerCase()) {
      case 'accounturi':
        return wanted === accountUrl;
      case 'validationmethods': {
        const methods = wanted.split(',').map((method) => method.trim());
        return ways.length === 0 || ways.some((way) => methods.includes(way));
      }
      default:
        return true;
    }
  });
}

/** `0 issue letsencrypt.org; accounturi=…`; what is none is left aside. */
function parse(record: string): readonly CaaProperty[] {
  const match = /^([0-9]{1,3}) ([A-Za-z0-9]+) ?(.*)$/s.exec(record);
  if (match === null) return [];
  const [, flags = '0', tag = '', value = ''] = match;
  return [{ isCritical: Number(flags) >= CRITICAL, tag: tag.toLowerCase(), value }];
}
