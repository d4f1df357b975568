import type { DnsExplanation } from '../../proto/gen/b8s/v1/agent.ts';
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
