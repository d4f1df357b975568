import { LINE_KINDS } from '../load/line.ts';
import { type Changes, type Setting, SITE_STYLES } from './setting.ts';

const NUMBERS = { DOMS: 'doms', SUBS: 'subs', USERS: 'users', OPERATIONS: 'operations' } as const;
const MORE_NUMBERS = { CLIENTS: 'clients', STORM_MS: 'stormMs', CONTENDERS: 'contenders' } as const;

/** What `make sim` makes of these arguments, but for the seed, the profile and the story. */
export function changesOf(args: string): Changes {
  const values = new Map(args.split(' ').map((each) => each.split('=') as [string, string]));
  const list = (name: string): readonly string[] | undefined => values.get(name)?.split(',');
  const numbers = Object.entries({ ...NUMBERS, ...MORE_NUMBERS }).flatMap(([name, field]) =>
    values.has(name) ? [[field, Number(values.get(name))]] : [],
  );
  const effect = values.get('CRASH_AT');
  const sites = SITE_STYLES.find((style) => style === values.get('SITES'));
  const line = LINE_KINDS.find((kind) => kind === values.get('LINE'));
  return {
    ...(Object.fromEntries(numbers) as Pick<Setting, 'subs'>),
    ...{ leftOut: list('LEFT_OUT'), faults: list('FAULTS'), sites, line },
    ...(values.get('CA') === '0' && { ca: 0 }),
    ...(values.get('GIT') === '0' && { git: 0 }),
    ...(effect && { crash: { effect: Number(effect), lagMs: Number(values.get('LAG_MS')) } }),
  };
}
