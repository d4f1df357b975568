import { parseArgs } from 'node:util';
import { geo } from '../../sim/run/geo.fixture.ts';
import { rehearse } from '../../sim/run/rehearse.ts';
import { changeSetting, drawSetting, type Setting } from '../../sim/run/setting.ts';
import { percentile } from '../figures.ts';

/*
 * How fast a simulated cluster lives, on one core: `node bench/sim/main.ts [--subs 3,10,30]
 * [--rounds 3]
 * [--calm-s 3600]`. `calm`: nodes at rest, with clients that ask; a cluster needs some minutes to
 * join. `storm`: everything that the seed draws goes wrong, while people change things.
 */
const { values } = parseArgs({
  options: {
    subs: { type: 'string', default: '3,10,30' },
    rounds: { type: 'string', default: '3' },
    'calm-s': { type: 'string', default: '3600' },
  },
});
const STORM_MS = 120_000;

console.log('nodes  weather  virtual s/s   events/s   virtual s   real s');
for (const subs of values.subs.split(',').map(Number))
  for (const weather of ['calm', 'storm'] as const) {
    const runs: Run[] = [];
    for (let round = 1; round <= Number(values.rounds); round += 1)
      runs.push(await run(settingOf(weather, subs, round)));
    const of = (pick: (each: Run) => number): number => percentile(runs.map(pick), 0.5);
    console.log(
      [
        String(subs).padStart(5),
        weather.padEnd(7),
        of(({ virtualS, tookS }) => virtualS / tookS)
          .toFixed(0)
          .padStart(11),
        of(({ events, tookS }) => events / tookS)
          .toFixed(0)
          .padStart(10),
        of(({ virtualS }) => virtualS)
          .toFixed(0)
          .padStart(11),
        of(({ tookS }) => tookS)
          .toFixed(1)
          .padStart(8),
      ].join('  '),
    );
  }

function settingOf(weather: 'calm' | 'storm', subs: number, seed: number): Setting {
  const drawn = drawSetting(seed, 'full');
  const changes =
    weather === 'calm'
      ? { faults: [], operations: 0, stormMs: 1000 * Number(values['calm-s']) }
      : { operations: 8, stormMs: STORM_MS };
  return changeSetting(drawn, { ...changes, subs, doms: 1, users: 1, clients: 3 });
}

interface Run {
  readonly virtualS: number;
  readonly events: number;
  readonly tookS: number;
}

async function run(setting: Setting): Promise<Run> {
  const startMs = performance.now();
  const onUnhandled = () => () => undefined;
  const rehearsal = await rehearse(setting, { keep: 'hash', geo, onUnhandled });
  if (rehearsal.kind === 'failed') throw new Error(rehearsal.message);
  const { virtualMs, steps } = rehearsal.result;
  const tookS = (performance.now() - startMs) / 1000;
  return { virtualS: virtualMs / 1000, events: steps, tookS };
}
