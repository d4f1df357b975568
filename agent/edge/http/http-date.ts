/** `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate, RFC 9110 §5.6.7), of whole seconds since 1970. */
export function formatHttpDate(timeS: number): string {
  return new Date(timeS * 1000).toUTCString();
}

/**
 * Reads a date in any of its three forms (RFC 9110 §5.6.7), in whole seconds since 1970; undefined:
 * it is none. Which day of the week it names does not count.
 *
 * The years of the oldest form have two digits: they are the last ones that are no more than 50
 * years after `aroundS`.
 */
export function parseHttpDate(text: string, aroundS: number): number | undefined {
  if (text.length > DATE_LENGTH_MAX) return undefined;
  const parts = FORMS.map((form) => form.exec(text)?.groups).find((each) => each !== undefined);
  if (parts === undefined) return undefined;
  const [month, day] = [MONTHS.indexOf(parts['month'] ?? ''), Number(parts['day'])];
  const [hour, minute] = [Number(parts['hour']), Number(parts['minute'])];
  const second = Number(parts['second']);
  const shortYear = parts['shortYear'];
  const year = shortYear === undefined ? Number(parts['year']) : fullYear(shortYear, aroundS);
  const isDay = month >= 0 && day >= 1 && day <= daysIn(year, month);
  // A leap second is a time (§5.6.7).
  if (!isDay || hour > 23 || minute > 59 || second > 60) return undefined;
  return (Date.UTC(year, month, day, hour, minute, 0) + yearsBefore100(year)) / 1000 + second;
}

const DATE_LENGTH_MAX = 40;
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const SHORT_DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const LONG_DAY = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day';
const TIME = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)';
const MONTH = '(?<month>[A-Z][a-z]{2})';

const FORMS: readonly RegExp[] = [
  new RegExp(`^${SHORT_DAY}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`, 'u'),
  new RegExp(`^${LONG_DAY}, (?<day>\\d\\d)-${MONTH}-(?<shortYear>\\d\\d) ${TIME} GMT$`, 'u'),
  new RegExp(`^${SHORT_DAY} ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`, 'u'),
];

function fullYear(shortYear: string, aroundS: number): number {
  const latest = new Date(aroundS * 1000).getUTCFullYear() + 50;
  const year = latest - (latest % 100) + Number(shortYear);
  return year > latest ? year - 100 : year;
}

function daysIn(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 1 ? (isLeap ? 29 : 28) : [3, 5, 8, 10].includes(month) ? 30 : 31;
}

/** `Date.UTC` takes the years 0 to 99 for those from 1900 on. No file is as old as that. */
function yearsBefore100(year: number): number {
  return year < 100 ? Number.NEGATIVE_INFINITY : 0;
}
