import type { Fields, Value } from './reader.ts';
import {
  type Action,
  CLIENTS,
  type Client,
  type Expectation,
  RECORD_TYPES,
  type Which,
} from './scenario.ts';
import { parseDuration, parseReference, VERSIONS_MAX, type World } from './words.ts';

/** How long an expectation is waited for unless it says so itself. */
export const WITHIN_MS = 30_000;

/** Reads what must be seen: of an object, of a site's pages, or of DNS. */
export function parseExpectation(value: Value, world: World): Action {
  const names = value.entries().map(([name]) => name);
  const subject = (['object', 'repository', 'site', 'dns', 'explain'] as const).find((each) =>
    names.includes(each),
  );
  if (subject === undefined)
    return value.fail(
      'names what is expected: object: Site/blog, repository: infra, site: blog, dns: a.name or explain: a.name',
    );
  const { also, read } = SUBJECTS[subject];
  const fields = value.fields([subject, ...also, 'within']);
  const within = fields.get('within');
  const withinMs = within === undefined ? WITHIN_MS : parseDuration(within);
  return { do: 'expect', expectation: read(fields, world), withinMs };
}

interface Subject {
  readonly also: readonly string[];
  readonly read: (fields: Fields, world: World) => Expectation;
}

const SUBJECTS: Readonly<Record<'object' | 'repository' | 'site' | 'dns' | 'explain', Subject>> = {
  object: { also: ['is', 'condition', 'because'], read: ofObject },
  repository: {
    also: ['commit', 'because'],
    read: (fields) => ({
      of: 'commit',
      repository: fields.need('repository').text(),
      message: fields.need('commit').text(),
      reason: fields.need('because').text(),
    }),
  },
  site: { also: ['serves', 'on'], read: ofSite },
  dns: { also: ['type', 'from', 'at', 'answers'], read: ofDns },
  explain: { also: ['from', 'at', 'chooses', 'leaves'], read: ofExplanation },
};

const STATUS = { ready: 'True', 'not ready': 'False', unknown: 'Unknown' } as const;

function ofObject(fields: Fields): Expectation {
  const reference = parseReference(fields.need('object'));
  const is = fields.need('is').oneOf(['ready', 'not ready', 'unknown', 'gone']);
  if (is === 'gone') return { of: 'absence', ...reference };
  const type = fields.get('condition')?.text() ?? 'Ready';
  const reason = fields.get('because')?.text();
  return { of: 'condition', ...reference, type, status: STATUS[is], reason };
}

function ofSite(fields: Fields, world: World): Expectation {
  const serves = fields.need('serves');
  const isNothing = serves.plain() === 'nothing';
  return {
    of: 'pages',
    site: fields.need('site').text(),
    serves: isNothing ? 'nothing' : serves.integer({ min: 1, max: VERSIONS_MAX }),
    on: which(fields.get('on'), world),
  };
}

function ofDns(fields: Fields, world: World): Expectation {
  const type = fields.get('type')?.oneOf(RECORD_TYPES) ?? 'A';
  const answers = fields.need('answers').list();
  return {
    of: 'dns',
    type,
    name: fields.need('dns').text(),
    from: client(fields.get('from')),
    at: which(fields.get('at'), world),
    answers: answers.map((each) => (type === 'A' ? each.oneOf([...world.nodes]) : each.text())),
  };
}

function ofExplanation(fields: Fields, world: World): Expectation {
  const leaves = fields.get('leaves')?.entries() ?? [];
  return {
    of: 'explanation',
    name: fields.need('explain').text(),
    from: client(fields.get('from')),
    at: which(fields.get('at'), world),
    chooses: fields
      .need('chooses')
      .list()
      .map((each) => each.oneOf([...world.nodes])),
    leaves: new Map(leaves.map(([node, health]) => [node, health.text()])),
  };
}

function client(value: Value | undefined): Client {
  return value?.oneOf(Object.keys(CLIENTS) as Client[]) ?? 'nowhere';
}

function which(value: Value | undefined, { nodes }: World): Which {
  if (value === undefined) return 'all';
  return value.list().map((each) => each.oneOf([...nodes]));
}
