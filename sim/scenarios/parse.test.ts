import { describe, expect, test } from 'vitest';
import { parseScenario } from './parse.ts';

const HEAD = `title: A site
why: Because.
topology:
  nodes:
    london: { place: [51.51, -0.13] }
    sydney: { place: [-33.87, 151.21], roles: [edge], joins: later }
steps:
`;

function steps(...lines: readonly string[]): string {
  return `${HEAD}${lines.map((line) => `  ${line}\n`).join('')}`;
}

function problemOf(text: string): string {
  try {
    parseScenario(text, 'bad');
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'nothing is wrong';
}

test('a scenario is read with defaults, lines and what each step says', () => {
  const text = steps(
    '- apply: { kind: Zone, metadata: { name: example-test }, spec: { origin: example.test } }',
    '- publish: { site: blog, version: 2 }',
    '- kill: dom',
    '- expect: { site: blog, serves: 2, on: [london], within: 5s }',
    '- expect: { dns: blog.example.test, from: seattle, answers: [sydney] }',
    '- expect: { explain: a.test, chooses: [london], leaves: { sydney: unreachable } }',
  );
  const { name, topology, steps: read } = parseScenario(text, 'a-site');
  expect(name).toBe('a-site');
  expect(topology).toEqual({
    doms: 1,
    nodes: [
      {
        name: 'london',
        place: { latitude: 51.51, longitude: -0.13 },
        roles: ['edge', 'nameserver'],
        joins: 'first',
      },
      {
        name: 'sydney',
        place: { latitude: -33.87, longitude: 151.21 },
        roles: ['edge'],
        joins: 'later',
      },
    ],
  });
  expect(read.map(({ line, says }) => `${line} ${says}`).slice(1)).toEqual([
    '9 publish:{site:blog,version:2}',
    '10 kill:dom',
    '11 expect:{site:blog,serves:2,on:[london],within:5s}',
    '12 expect:{dns:blog.example.test,from:seattle,answers:[sydney]}',
    '13 expect:{explain:a.test,chooses:[london],leaves:{sydney:unreachable}}',
  ]);
  expect(read.map(({ action }) => action)).toMatchObject([
    { do: 'apply', manifests: [{ apiVersion: 'b8s.dev/v1', kind: 'Zone' }], refused: undefined },
    { do: 'publish', site: 'blog', version: 2, interrupted: undefined },
    { do: 'kill', process: 'dom' },
    {
      do: 'expect',
      expectation: { of: 'pages', site: 'blog', serves: 2, on: ['london'] },
      withinMs: 5_000,
    },
    {
      do: 'expect',
      expectation: { of: 'dns', type: 'A', from: 'seattle', at: 'all', answers: ['sydney'] },
      withinMs: 30_000,
    },
    {
      do: 'expect',
      expectation: {
        ...{ of: 'explanation', name: 'a.test', from: 'nowhere', at: 'all', chooses: ['london'] },
        leaves: new Map([['sydney', 'unreachable']]),
      },
    },
  ]);
});

describe('what is wrong is told with its line', () => {
  test.each([
    ['not YAML', 'title: [', /^bad\.yaml:1 /],
    ['nothing', '', /^bad\.yaml:1 is empty/],
    [
      'an unknown field',
      `${HEAD}  - kill: dom\nstep: 1\n`,
      /^bad\.yaml:9 step: is unknown here.*did you mean "steps"/,
    ],
    ['a missing field', 'title: x\nwhy: y\nsteps: []\n', /^bad\.yaml:1 topology is missing/],
    ['no steps', `${HEAD}    []\n`, /^bad\.yaml:8 steps: a scenario without steps/],
    [
      'an unknown step',
      steps('- kil: dom'),
      /^bad\.yaml:8 steps\[0\]: there is no step "kil".*did you mean "kill"/,
    ],
    ['a step that is no mapping', steps('- kill'), /^bad\.yaml:8 steps\[0\]: must be a mapping/],
    [
      'two verbs',
      steps('- kill: dom', '  start: dom'),
      /^bad\.yaml:9 steps\[0\]\.start: is unknown here/,
    ],
    [
      'what only the simulation can do',
      steps('- skew: london'),
      /^bad\.yaml:8 .*"skew" cannot be done to real processes/,
    ],
    [
      'a node that is not there',
      steps('- kill: tokyo'),
      /^bad\.yaml:8 steps\[0\]\.kill: "tokyo" is none of dom, london, sydney/,
    ],
    [
      'a dom that cannot be cordoned',
      steps('- cordon: dom'),
      /^bad\.yaml:8 .*"dom" is none of london, sydney/,
    ],
    [
      'a cut that the real stage cannot make',
      steps('- cutOff: london').replace('topology:\n', 'topology:\n  doms: 2\n'),
      /^bad\.yaml:9 .*cannot be done to real processes where there are several doms/,
    ],
    ['no duration', steps('- pass: soon'), /^bad\.yaml:8 steps\[0\]\.pass: must be a duration/],
    [
      'no version',
      steps('- publish: { site: blog, version: 0 }'),
      /^bad\.yaml:8 .*whole number from 1 to 99/,
    ],
    ['no reference', steps('- delete: blog'), /^bad\.yaml:8 .*must be Kind\/name/],
    [
      'an expectation of nothing',
      steps('- expect: { within: 3s }'),
      /^bad\.yaml:8 .*names what is expected/,
    ],
    [
      'an answer that is no node',
      steps('- expect: { dns: a.test, answers: [tokyo] }'),
      /^bad\.yaml:8 .*"tokyo" is none of/,
    ],
    [
      'a client that is nowhere',
      steps('- expect: { dns: a.test, from: mars, answers: [] }'),
      /^bad\.yaml:8 .*"mars" is none of london/,
    ],
    [
      'a place off the globe',
      HEAD.replace('51.51', '151.51').concat('  - kill: dom\n'),
      /^bad\.yaml:5 .*\[latitude, longitude\]/,
    ],
    [
      'a node called dom',
      HEAD.replace('london', 'dom').concat('  - kill: dom\n'),
      /^bad\.yaml:5 .*what doms are called/,
    ],
  ])('%s', (_when, text, expected) => {
    expect(problemOf(text)).toMatch(expected);
  });

  test('a manifest that dom would refuse, unless that is the point', () => {
    const manifest = [
      '- apply:',
      '    kind: Site',
      '    metadata: { name: blog }',
      '    spec:',
      '      hosts: [blog]',
    ];
    expect(problemOf(steps(...manifest))).toMatch(
      /^bad\.yaml:12 steps\[0\]\.apply\.spec\.hosts\[0\]: "blog"/,
    );
    expect(problemOf(steps(...manifest, '  refused: needs a dot'))).toBe('nothing is wrong');
  });

  test('everything at once', () => {
    expect(problemOf(steps('- kil: dom', '- pass: soon')).split('\n')).toHaveLength(2);
  });
});

test('a commit of Git holds texts, manifests and pages', () => {
  const [read] = parseScenario(
    steps(
      '- commit: First',
      '  files:',
      '    a.yaml: { kind: Issuer, metadata: { name: a }, spec: { cax: {} } }',
      '    b.txt: text',
      '  pages: { public: { site: blog, version: 2 } }',
      '  removes: [c]',
    ),
    'test',
  ).steps;
  expect(read?.action).toMatchObject({
    do: 'commit',
    message: 'First',
    manifests: [{ apiVersion: 'b8s.dev/v1', kind: 'Issuer', metadata: { name: 'a' } }],
    pages: new Map([['public', { site: 'blog', version: 2 }]]),
    removes: ['c'],
  });
  const files = read?.action.do === 'commit' ? read.action.files : undefined;
  expect(files?.get('b.txt')).toBe('text');
  expect(files?.get('a.yaml')).toMatch(/^apiVersion: b8s\.dev\/v1\nkind: Issuer\n/);
});

test.each([
  ['- commit: First\n    files: { a.yaml: { metadata: { name: a } } }', /:9 .*kind is missing/],
  ['- commit: First\n    pages: { public: { site: blog } }', /:9 .*version is missing/],
  ['- expect: { repository: infra, commit: First }', /:8 .*because is missing/],
])('what is wrong with a step of Git is told with its line: %s', (step, says) => {
  expect(problemOf(steps(step))).toMatch(says);
});
