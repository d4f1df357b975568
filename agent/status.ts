import type { Disk } from '../runtime/disk/disk.ts';
import { silentLog } from '../runtime/log.ts';
import { loadIdentity } from './identity/identity-file.ts';
import { lifetimeOf } from './identity/rotate.ts';
import { ServedFile } from './served-file.ts';
import { HELD_PLAN_PATH, planFile, SERVED_PLAN_PATH } from './session/plan-file.ts';
import { planObjects } from './session/plan-objects.ts';
import { positionText } from './session/plan-state.ts';

/** What a node's folder says of it, as text for a person; no secrets. */
export async function statusText(disk: Disk): Promise<string> {
  const identity = await loadIdentity(disk);
  if (identity === undefined) {
    return 'This machine has not joined. On a machine with b8sctl: b8sctl node token create\n';
  }
  const until = new Date(lifetimeOf(identity).notAfterMs).toISOString();
  const lines = [
    `Node:         ${identity.name} (${identity.uid})`,
    `Dom:          ${identity.domAddresses.join(', ')}`,
    `Certificate:  good until ${until}`,
    ...(await planLines(disk)),
  ];
  return `${lines.join('\n')}\n`;
}

async function planLines(disk: Disk): Promise<readonly string[]> {
  const held = await planFile(disk, HELD_PLAN_PATH, silentLog).load();
  if (held === undefined) return ['Plan:         none yet'];
  const { sites, zones } = planObjects(held.objects);
  const served = await new ServedFile(planFile(disk, SERVED_PLAN_PATH, silentLog)).load();
  return [
    `Plan:         ${positionText(held.position)}, ${held.objects.size} objects`,
    ...sites.map(({ uid, namespace, name, serving }) => {
      const release = served.releases.get(uid) ?? 'nothing';
      const wanted = release === serving || serving === '' ? '' : `, wanted ${serving}`;
      return `Site:         ${namespace}/${name} serves ${release}${wanted}`;
    }),
    ...zones.map(({ origin, serial }) => `Zone:         ${origin} serial ${serial}`),
  ];
}
