import type { Event } from '../../api/event.ts';
import { isKindName, kindsByName } from '../../api/kinds.ts';
import { matchesLabels, parseLabelSelector } from '../../api/labels.ts';
import { ANY_NAMESPACE, type Notification } from '../../api/notification.ts';
import type { Resource } from '../../api/object.ts';
import type { World } from '../../runtime/store/world.ts';

/** Whether a Notification is to tell of an Event. Of itself none does: that would never end. */
export function fits(
  world: Pick<World, 'get'>,
  { metadata, spec }: Notification,
  event: Event,
): boolean {
  const { type, kinds, names, namespaces, reasons, selector } = spec.events;
  const { regarding, reason } = event.spec;
  if (type === 'Warning' && event.spec.type !== 'Warning') return false;
  if (regarding.uid === metadata.uid) return false;
  if (reasons.length > 0 && !reasons.includes(reason)) return false;
  if (kinds.length > 0 && !kinds.includes(regarding.kind)) return false;
  if (names.length > 0 && !names.some((name) => fitsPattern(name, regarding.name))) return false;
  const { namespace } = regarding;
  const wanted = namespaces.length === 0 ? [metadata.namespace] : namespaces;
  const isWanted =
    namespace === undefined || wanted.includes(ANY_NAMESPACE) || wanted.includes(namespace);
  if (!isWanted) return false;
  if (selector === '') return true;
  const parsed = parseLabelSelector(selector);
  const labels = regardedBy(world, event)?.metadata.labels;
  return parsed.kind === 'selector' && matchesLabels(parsed.requirements, labels);
}

/** The object as it is now; undefined: it is gone. */
function regardedBy(world: Pick<World, 'get'>, { spec }: Event): Resource | undefined {
  const { kind, namespace, name } = spec.regarding;
  if (!isKindName(kind)) return undefined;
  return world.get(kind, kindsByName[kind].scope === 'cluster' ? { name } : { namespace, name });
}

/** `*` stands for any letters. In steps of its parts, so that no pattern takes long. */
export function fitsPattern(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === name;
  if (name.length < first.length + last.length) return false;
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length;
}
