import { describe, test } from 'vitest';
import { udpCases } from './dns-udp.case.ts';
import { listenBatched } from './dns-udp-batch.ts';
import { listenPlain } from './dns-udp-plain.ts';
import { findAddon } from './udp-batch/addon.ts';

udpCases('node:dgram', listenPlain);

const found = findAddon();
if (found.kind === 'found') {
  udpCases('the addon', (options) => listenBatched(options, found.addon));
} else {
  describe('the addon', () => {
    test.skip(found.problem, () => undefined);
  });
}
