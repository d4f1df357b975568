import { nodeDisk } from '../../../runtime/node/disk.ts';
import { compileOnDisk, type GeoJob } from '../geo-compiler.ts';

/*
 * The entry of a process that compiles one geography database, says how it went, and ends. It ends
 * as well when sub does.
 */
process.once('message', (job: GeoJob) => void work(job));
process.once('disconnect', () => process.exit());

async function work({ folder, digest }: GeoJob): Promise<void> {
  const outcome = await compileOnDisk(nodeDisk(folder), digest);
  process.send?.(outcome, () => process.exit());
}
