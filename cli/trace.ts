import type { Api } from '../runtime/api-client.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Terminal } from '../runtime/terminal.ts';
import { errorText } from './cli.ts';

/**
 * The same Api, which tells on stderr what is asked, how long it took and how it ended: names only,
 * for what is sent may be secret.
 */
export function traced(api: Api, { terminal, clock }: { terminal: Terminal; clock: Clock }): Api {
  const say = (text: string): void => terminal.error(`${text}\n`);
  return new Proxy(api, {
    get(target, key: keyof Api) {
      const method = target[key];
      // A promise of it looks whether it is one itself.
      if (typeof method !== 'function' || key === 'close') return method;
      return (...args: unknown[]) => {
        const asked = `${key}${aboutOf(args[0])}`;
        const startMs = clock.monotonicMs();
        const call = method as (this: Api, ...given: unknown[]) => unknown;
        const answer = call.apply(target, args);
        if (!(answer instanceof Promise)) {
          say(`${asked}: opened`);
          return answer;
        }
        const tookMs = () => Math.round(clock.monotonicMs() - startMs);
        answer.then(
          () => say(`${asked}: ${tookMs()} ms`),
          (error: unknown) => say(`${asked}: ${tookMs()} ms, ${errorText(error)}`),
        );
        return answer;
      };
    },
  });
}

/** " Site default/blog": of a reference, a query or an object. */
function aboutOf(asked: unknown): string {
  if (typeof asked !== 'object' || asked === null) return '';
  const { kind, metadata, ...fields } = asked as Readonly<Record<string, unknown>>;
  const { namespace, name } = (
    typeof metadata === 'object' && metadata !== null ? metadata : fields
  ) as Readonly<Record<string, unknown>>;
  const place = [namespace, name].filter((part) => typeof part === 'string' && part !== '');
  return [typeof kind === 'string' ? ` ${kind}` : '', place.join('/')].filter(Boolean).join(' ');
}
