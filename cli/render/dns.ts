import type { DnsExplanation } from '../../proto/gen/b8s/v1/agent.ts';
import type { ServerExplanation } from '../dns-explain.ts';
import { printable, renderTable } from './table.ts';

/** Why a nameserver answers what it answers, for a person. */
export function renderDnsExplanation(
  question: { readonly name: string; readonly type: string; readonly clientIp: string },
  explanation: DnsExplanation,
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
  ];
  const width = Math.max(...facts.map(([name = '']) => name.length));
  const head = facts
    .map(([name = '', value = '']) => `${name.padEnd(width)}  ${printable(value)}\n`)
    .join('');
  return explanation.candidates.length === 0 ? head : `${head}\n${candidateTable(explanation)}`;
}

function locationText(explanation: DnsExplanation): string {
  const { clientLatitude, clientLongitude, locationSource } = explanation;
  if (clientLatitude === undefined || clientLongitude === undefined) {
    return `unknown: ${locationSource}`;
  }
  return `${clientLatitude.toFixed(2)}, ${clientLongitude.toFixed(2)} (${locationSource})`;
}

function answerText({ answers, rcode }: DnsExplanation): string {
  return answers.length === 0 ? `${rcode}, no records` : answers.join(', ');
}

function candidateTable({ candidates }: DnsExplanation): string {
  const rows = candidates.map((candidate) => [
    candidate.chosen ? '*' : '',
    candidate.node,
    candidate.addresses.join(','),
    candidate.distanceKm === undefined ? '<unknown>' : `${Math.round(candidate.distanceKm)} km`,
    candidate.reason,
  ]);
  return renderTable(rows, { header: ['CHOSEN', 'NODE', 'ADDRESSES', 'DISTANCE', 'WHY'] });
}

/** What each nameserver would answer, and where they differ, for a person. */
export function renderDnsComparison(
  question: { readonly name: string; readonly type: string; readonly clientIp: string },
  said: readonly ServerExplanation[],
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
  const answers = new Set(said.map(({ explanation }) => explanation && answerText(explanation)));
  const serials = new Set(said.map(({ explanation }) => explanation?.serial));
  const verdict =
    answers.size > 1
      ? 'They differ: ask one of them with --server for its reasons.'
      : serials.size > 1
        ? 'They agree on the answer, but not on the version of the zone.'
        : 'They agree.';
  const head = `${question.name} ${question.type} for ${question.clientIp}`;
  const table = renderTable(rows, { header: ['NAMESERVER', 'SERIAL', 'TTL', 'ANSWER'] });
  return `${printable(head)}\n\n${table}\n${verdict}\n`;
}

function chosenText({ candidates }: DnsExplanation): string {
  const chosen = candidates.filter((candidate) => candidate.chosen).map(({ node }) => node);
  return chosen.length === 0 ? '' : ` (${chosen.join(', ')})`;
}
