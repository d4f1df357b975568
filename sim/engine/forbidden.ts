import { createRequire } from 'node:module';
import type { Past } from './place.ts';

/** Something of the real world that must not be used inside a simulated one. */
export interface Forbidden {
  readonly object: object;
  readonly name: string;
  /** As a message names it: "Date.now". */
  readonly label: string;
  /** Which calls; undefined: each. */
  readonly when?: (args: readonly unknown[]) => boolean;
  /** `nothing`: Node's own code uses it for its own ends. Otherwise a detour is none. */
  readonly past?: Past;
}

/** All of it, where this version of Node has it. */
export function forbiddenThings(): readonly Forbidden[] {
  return [
    ...clocksAndTimers(),
    ...randomness(),
    ...threads(),
    ...socketsAndFiles(),
    ...environment(),
    ...zoneAndLanguage(),
  ].filter(({ object, name }) => name in object);
}

function clocksAndTimers(): readonly Forbidden[] {
  const timers = load('node:timers');
  return [
    ...[globalThis, timers].flatMap((object) => [
      ...some(object, ['setTimeout', 'setInterval']),
      ...some(object, ['setImmediate', 'queueMicrotask'], { past: 'nothing' }),
    ]),
    ...some(process, ['nextTick'], { of: 'process', past: 'nothing' }),
    ...all('node:timers/promises'),
    ...some(Date, ['now'], { of: 'Date' }),
    ...some(performance, ['now', 'timeOrigin', 'mark', 'measure', 'timerify', 'toJSON'], {
      of: 'performance',
    }),
    ...some(performance, ['eventLoopUtilization'], { of: 'performance' }),
    ...some(AbortSignal, ['timeout'], { of: 'AbortSignal' }),
    ...some(Atomics, ['wait', 'waitAsync'], { of: 'Atomics' }),
    // Nobody knows when the garbage is collected.
    ...some(globalThis, ['WeakRef', 'FinalizationRegistry']),
    // What is sent comes with whatever turn of the real event loop.
    ...some(globalThis, ['MessageChannel', 'BroadcastChannel']),
  ];
}

const RANDOM =
  /^(random|generate|checkPrime|createECDH|createDiffieHellman|createSign$|sign$|publicEncrypt)/;

function randomness(): readonly Forbidden[] {
  return [
    ...some(Math, ['random'], { of: 'Math' }),
    ...some(crypto, ['randomUUID', 'getRandomValues'], { of: 'crypto' }),
    ...some(crypto.subtle, functionsOf(Object.getPrototypeOf(crypto.subtle)), {
      of: 'crypto.subtle',
    }),
    ...all('node:crypto', RANDOM),
  ];
}

/** What works on other threads is done when it is. */
function threads(): readonly Forbidden[] {
  return [
    ...all('node:crypto', /^(pbkdf2|scrypt|hkdf|argon2)$/),
    ...all('node:zlib', /^(?!crc32|getMax|setMax|.*Sync$)[a-z]/),
    ...all('node:worker_threads', /^Worker$/),
    ...all('node:child_process'),
  ];
}

const SOCKETS =
  /^(connect|create(Connection|(Secure)?Server|Socket)|request|get|Socket|Server|TLSSocket)$/;

function socketsAndFiles(): readonly Forbidden[] {
  return [
    ...some(globalThis, ['fetch', 'WebSocket', 'EventSource']),
    ...['node:net', 'node:tls', 'node:dgram'].flatMap((module) => all(module, SOCKETS)),
    ...['node:http', 'node:https', 'node:http2'].flatMap((module) => all(module, SOCKETS)),
    ...['node:dns', 'node:dns/promises', 'node:fs', 'node:fs/promises'].flatMap((module) =>
      all(module),
    ),
  ];
}

