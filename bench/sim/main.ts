import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { geo } from '../../sim/run/geo.fixture.ts';
import { NODE_FLAGS } from '../../sim/run/node-flags.ts';
import { rehearse } from '../../sim/run/rehearse.ts';
import { changeSetting, drawSetting, type Setting } from '../../sim/run/setting.ts';
import { percentile } from '../figures.ts';

/*
 * How fast a simulated cluster lives, on one core: `node bench/sim/main.ts [--subs 3,10,30]
 * [--rounds 3] [--weather calm,storm] [--calm-s 3600]`. `calm`: nodes at rest, with clients that
 * ask; a cluster needs some minutes to join. `storm`: everything that the seed draws goes wrong,
 * while people change things. Seconds are of the processor's time, for others may need it as well.
 * Each run has a process of its own, with the flags that hunts have.
 */
const { values } = parseArgs({
  options: {
    subs: { type: 'string', default: '3,10,30' },
    rounds: { type: 'string', default: '3' },
    weather: { type: 'string', default: 'calm,storm' },
    'calm-s': { type: 'string', default: '3600' },
    worker: { type: 'boolean', default: false },
  },
});
const STORM_MS = 120_000;

interface Run {
  readonly virtualS: number;
  readonly events: number;
  readonly cpuS: number;
}

if (values.worker)
  process.once('message', (setting: Setting) => {
    void run(setting).then((outcome) => {
      process.send?.(outcome);
      process.disconnect?.();
    });
  });
else await measure();

async function measure(): Promise<void> {
  console.log('nodes  weather  virtual s/s   events/s   virtual s      CPU s');
  for (const subs of values.subs.split(',').map(Number))
    for (const weather of values.weather.split(',')) {
      const runs: Run[] = [];
      for (let round = 1; round <= Number(values.rounds); round += 1)
        runs.push(await inProcess(settingOf(weather, subs, round)));
      const of = (pick: (each: Run) => number): number => percentile(runs.map(pick), 0.5);
      const figures = [
        of(({ virtualS, cpuS }) => virtualS / cpuS).toFixed(0),
        of(({ events, cpuS }) => events / cpuS).toFixed(0),
        of(({ virtualS }) => virtualS).toFixed(0),
        of(({ cpuS }) => cpuS).toFixed(1),
      ].map((figure, index) => figure.padStart(index === 0 ? 11 : 9));
      console.log([String(subs).padStart(5), weather.padEnd(7), ...figures].join('  '));
    }
}

function settingOf(weather: string, subs: number, seed: number): Setting {
  const drawn = drawSetting(seed, 'full');
  const changes =
    weather === 'calm'
      ? { faults: [], operations: 0, stormMs: 1000 * Number(values['calm-s']) }
      : { operations: 8, stormMs: STORM_MS };
  return changeSetting(drawn, { ...changes, subs, doms: 1, users: 1, clients: 3 });
}

function inProcess(setting: Setting): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, ['--worker'], { execArgv: [...NODE_FLAGS] });
    child.once('message', (outcome) => resolve(outcome as Run));
    child.once('exit', (code) => reject(new Error(`seed ${setting.seed} ended with ${code}`)));
    child.send(setting);
  });
}

async function run(setting: Setting): Promise<Run> {
  const before = process.cpuUsage();
  const onUnhandled = () => () => undefined;
  const rehearsal = await rehearse(setting, { keep: 'hash', geo, onUnhandled });
  if (rehearsal.kind === 'failed') throw new Error(rehearsal.message);
  const { virtualMs, steps } = rehearsal.result;
  const { user, system } = process.cpuUsage(before);
  return { virtualS: virtualMs / 1000, events: steps, cpuS: (user + system) / 1_000_000 };
}
