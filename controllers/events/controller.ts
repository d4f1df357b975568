import type { Clock } from '../../runtime/clock.ts';
import { afterWrite, type Controller, type Outcome } from '../../runtime/control/controller.ts';
import { qualifiedName, splitName } from '../../runtime/store/keys.ts';
import { isKind, type World } from '../../runtime/store/world.ts';
import type { Author, Writer } from '../../runtime/store/writer.ts';
import { removeInMs } from './plan.ts';

const AUTHOR: Author = { manager: 'event-controller', user: 'dom' };

interface EventsPorts {
  readonly world: World;
  readonly writer: Writer;
  readonly clock: Clock;
}

/** Removes Events that are old; a name is an Event's. */
export function eventsController({ world, writer, clock }: EventsPorts): Controller {
  return {
    name: 'events',
    affected: (change) =>
      change.kind === 'object' && isKind(change.object, 'Event') && !change.deleted
        ? [qualifiedName(change.object.metadata)]
        : [],
    async reconcile(name): Promise<Outcome> {
      const event = world.get('Event', splitName(name));
      if (event === undefined) return 'settled';
      const recheckInMs = removeInMs(event, clock.nowMs());
      if (recheckInMs > 0) return { recheckInMs };
      return afterWrite(await writer.commit([{ kind: 'delete', base: event }], AUTHOR));
    },
  };
}
