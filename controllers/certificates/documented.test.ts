import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kinds } from '../../api/kinds.ts';

const ROOT = join(import.meta.dirname, '../..');
const ROOMS = ['controllers/acme', 'controllers/certificates'];
/** Words of the code that look like reasons and are none; another one like these comes here. */
const OTHERS: ReadonlySet<string> = new Set([
  ...kinds.map(({ kind }) => kind),
  ...['True', 'False', 'Unknown', 'Normal', 'Warning'],
  ...['Ready', 'Renewable', 'Current'],
]);

test('docs/certificates.md explains each reason, and none that there is not', () => {
  const text = readFileSync(join(ROOT, 'docs/certificates.md'), 'utf8');
  expect([...documentedReasons(text)].toSorted()).toEqual([...reasonsOfCode()].toSorted());
});

/** The first words of rows whose header says `reason`; of conditions these come second. */
function documentedReasons(text: string): ReadonlySet<string> {
  const reasons = new Set<string>();
  let column = -1;
  for (const line of text.split('\n')) {
    const cells = line.startsWith('|') ? line.split('|').slice(1) : [];
    if (cells.length === 0) column = -1;
    else if (column < 0) column = cells.findIndex((cell) => cell.trim() === 'reason');
    if (column < 0) continue;
    for (const [, word = ''] of (cells[column] ?? '').matchAll(/`(\w+)`/g)) reasons.add(word);
  }
  return reasons;
}

function reasonsOfCode(): ReadonlySet<string> {
  const files = ROOMS.flatMap((room) =>
    readdirSync(join(ROOT, room))
      .filter((name) => name.endsWith('.ts') && !/test/.test(name))
      .map((name) => join(ROOT, room, name)),
  );
  const words = files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      // The names of classes of errors are no reasons.
      .filter((line) => !line.includes('override readonly name'))
      .flatMap((line) => [...line.matchAll(/'((?:[A-Z][a-z]+)+)'/g)].map(([, word = '']) => word)),
  );
  return new Set(words.filter((word) => !OTHERS.has(word)));
}
