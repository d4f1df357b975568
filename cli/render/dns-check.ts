import { printable } from '../../runtime/printable.ts';
import type { Finding } from '../dns/check/finding.ts';
import type { ZoneVerdict } from '../dns/check/judge.ts';

const MARKS: Readonly<Record<Finding['verdict'], string>> = {
  fine: 'ok      ',
  problem: 'PROBLEM ',
  unknown: 'unknown ',
};

/** What was found and what to tell the registrar, for a person. */
export function renderZoneVerdict({ findings, registrar }: ZoneVerdict): string {
  const found = findings.map(({ verdict, message, mend }) => {
    const line = `${MARKS[verdict]}${printable(message)}\n`;
    return mend === undefined ? line : `${line}        → ${printable(mend)}\n`;
  });
  const told = [...registrar.ns, ...registrar.glue, ...registrar.ds];
  const lines = told.map((line) => `  ${printable(line)}\n`).join('');
  return `${found.join('')}\nWhat the registrar should hold:\n${lines || '  nothing yet\n'}`;
}
