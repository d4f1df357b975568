import { expect, test } from 'vitest';
import { CONTINENT_NAMES, CONTINENT_OF, CONTINENTS, countryProblem } from './countries.ts';

test('each country is there once, under one continent', () => {
  // 249 officially assigned codes (ISO 3166-1), and XK.
  expect(CONTINENT_OF.size).toBe(250);
  expect([...CONTINENT_OF.keys()].filter((code) => !/^[A-Z]{2}$/.test(code))).toEqual([]);
  const counts = Object.values(CONTINENTS).map(
    (code) => [...CONTINENT_OF.values()].filter((each) => each === code).length,
  );
  // Were a code written twice, the sum would fall short of this.
  expect(counts).toEqual([58, 5, 52, 53, 41, 27, 14]);
});

test.each([
  ['DE', 'EU'],
  ['RU', 'EU'],
  ['CY', 'EU'],
  ['TR', 'AS'],
  ['GE', 'AS'],
  ['EG', 'AF'],
  ['NA', 'AF'],
  ['US', 'NA'],
  ['PA', 'NA'],
  ['CO', 'SA'],
  ['AU', 'OC'],
  ['AQ', 'AN'],
] as const)('%s lies in %s', (country, continent) => {
  expect(CONTINENT_OF.get(country)).toBe(continent);
});

test('the runtime knows every one of them as a region (CLDR)', () => {
  const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
  expect([...CONTINENT_OF.keys()].filter((code) => names.of(code) === undefined)).toEqual([]);
});

test('continents are sorted by name', () => {
  expect(CONTINENT_NAMES).toEqual(CONTINENT_NAMES.toSorted());
});

test.each([
  { code: 'DE', says: undefined },
  { code: 'de', says: /capitals: DE/ },
  { code: 'UK', says: /Kingdom is GB/ },
  { code: 'uk', says: /Kingdom is GB/ },
  { code: 'EU', says: /continents: \[europe\]/ },
  { code: 'QQ', says: /no country of ISO 3166-1/ },
  { code: 'GER', says: /two capital letters/ },
  { code: '', says: /two capital letters/ },
  { code: 'constructor', says: /two capital letters/ },
])('$code', ({ code, says }) => {
  const problem = countryProblem(code);
  if (says === undefined) expect(problem).toBeUndefined();
  else expect(problem).toMatch(says);
});
