import type { SeededRandom } from '../engine/random.ts';
import type { Hand } from './operations.ts';
import { MEMBERS_PATHS } from './pages.ts';
import { NAMESPACE } from './wish.ts';

/** A user name and a password, as they are sent. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export const MEMBERS_SECRET = 'members';
/** In each version of the Secret… */
export const FIRST_MEMBER = 'ada';
/** …and in every second one. */
const SECOND_MEMBER = 'bob';

const GUARDED_SHARE = 0.5;
const NOTED_SHARE = 0.4;
const RECREATED_SHARE = 0.3;
const GONE_MS_MAX = 5_000;
const EARLIER_VERSIONS = 3;

/** Whether a Site asks for passwords, and what it notes of requests. Drawn on its own. */
export function drawGuard({ cluster, random }: Pick<Hand, 'cluster' | 'random'>): {
  readonly auth?: object;
  readonly accessLog?: object;
} {
  if (cluster.sites === 'plain') return {};
  const own = random.fork('guard');
  const format = own.pick(['json', 'combined']);
  return {
    ...(own.chance(GUARDED_SHARE) && { auth: guard() }),
    ...(own.chance(NOTED_SHARE) && {
      accessLog: { format, percent: 100, clientAddress: 'full' },
    }),
  };
}

/** `spec.auth` of a Site that shows some pages to members alone. */
export function guard(): object {
  return { secret: MEMBERS_SECRET, realm: 'members', paths: MEMBERS_PATHS };
}

/** Other passwords for everybody; now and then the Secret is another one of the same name. */
export async function changeMembers(hand: Hand): Promise<void> {
  const { cluster, clock, user } = hand;
  const random = hand.random.fork('members');
  if (random.chance(RECREATED_SHARE)) {
    await user.delete({ kind: 'Secret', namespace: NAMESPACE, name: MEMBERS_SECRET });
    await clock.sleep(random.pick([0, random.integer(0, GONE_MS_MAX)]));
  }
  await declareMembers(hand, cluster.wish.membersVersion + 1);
}

/** What they may see is closed until then. */
export async function declareMembers(
  { cluster, user }: Pick<Hand, 'cluster' | 'user'>,
  version: number,
): Promise<void> {
  const names = version % 2 === 0 ? [FIRST_MEMBER] : [FIRST_MEMBER, SECOND_MEMBER];
  const data = Object.fromEntries(names.map((name) => [name, passwordOf(name, version)]));
  for (const text of Object.values(data)) cluster.checks.confided({ kind: 'password', text });
  const metadata = { namespace: NAMESPACE, name: MEMBERS_SECRET };
  await user.apply({ kind: 'Secret', metadata, spec: { data } });
  cluster.wish.membersVersion = version;
}

/** What somebody tries: that of now, one of before, a made up one, or nothing. */
export function drawCredentials(version: number, random: SeededRandom): Credentials | undefined {
  const user = random.pick([FIRST_MEMBER, FIRST_MEMBER, SECOND_MEMBER, 'eve']);
  const earlier = random.integer(Math.max(0, version - EARLIER_VERSIONS), version);
  const tried = random.pick(['none', 'of now', 'of now', 'earlier', 'nonsense'] as const);
  switch (tried) {
    case 'none':
      return undefined;
    case 'of now':
      return { user, password: passwordOf(user, version) };
    case 'earlier':
      return { user, password: passwordOf(user, earlier) };
    case 'nonsense':
      return { user, password: `: ${earlier} ü` };
  }
}

export function passwordOf(user: string, version: number): string {
  return `the ${version}. password of ${user}`;
}

/** As browsers send it (RFC 7617). */
export function basicOf({ user, password }: Credentials): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
