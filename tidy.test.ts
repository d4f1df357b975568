/**
 * Keeps the house: which room may import which, what only ports may touch, and a few habits.
 * Each rule is data; a failure names the place and says what to do instead.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOMS = [
  'api',
  'proto',
  'runtime',
  'controllers',
  'dom',
  'agent',
  'cli',
  'sim',
  'e2e',
  'bench',
  'manifests',
  'bin',
] as const;
type Room = (typeof ROOMS)[number];

/** What a room may import besides itself. `main.ts` files, e2e and bench may import anything. */
const MAY_IMPORT: Readonly<Record<Room, readonly Room[]>> = {
  proto: [],
  api: [],
  runtime: ['api', 'proto'],
  controllers: ['runtime', 'api'],
  dom: ['controllers', 'runtime', 'api', 'proto'],
  agent: ['runtime', 'api', 'proto'],
  cli: ['api', 'proto', 'runtime'],
  sim: ['api', 'proto', 'runtime', 'controllers', 'dom', 'agent', 'cli', 'manifests'],
  manifests: ['api', 'runtime'],
  e2e: [...ROOMS],
  bench: [...ROOMS],
  bin: [...ROOMS],
};

/** Where the machine itself may be touched; everywhere else it comes as a port. */
const MAY_TOUCH_THE_MACHINE = [
  /^runtime\/node\//,
  /(^|\/)main\.ts$/,
  /^(e2e|bench|bin)\//,
  /\.(test|case|fixture)\.ts$/,
  /^vitest\.config\.ts$/,
  // Comes before everything else in its process, and hears from the environment what to do.
  /^sim\/mutants\/register\.ts$/,
  // The store adapters own a thread and a client with timers of its own.
  /^dom\/store\/(sqlite|etcd)\//,
];

