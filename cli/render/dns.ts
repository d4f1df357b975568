import type { DnsExplanation } from '../../proto/gen/b8s/v1/agent.ts';
import { printable } from '../../runtime/printable.ts';
import type { ServerExplanation } from '../dns/explain.ts';
import { renderTable, type TableOptions } from './table.ts';

/** Why a nameserver answers what it answers, for a person. */
export function renderDnsExplanation(
  question: { readonly name: string; readonly type: string; readonly clientIp: string },
  explanation: DnsExplanation,
  fit: Pick<TableOptions, 'columns'> = {},
): string {
  const facts = [
    ['Question:', `${question.name} ${question.type}`],
    ['Client:', question.clientIp],
    ['Location:', locationText(explanation)],
    ['Nameserver:', explanation.nameserver],
    [
      'Zone:',
      explanation.zone === '' ? '<none>' : `${explanation.zone} (serial ${explanation.serial})`,
    ],
    ['Answer:', answerText(explanation)],
    ['TTL:', `${explanation.ttlS}s`],
    ['Holds for:', scopeText(question.clientIp, explanation)],
    ...(explanation.decision === '' ? [] : [['Decision:', explanation.decision]]),
  ];
  const width = Math.max(...facts.map(([name = '']) => name.length));
  const head = facts
    .map(([name = '', value = '']) => `${name.padEnd(width)}  ${printable(value)}\n`)
    .join('');
  return explanation.candidates.length === 0
    ? head
    : `${head}\n${candidateTable(explanation, fit)}`;
}

/** RFC 7871: what a resolver that sends client subnets may give the answer to. */
function scopeText(clientIp: string, { scopeBits }: DnsExplanation): string {
  return scopeBits === 0 ? 'everyone' : `all that share ${scopeBits} bits with ${clientIp}`;
}

function locationText(explanation: DnsExplanation): string {
  const { clientLatitude, clientLongitude, clientCountry, locationSource } = explanation;
  const country = clientCountry === '' ? [] : [clientCountry];
  const place =
    clientLatitude === undefined || clientLongitude === undefined
      ? []
      : [clientLatitude.toFixed(2), clientLongitude.toFixed(2)];
  const known = [...place, ...country];
  return known.length === 0
    ? `unknown: ${locationSource}`
    : `${known.join(', ')} (${locationSource})`;
}

function answerText({ answers, rcode }: DnsExplanation): string {
  return answers.length === 0 ? `${rcode}, no records` : answers.join(', ');
}

function candidateTable(
  { candidates }: DnsExplanation,
  fit: Pick<TableOptions, 'columns'>,
): string {
  const rows = candidates.map((candidate) => [
    candidate.chosen ? '*' : '',
    candidate.node,
    candidate.addresses.join(','),
    candidate.distanceKm === undefined ? '<unknown>' : `${Math.round(candidate.distanceKm)} km`,
    candidate.health,
    candidate.weight === undefined ? '' : String(candidate.weight),
    candidate.reason,
  ]);
  const header = ['CHOSEN', 'NODE', 'ADDRESSES', 'DISTANCE', 'HEALTH', 'WEIGHT', 'WHY'];
  // Most policies have no shares.
  const isWeighted = candidates.some(({ weight }) => weight !== undefined);
  const kept = (row: readonly string[]): readonly string[] =>
    isWeighted ? row : row.filter((_, index) => header[index] !== 'WEIGHT');
  return renderTable(rows.map(kept), { header: kept(header), last: 'wrap', ...fit });
}

/** What each nameserver would answer, and where they differ, for a person. */
export function renderDnsComparison(
  question: { readonly name: string; readonly type: string; readonly clientIp: string },
  said: readonly ServerExplanation[],
  fit: Pick<TableOptions, 'columns'> = {},
): string {
  const rows = said.map(({ server, explanation, error }) =>
    explanation === undefined
      ? [server, '', '', error ?? '']
      : [
          server,
          String(explanation.serial),
          `${explanation.ttlS}s`,
          `${answerText(explanation)}${chosenText(explanation)}`,
        ],
  );
  const answers = new Set(said.map(({ explanation }) => explanation?.answers.toSorted().join(' ')));
  const serials = new Set(said.map(({ explanation }) => explanation?.serial));
  const verdict =
    answers.size > 1
      ? 'They differ: ask one of them with --server for its reasons.'
      : serials.size > 1
        ? 'They agree on the answer, but not on the version of the zone.'
        : 'They agree.';
  const head = `${question.name} ${question.type} for ${question.clientIp}`;
  const header = ['NAMESERVER', 'SERIAL', 'TTL', 'ANSWER'];
  const table = renderTable(rows, { header, last: 'wrap', ...fit });
  return `${printable(head)}\n\n${table}\n${verdict}\n`;
}

function chosenText({ candidates }: DnsExplanation): string {
  const chosen = candidates.filter((candidate) => candidate.chosen).map(({ node }) => node);
  return chosen.length === 0 ? '' : ` (${chosen.join(', ')})`;
}
