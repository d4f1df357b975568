import type { Cluster } from '../cluster/cluster.ts';
import type { PeoplePorts } from '../load/people.ts';
import { type Aim, SITE } from './aim.ts';
import { behind } from './behind.ts';
import { cleared } from './cleared.ts';
import { counted } from './counted.ts';
import { deaf } from './deaf.ts';
import { doubted } from './doubted.ts';
import { drained } from './drained.ts';
import { emptied } from './emptied.ts';
import { guarded } from './guarded.ts';
import { handed } from './handed.ts';
import { hurried } from './hurried.ts';
import { issued } from './issued.ts';
import { leapt } from './leapt.ts';
import { limited } from './limited.ts';
import { namesake } from './namesake.ts';
import { overruled } from './overruled.ts';
import { overtaken } from './overtaken.ts';
import { rekeyed } from './rekeyed.ts';
import { renewing } from './renewing.ts';
import { replaced } from './replaced.ts';
import { rolled } from './rolled.ts';
import { rotten } from './rotten.ts';
import { storeless } from './storeless.ts';
import { told } from './told.ts';
import { uncertified } from './uncertified.ts';
import { undone } from './undone.ts';
import { unsure } from './unsure.ts';

/** By name, as `make sim AIM=name` takes it. */
export const AIMS: Readonly<Record<string, Aim>> = {
  behind,
  cleared,
  counted,
  deaf,
  doubted,
  drained,
  emptied,
  guarded,
  handed,
  hurried,
  issued,
  leapt,
  limited,
  namesake,
  overruled,
  overtaken,
  rekeyed,
  renewing,
  replaced,
  rolled,
  rotten,
  storeless,
  told,
  uncertified,
  undone,
  unsure,
};

/** Throws a RangeError that names those that there are. */
export function aimNamed(name: string): Aim {
  const aim = AIMS[name];
  if (aim !== undefined) return aim;
  throw new RangeError(`there is no aim ${name}; there are: ${Object.keys(AIMS).join(', ')}`);
}

/** Instead of `startPeople`: one person does what the story needs. Resolves once it is told. */
export async function startAim(cluster: Cluster, ports: PeoplePorts): Promise<void> {
  const { setting, scheduler, random } = ports;
  const aim = aimNamed(setting.aim ?? '');
  const user = cluster.newUser('user-1');
  const clock = scheduler.clock();
  const hand = { cluster, user, clock, random: random.fork('aim'), sites: [SITE] };
  await aim.run({ cluster, scheduler, hand });
}
