import { type Certificate, certificateKind } from './certificate.ts';
import { type Event, eventKind } from './event.ts';
import { type Issuer, issuerKind } from './issuer.ts';
import type { Kind } from './kind.ts';
import { type Node, nodeKind } from './node.ts';
import { type Notification, notificationKind } from './notification.ts';
import { type Release, releaseKind } from './release.ts';
import { type Repository, repositoryKind } from './repository.ts';
import { type Secret, secretKind } from './secret.ts';
import { type Site, siteKind } from './site.ts';
import { type Zone, zoneKind } from './zone.ts';

/** Every kind's objects, by the kind's name. */
export interface KindMap {
  readonly Certificate: Certificate;
  readonly Event: Event;
  readonly Issuer: Issuer;
  readonly Node: Node;
  readonly Notification: Notification;
  readonly Release: Release;
  readonly Repository: Repository;
  readonly Secret: Secret;
  readonly Site: Site;
  readonly Zone: Zone;
}

export type KindName = keyof KindMap;

/** The group that `sites.b8s.dev` names. */
export const API_GROUP = 'b8s.dev';

/** Every kind, by name. */
export const kindsByName = {
  Certificate: certificateKind,
  Event: eventKind,
  Issuer: issuerKind,
  Node: nodeKind,
  Notification: notificationKind,
  Release: releaseKind,
  Repository: repositoryKind,
  Secret: secretKind,
  Site: siteKind,
  Zone: zoneKind,
} as const satisfies Record<KindName, Kind>;

/** Every kind, sorted by name. */
export const kinds: readonly Kind[] = Object.values(kindsByName);

/** Whether there is a kind of exactly that name. */
export function isKindName(name: string): name is KindName {
  return Object.hasOwn(kindsByName, name);
}

/** The kind that `Site`, `sites`, `site`, `si` or `sites.b8s.dev` means, in any case of letters. */
export function kindOf(anyName: string): Kind | undefined {
  const lower = anyName.toLowerCase();
  const name = lower.endsWith(`.${API_GROUP}`) ? lower.slice(0, -API_GROUP.length - 1) : lower;
  return kinds.find((kind) => namesOf(kind).includes(name));
}

/** The words that mean a kind, in lower case: singular, plural and short names. */
export function namesOf(kind: Kind): readonly string[] {
  return [kind.singular, kind.plural, ...kind.shortNames];
}
