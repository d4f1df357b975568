import { CALM, FAULT_KINDS } from '../faults/faults.ts';
import { type Setting, settingArgs } from '../run/setting.ts';
import { weatherKinds } from '../run/weather.ts';
import type { PageStory } from './page-data.ts';

/** What a run was drawn to be, and how it ended, for whoever reads its timeline. */
export function storyOf(setting: Setting, failure: string | undefined): PageStory {
  const { seed, profile, doms, subs, users, operations, clients, stormMs, leftOut, crash } =
    setting;
  return {
    title: `seed ${seed}`,
    // The command that replays it stands by itself.
    failure: failure?.replace(/; replay: .*$/s, ''),
    replay: `make sim ${settingArgs(setting)}`,
    facts: [
      ['profile', profile],
      ['doms', String(doms)],
      ['nodes', String(subs)],
      ['users', String(users)],
      ['operations each', String(operations)],
      ['clients', String(clients)],
      ['of faults', `${Math.round(stormMs / 1000)} s`],
      ...(leftOut.length === 0 ? [] : [['left out', leftOut.join(' ')] as const]),
      ...(crash === undefined ? [] : [['crash after effect', String(crash.effect)] as const]),
    ],
    faults: weatherKinds(setting).map((kind) => [kind, strengthOf(setting, kind)]),
  };
}

/** The numbers that a kind stands for, where they are not those of calm weather. */
function strengthOf({ faults, ca, git }: Setting, kind: string): string {
  if (kind === 'ca') return `${ca?.outages} outages, ${ca?.whims} whims`;
  if (kind === 'git') return `${git?.outages} outages`;
  const fields = FAULT_KINDS[kind] ?? [];
  return fields
    .filter((field) => faults[field] !== CALM[field])
    .map((field) => shortNumber(faults[field]))
    .join(' ');
}

function shortNumber(value: unknown): string {
  return typeof value === 'number' ? String(Number(value.toPrecision(2))) : String(value);
}
