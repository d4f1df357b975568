import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** MaxMind's small test database, so that nameservers know where some clients are. */
export const geo: Uint8Array = readFileSync(
  join(import.meta.dirname, '../../agent/dns/testdata/GeoLite2-City-Test.mmdb'),
);
