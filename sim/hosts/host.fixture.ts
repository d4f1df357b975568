import { turns } from '../../runtime/node/settle.ts';
import { seededRandom } from '../engine/random.ts';
import { Scheduler } from '../engine/scheduler.ts';
import { Trace } from '../engine/trace.ts';
import { Host } from './host.ts';

/** For tests: a machine in a world of its own. */
export function loneHost(seed = 'host') {
  const random = seededRandom(seed);
  const scheduler = new Scheduler({ random: random.fork('order'), turns });
  const trace = new Trace(() => scheduler.nowMs, { keep: 'lines' });
  const host = new Host('london', { scheduler, trace, random });
  return { host, scheduler, trace, random };
}
