import type { Event } from '../../api/event.ts';
import { DEFAULT_NAMESPACE, type Resource } from '../../api/object.ts';
import type { Api, ObjectReference } from '../../runtime/api-client.ts';

/** The events about one very object, the latest last. */
export async function eventsAbout(
  api: Api,
  { kind, metadata }: Resource,
): Promise<readonly Event[]> {
  const { namespace, name, uid } = metadata;
  // Those about cluster-scoped objects lie in the default namespace.
  const { objects } = await api.list({ kind: 'Event', namespace: namespace ?? DEFAULT_NAMESPACE });
  const reference = { kind, namespace: namespace ?? '', name };
  return byTime(objects as readonly Event[]).filter((event) => {
    const isSameObject = event.spec.regarding.uid === undefined || event.spec.regarding.uid === uid;
    return isAbout(event, reference) && isSameObject;
  });
}

/** Whether an event speaks of an object of that name, be it this one or an earlier one. */
export function isAbout({ spec }: Event, { kind, namespace, name }: ObjectReference): boolean {
  const { regarding } = spec;
  return (
    regarding.kind === kind && regarding.name === name && (regarding.namespace ?? '') === namespace
  );
}

/** The latest last. */
export function byTime(events: readonly Event[]): readonly Event[] {
  return events.toSorted((a, b) => Date.parse(a.spec.lastTime) - Date.parse(b.spec.lastTime));
}
