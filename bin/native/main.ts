/** `make native`: what is written in C, for this machine; docs/adr/0013-udp-batches.md. */
import { join, relative } from 'node:path';
import { buildNative } from '../build/native.ts';

const root = join(import.meta.dirname, '../..');
const outcome = buildNative({ root, out: join(root, 'runtime/node/udp-batch/build') });
if (outcome.kind === 'left out') {
  console.error(`not built, so nameservers are slower here: ${outcome.why}`);
} else {
  console.log(relative(root, outcome.path));
}
