import type { Api } from '../runtime/api-client.ts';
import type { Clock } from '../runtime/clock.ts';
import { printable } from '../runtime/printable.ts';
import type { Terminal } from '../runtime/terminal.ts';
import { errorText } from './cli.ts';
import { VERBOSITY } from './verbosity.ts';

/** Calls whose requests and answers hold objects, and nothing that lets somebody in. */
const WITH_BODIES: ReadonlySet<string> = new Set([
  ...['apply', 'update', 'get', 'list', 'watch', 'delete', 'history'],
  ...['explainDns', 'traffic', 'forecast', 'serverInfo'],
]);

/** So much of a body is shown below level 9. */
const BODY_CHARACTERS_MAX = 1024;

/**
 * The same Api, which tells on stderr what is asked, how long it took and how it ended: names only,
 * for what is sent may be secret; from level 8 on also what was sent and came back, but of Secrets.
 */
export function traced(
  api: Api,
  {
    terminal,
    clock,
    verbosity,
  }: { readonly terminal: Terminal; readonly clock: Clock; readonly verbosity: number },
): Api {
  const say = (text: string): void => terminal.error(`${text}\n`);
  return new Proxy(api, {
    get(target, key: keyof Api) {
      const method = target[key];
      // A promise of it looks whether it is one itself.
      if (typeof method !== 'function' || key === 'close') return method;
      return (...args: unknown[]) => {
        const asked = `${key}${aboutOf(args[0])}`;
        const hasBodies =
          verbosity >= VERBOSITY.bodies && WITH_BODIES.has(key) && !isOfSecrets(args[0]);
        const tell = (title: string, body: unknown): void => {
          if (hasBodies) say(`  ${title}: ${bodyText(body, verbosity)}`);
        };
        const startMs = clock.monotonicMs();
        const call = method as (this: Api, ...given: unknown[]) => unknown;
        const answer = call.apply(target, args);
        const sent = args.filter((arg) => !(arg instanceof AbortSignal));
        if (!(answer instanceof Promise)) {
          say(`${asked}: opened`);
          tell('request', sent);
          return answer;
        }
        const tookMs = () => Math.round(clock.monotonicMs() - startMs);
        answer.then(
          (body) => {
            say(`${asked}: ${tookMs()} ms`);
            tell('request', sent);
            tell('answer', body);
          },
          (error: unknown) => {
            say(`${asked}: ${tookMs()} ms, ${errorText(error)}`);
            tell('request', sent);
          },
        );
        return answer;
      };
    },
  });
}

/** Histories of Secrets hold values, without a word on what they are of. */
function isOfSecrets(asked: unknown): boolean {
  return isRecord(asked) && asked['kind'] === 'Secret';
}

function bodyText(body: unknown, verbosity: number): string {
  const text = printable(JSON.stringify(body, withoutSecrets) ?? 'nothing');
  const more = text.length - BODY_CHARACTERS_MAX;
  if (verbosity >= VERBOSITY.whole || more <= 0) return text;
  return `${text.slice(0, BODY_CHARACTERS_MAX)}… (${more} more characters: -v=9)`;
}

/** For JSON.stringify. */
function withoutSecrets(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (!isRecord(value) || value['kind'] !== 'Secret' || !('spec' in value)) return value;
  const { kind, metadata } = value;
  const name = isRecord(metadata) ? metadata['name'] : undefined;
  return { kind, metadata: { name }, spec: 'not shown' };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** " Site default/blog": of a reference, a query or an object. */
function aboutOf(asked: unknown): string {
  if (!isRecord(asked)) return '';
  const { kind, metadata, ...fields } = asked;
  const { namespace, name } = isRecord(metadata) ? metadata : fields;
  const place = [namespace, name].filter((part) => typeof part === 'string' && part !== '');
  return [typeof kind === 'string' ? ` ${kind}` : '', place.join('/')].filter(Boolean).join(' ');
}