/** Names that reach around the ports, with what to use instead. */
const BANNED: readonly { readonly pattern: RegExp; readonly instead: string }[] = [
  { pattern: /\bDate\.now\b/, instead: 'Clock.nowMs' },
  { pattern: /\bnew Date\(\)/, instead: 'new Date(clock.nowMs())' },
  { pattern: /\bperformance\.now\b/, instead: 'Clock.monotonicMs' },
  { pattern: /\bMath\.random\b/, instead: 'Random.next' },
  { pattern: /\brandom(UUID|Bytes)\b/, instead: 'uuid(random) or Random.bytes' },
  { pattern: /\bset(Timeout|Interval|Immediate)\b/, instead: 'Clock.sleep' },
  { pattern: /\bqueueMicrotask\b/, instead: 'a resolved promise' },
  {
    pattern:
      /\bprocess\.(argv|env|exit|cwd|pid|platform|arch|hrtime|memoryUsage|uptime|std(in|out|err)|on|once|nextTick|cpuUsage)\b/,
    instead: 'what main.ts hands in',
  },
  { pattern: /\bfetch\(\s*['"`]http/, instead: 'a port' },
];
const BANNED_MODULES =
  /^node:(fs|fs\/promises|net|tls|http|http2|https|dgram|dns|child_process|worker_threads|timers|timers\/promises|os|cluster|process|sqlite)$/;

/** Habits that no file may have. */
const HABITS: readonly { readonly pattern: RegExp; readonly instead: string }[] = [
  {
    pattern: /^\s*(export )?(const )?enum\s/m,
    instead: 'a union of strings, or an `as const` object',
  },
  { pattern: /^export default\b/m, instead: 'a named export' },
  { pattern: /\bas any\b|:\s*any\b|<any>/, instead: 'unknown, and a parser' },
  { pattern: /\b(TODO|FIXME|XXX)\b/, instead: 'doing it, or an issue' },
  { pattern: /['"`\s]\/(root|work)\//, instead: 'a path that is there on every machine' },
];

const LINES_MAX = 400;
const root = import.meta.dirname;
const files = sources(root);

test('the scanner sees imports and forgets comments and strings', () => {
  const text = `import a from './a.ts';\n// import './b.ts'\nconst s = 'Date.now';\nconst t = import('./c.ts');`;
  expect(importsOf(text)).toEqual(['./a.ts', './c.ts']);
  expect(codeOf(text)).not.toMatch(/Date\.now/);
});

describe('each room imports only what the table allows', () => {
  test.each(ROOMS)('%s', (room) => {
    const wrong = files
      .filter((file) => roomOf(file) === room && !file.endsWith('main.ts'))
      .flatMap((file) => importsOf(read(file)).map((target) => ({ file, target })))
      .filter(({ target }) => target.startsWith('.'))
      .map(({ file, target }) => ({ file, room: roomOf(normalize(join(dirname(file), target))) }))
      .filter(
        (to) => to.room !== room && to.room !== undefined && !MAY_IMPORT[room].includes(to.room),
      )
      .map((to) => `${to.file} imports from ${to.room}/`);
    expect(
      wrong,
      `${room}/ may import ${MAY_IMPORT[room].join(', ') || 'nothing of ours'}`,
    ).toEqual([]);
  });
});

test('controllers never import one another', () => {
  const wrong = files
    .filter((file) => /^controllers\/\w+\//.test(file))
    .flatMap((file) =>
      importsOf(read(file)).map((target) => ({
        file,
        target: normalize(join(dirname(file), target)),
      })),
    )
    .filter(
      ({ file, target }) =>
        target.startsWith('controllers/') &&
        target.split('/').length > 2 &&
        target.split('/')[1] !== file.split('/')[1],
    )
    .map(
      ({ file, target }) => `${file} imports ${target}: controllers meet only through the store`,
    );
  expect(wrong).toEqual([]);
});

test('a plan.ts is pure: it imports types, and pure helpers of its own rooms', () => {
  const wrong = files
    .filter((file) => file.startsWith('controllers/') && file.endsWith('/plan.ts'))
    .flatMap((file) => importsOf(read(file)).map((target) => ({ file, target })))
    .filter(
      ({ target }) => target.startsWith('node:') && !['node:util', 'node:crypto'].includes(target),
    )
    .map(({ file, target }) => `${file} imports ${target}`);
  expect(wrong).toEqual([]);
});

test('only ports touch the machine', () => {
  const wrong = files
    .filter((file) => !MAY_TOUCH_THE_MACHINE.some((pattern) => pattern.test(file)))
    .flatMap((file) => {
      const text = read(file);
      const modules = importsOf(text)
        .filter((target) => BANNED_MODULES.test(target))
        .map((target) => `${file} imports ${target}: take a port from runtime/ instead`);
      const code = codeOf(text);
      const names = BANNED.filter(({ pattern }) => pattern.test(code)).map(
        ({ pattern, instead }) => `${file} has ${pattern.exec(code)?.[0]}: use ${instead}`,
      );
      return [...modules, ...names];
    });
  expect(wrong).toEqual([]);
});

test('habits', () => {
  const wrong = files
    .filter((file) => file !== 'tidy.test.ts' && file !== 'vitest.config.ts')
    .flatMap((file) => {
      const text = read(file);
      const code = codeOf(text);
      return HABITS.filter(({ pattern, instead }) =>
        pattern.test(instead.startsWith('doing') || instead.startsWith('a path') ? text : code),
      ).map(({ pattern, instead }) => `${file}: ${pattern.source}: use ${instead}`);
    });
  expect(wrong).toEqual([]);
});

test(`no file is longer than ${LINES_MAX} lines`, () => {
  const long = files
    .filter((file) => !/\.(test|case)\.ts$/.test(file))
    .map((file) => ({ file, lines: read(file).split('\n').length }))
    .filter(({ lines }) => lines > LINES_MAX)
    .map(({ file, lines }) => `${file} has ${lines} lines: look for the second concept in it`);
  expect(long).toEqual([]);
});

test('the lock file names no registry', () => {
  expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved": "https?:/);
});

function sources(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => !['node_modules', 'dist', '.git', '.b8s', 'gen'].includes(name))
    .toSorted()
    .flatMap((name) => {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) return sources(path);
      return name.endsWith('.ts') ? [relative(root, path)] : [];
    });
}

function roomOf(path: string): Room | undefined {
  const first = path.split('/')[0];
  return ROOMS.find((room) => room === first);
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

function importsOf(text: string): readonly string[] {
  const bare = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
  const pattern = /(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s+)['"]([^'"]+)['"]/gm;
  return [...bare.matchAll(pattern)].map((match) => match[1] ?? '');
}

/** The text without comments and without what stands in quotes. */
function codeOf(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/(^|\s)\/\/.*$/gm, '')
    .replaceAll(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''")
    .replaceAll(/`(?:[^`\\$]|\\.|\$(?!\{))*`/g, '``');
}
