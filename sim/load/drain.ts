import { simulatedB8sctl } from './b8sctl.ts';
import { domApi } from './dom-api.ts';
import type { Hand } from './operations.ts';

const REQUEST_MS_MAX = 5_000;
const TRIES_MAX = 3;
const RETRY_MS = 1_000;
const OUT_OF_SERVICE_MS_MAX = 10_000;
const BACK_SHARE = 0.7;

/** As `b8sctl drain`, and then whatever it was for; most are taken back into use. */
export async function drain(hand: Hand, name: string): Promise<void> {
  const { cluster, random } = hand;
  for (let tries = TRIES_MAX; tries > 0; tries -= 1) {
    if (await succeeds(hand, ['drain', name, '--timeout', '20s'])) {
      cluster.wish.nodes.set(name, { use: 'drained' });
      cluster.checks.drained(name, 'can be stopped');
      await hand.clock.sleep(random.integer(0, OUT_OF_SERVICE_MS_MAX));
      if (random.chance(BACK_SHARE)) await takeBack(hand, name);
      return;
    }
    await hand.clock.sleep(RETRY_MS);
  }
  // It may have come half way.
  await takeBack(hand, name);
}

export async function takeBack(hand: Hand, name: string): Promise<void> {
  const { cluster } = hand;
  cluster.checks.drained(name, 'taken back');
  while (!(await succeeds(hand, ['uncordon', name]))) await hand.clock.sleep(RETRY_MS);
  cluster.wish.nodes.set(name, { use: 'in use' });
}

async function succeeds(
  { cluster, clock, user }: Hand,
  words: readonly string[],
): Promise<boolean> {
  const command = `b8sctl ${words.join(' ')}`;
  // It is told by the others which one leads.
  const dom = () => {
    const running = cluster.runningDoms();
    return running.find((each) => each.dom.leads) ?? running[0];
  };
  const api = domApi({ clock, dom, requestTimeoutMs: REQUEST_MS_MAX, command });
  const said = await simulatedB8sctl(words, { clock, api, input: '', files: new Map() });
  user.says(`${command}: ${said.exitCode === 0 ? 'done' : said.stderr.trim()}`);
  return said.exitCode === 0;
}