function environment(): readonly Forbidden[] {
  const of = 'process';
  return [
    ...some(process, ['env', 'argv', 'execPath', 'title', 'pid', 'ppid', 'stdin'], {
      of,
      past: 'nothing',
    }),
    ...some(process, ['hrtime', 'uptime', 'cpuUsage', 'threadCpuUsage', 'resourceUsage'], { of }),
    ...some(process, ['memoryUsage', 'availableMemory', 'constrainedMemory'], { of }),
    ...some(process, ['getActiveResourcesInfo', 'cwd', 'chdir', 'exit', 'abort', 'kill'], { of }),
    ...all('node:os'),
    ...some(globalThis, ['navigator']),
  ];
}

const LOCAL_PARTS = ['FullYear', 'Month', 'Date', 'Day', 'Hours', 'Minutes', 'Seconds'];

function zoneAndLanguage(): readonly Forbidden[] {
  const parts = LOCAL_PARTS.flatMap((part) => [`get${part}`, `set${part}`]);
  const texts = ['getTimezoneOffset', 'toString', 'toDateString', 'toTimeString'];
  return [
    ...some(Date.prototype, [...parts, ...texts, ...LOCALES], { of: 'Date' }),
    ...some(Date, ['parse'], { of: 'Date', when: ([text]) => isLocalTime(text) }),
    ...some(Intl, functionsOf(Intl), { of: 'Intl' }).map((each) => ({
      ...each,
      when: ([locale, options]: readonly unknown[]) =>
        locale === undefined || (each.name === 'DateTimeFormat' && !namesZone(options)),
    })),
    ...[String, Number, BigInt, Array].flatMap((type) =>
      some(type.prototype, LOCALES, { of: type.name, when: ([locale]) => locale === undefined }),
    ),
    ...some(String.prototype, ['localeCompare'], {
      of: 'String',
      when: ([, locale]) => locale === undefined,
    }),
  ];
}

/** What packages look at, and what does not matter to a world. */
const HARMLESS: readonly { readonly label: string; readonly place: RegExp }[] = [
  // It prints what it reads where a variable of its developers' is set.
  { label: 'process.env', place: /\/node_modules\/yaml\// },
];

/** Whether a package is known to use it there, to no effect. */
export function isHarmless(label: string, place: string): boolean {
  return HARMLESS.some((each) => each.label === label && each.place.test(place));
}

const LOCALES = [
  ...['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString'],
  ...['toLocaleLowerCase', 'toLocaleUpperCase'],
];

/** Means another time in another zone: `2027-01-15T08:00` does; a day alone is one of UTC. */
export function isLocalTime(text: unknown): boolean {
  if (typeof text !== 'string' || Number.isNaN(parse(text))) return false;
  return !/^[+-]?\d{4,6}(-\d\d(-\d\d)?)?$|(Z|UTC|GMT|[+-]\d\d:?\d\d)$/i.test(text);
}

const parse = Date.parse;

function namesZone(options: unknown): boolean {
  return typeof options === 'object' && options !== null && 'timeZone' in options;
}

interface How {
  readonly of?: string;
  readonly past?: Past;
  readonly when?: (args: readonly unknown[]) => boolean;
}

function some(object: object, names: readonly string[], { of, ...how }: How = {}): Forbidden[] {
  return names.map((name) => ({ object, name, label: of ? `${of}.${name}` : name, ...how }));
}

/** The functions of a module; not the mere data, such as `fs.Stats`. */
function all(module: string, names = /^[a-z]|Stream$|^Resolver$/): Forbidden[] {
  const object = load(module);
  const of = module.replace('node:', '').replace('/', '.');
  return some(
    object,
    functionsOf(object).filter((name) => names.test(name)),
    { of },
  );
}

function functionsOf(object: unknown): readonly string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(object))
    .filter(([name, { value }]) => typeof value === 'function' && name !== 'constructor')
    .map(([name]) => name);
}

/** The object that its importers' names follow. */
function load(module: string): object {
  return createRequire(import.meta.url)(module) as object;
}
