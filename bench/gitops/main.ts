import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureManifests } from './manifests.ts';
import { measurePushes } from './pushes.ts';

const HELP = `node bench/gitops/main.ts [--pushes 10] [--nodes 3] [--manifests 1000,10000]

How long a push takes by webhook until all nodes serve it, and what a Repository of many manifests
costs dom: time, CPU, memory, and for how long nobody else had a turn. Beside it, in the same run,
the floor: git fetches the same commit and prints its files.

  --pushes     of one changed file of a Site; 0: none
  --nodes      that serve it
  --manifests  objects of a commit, 10,000 at most; several with commas; 0: none
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    pushes: { type: 'string', default: '10' },
    nodes: { type: 'string', default: '3' },
    manifests: { type: 'string', default: '1000,10000' },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const folder = await mkdtemp(join(tmpdir(), 'b8s-bench-'));
try {
  const pushes = Number(values.pushes);
  if (pushes > 0) await measurePushes({ folder, pushes, nodes: Number(values.nodes) });
  for (const count of values.manifests.split(',').map(Number))
    if (count > 0) await measureManifests({ folder, count });
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);
