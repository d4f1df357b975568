/**
 * Continents as they are written in manifests, with the codes of the geography databases: two
 * letters alone would be mistaken for countries (`NA` is Namibia, `SA` Saudi Arabia).
 */
export const CONTINENTS = {
  africa: 'AF',
  antarctica: 'AN',
  asia: 'AS',
  europe: 'EU',
  'north-america': 'NA',
  oceania: 'OC',
  'south-america': 'SA',
} as const;

export type ContinentName = keyof typeof CONTINENTS;
export type ContinentCode = (typeof CONTINENTS)[ContinentName];

/** Every name, sorted. */
export const CONTINENT_NAMES = Object.keys(CONTINENTS) as readonly ContinentName[];

/**
 * Each code of ISO 3166-1 alpha-2, and XK (Kosovo, assigned by its users), under one continent,
 * as GeoNames and with it GeoLite2 have it: Russia is in Europe, Turkey and the Caucasus in Asia.
 */
const COUNTRIES: Readonly<Record<ContinentCode, string>> = {
  AF: `AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG
    ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW`,
  AN: 'AQ BV GS HM TF',
  AS: `AE AF AM AZ BD BH BN BT CC CN CX GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ LA LB LK
    MM MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TM TR TW UZ VN YE`,
  EU: `AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI
    LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK`,
  NA: `AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI
    PA PM PR SV SX TC TT US VC VG VI`,
  OC: 'AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TL TO TV UM VU WF WS',
  SA: 'AR BO BR CL CO EC FK GF GY PE PY SR UY VE',
};

/** ISO 3166-1 alpha-2 → continent. */
export const CONTINENT_OF: ReadonlyMap<string, ContinentCode> = new Map(
  Object.values(CONTINENTS).flatMap((continent) =>
    COUNTRIES[continent].split(/\s+/).map((country) => [country, continent] as const),
  ),
);

/** Codes that people write and that are no country's, with what they mean. */
const MEANT: Readonly<Record<string, string>> = {
  EL: 'Greece is GR',
  EU: 'Europe is a continent: continents: [europe]',
  UK: 'the United Kingdom is GB',
};

/** What is wrong with a country's code and how to mend it; undefined: nothing. */
export function countryProblem(code: string): string | undefined {
  if (CONTINENT_OF.has(code)) return undefined;
  const upper = code.toUpperCase();
  const meant = MEANT[upper];
  if (meant !== undefined) return `is no country of ISO 3166-1; ${meant}`;
  if (CONTINENT_OF.has(upper)) return `must be in capitals: ${upper}`;
  return 'is no country of ISO 3166-1: write two capital letters, e.g. DE';
}
