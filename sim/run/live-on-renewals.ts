import { condition, type Resource } from '../../api/object.ts';
import type { AcmeAccountRecord, IssuanceRecord } from '../../runtime/acme/records.ts';
import { kindPrefix, recordKey } from '../../runtime/store/keys.ts';
import { decodeObject } from '../../runtime/store/mirror.ts';
import type { SimulatedCa } from '../ca/simulated-ca.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';

export interface RenewalsScene {
  readonly cluster: Cluster;
  readonly random: SeededRandom;
  readonly scheduler: Pick<Scheduler, 'nowMs'>;
  readonly pass: (ms: number) => Promise<void>;
  /** People have nothing more to ask for. */
  readonly areContent: () => boolean;
}

/** The faults have stopped: by then all certificates are well, or some limit is in the way. */
const WELL_MS_MAX = 240_000;
const LOOK_MS = 1_000;
const ORDER_LOOK_MS = 100;
const RESTART_MS = 1_000;
/** Of their lives: for so long certificates are renewed in peace, and then is no CA there. */
const PEACE = 1.2;
const AWAY = 0.6;
const CRASHES_MAX = 2;

/**
 * The CA and everything else is well, and certificates are as short as before: each is renewed in
 * time. Then dom crashes while proofs are up, and at last no CA can be reached for so long that
 * people have to be warned (INV-31, INV-32). From then on certificates last.
 */
export async function liveOnRenewals(scene: RenewalsScene): Promise<void> {
  const { ca } = scene.cluster;
  if (ca === undefined) return;
  await passRenewals(scene, ca);
  ca.calmDown();
}

async function passRenewals(scene: RenewalsScene, ca: SimulatedCa): Promise<void> {
  const { cluster, random, pass } = scene;
  const { lifeMs } = ca.setting;
  // Whoever looks after dom sets its clock: by a wrong one nothing that lives for minutes is good.
  for (const { host } of cluster.doms) {
    host.clock.setRate(1);
    host.jump(-Math.round(host.clock.offMs));
  }
  if (!(await becomeWell(scene))) return;
  ca.expect('fair');
  await pass(PEACE * lifeMs);
  const crashes = random.integer(0, CRASHES_MAX);
  for (let number = 1; number <= crashes; number += 1) await crashInOrder(scene, ca);
  ca.expect('away');
  await pass(AWAY * lifeMs);
}

/** False: it takes too long, which whoever waits for the end of it all will judge. */
async function becomeWell({
  cluster,
  scheduler,
  pass,
  areContent,
}: RenewalsScene): Promise<boolean> {
  const untilMs = scheduler.nowMs + WELL_MS_MAX;
  while (!areContent() || !(await isWell(cluster))) {
    if (scheduler.nowMs >= untilMs) return false;
    await pass(LOOK_MS);
  }
  return true;
}

/** Every certificate is there, and no CA is being left alone for a while. */
async function isWell({ store }: Cluster): Promise<boolean> {
  const records = async <Value>(kind: 'issuance' | 'acmeAccount'): Promise<readonly Value[]> =>
    (await store.list(recordKey(kind, ''))).items.map(({ value }) => JSON.parse(value) as Value);
  const { items } = await store.list(kindPrefix('Certificate'));
  const certificates = items.map((item): Resource => decodeObject(item));
  const failures = [
    ...(await records<IssuanceRecord>('issuance')),
    ...(await records<AcmeAccountRecord>('acmeAccount')),
  ].filter(({ failure }) => failure !== undefined);
  return (
    failures.length === 0 &&
    certificates.every((each) => condition(each, 'Ready')?.status === 'True')
  );
}

async function crashInOrder(
  { cluster, scheduler, random, pass }: RenewalsScene,
  ca: SimulatedCa,
): Promise<void> {
  const untilMs = scheduler.nowMs + ca.setting.lifeMs;
  const orders = recordKey('acmeOrder', '');
  while ((await cluster.store.list(orders)).items.length === 0 && scheduler.nowMs < untilMs)
    await pass(ORDER_LOOK_MS);
  await pass(random.integer(0, 2_000));
  for (const dom of cluster.doms) cluster.crashDom(dom);
  ca.expect('fair');
  await pass(RESTART_MS);
  for (const dom of cluster.doms) cluster.startDom(dom);
}
