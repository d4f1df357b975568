/** Plays scenarios in simulation, by name, and prints what happened: for whoever writes one. */
import { Command } from 'commander';
import { guarded } from '../engine/guard.ts';
import { geo } from '../run/geo.fixture.ts';
import { renderText } from '../timeline/text.ts';
import { readScenario } from './files.fixture.ts';
import { rehearseScenario } from './rehearse.ts';

interface Options {
  readonly seed: string;
  readonly quiet?: true;
}

await new Command('scenarios')
  .description('Plays a scenario in simulation; prints the timeline, and the state it ends in.')
  .argument('<names...>', 'files of sim/scenarios/plays, without their ending')
  .option('--seed <n>', 'draws the order of what happens at the same time', '1')
  .option('--quiet', 'no timeline')
  .action(async (names: readonly string[], { seed, quiet }: Options) => {
    for (const name of names) await show(name, { seed: Number(seed), timeline: quiet !== true });
  })
  .parseAsync();

async function show(
  name: string,
  { seed, timeline }: { readonly seed: number; readonly timeline: boolean },
): Promise<void> {
  const startMs = performance.now();
  try {
    const scenario = readScenario(name);
    const { observed, virtualMs } = await guarded(() =>
      rehearseScenario(scenario, {
        ...{ geo, seed },
        ...(timeline && {
          onLines: (lines) => {
            process.stdout.write(renderText(lines));
          },
        }),
      }),
    );
    console.log(observed);
    const tookMs = Math.round(performance.now() - startMs);
    console.log(`${name}: ${(virtualMs / 1000).toFixed(1)} virtual seconds in ${tookMs} ms`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
