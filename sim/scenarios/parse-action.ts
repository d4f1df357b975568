import { didYouMean } from '../../api/nearest.ts';
import { API_VERSION } from '../../api/object.ts';
import { validateObject } from '../../api/validate.ts';
import { parseCommit } from './parse-commit.ts';
import { parseExpectation } from './parse-expectation.ts';
import type { Value } from './reader.ts';
import type { Action, Manifest } from './scenario.ts';
import { parseDuration, parseReference, siteAndVersion, type World } from './words.ts';

/** Reads what a step does: the one field that is a verb, and those that go with it. */
export function parseAction(step: Value, world: World): Action {
  const names = step.entries().map(([name]) => name);
  const verb = names.find((name) => Object.hasOwn(VERBS, name));
  if (verb === undefined) {
    const [given = ''] = names;
    const reason = ONLY_SIMULATED[given];
    if (reason !== undefined)
      return step.fail(`"${given}" cannot be done to real processes: ${reason}`);
    const known = Object.keys(VERBS);
    return step.fail(
      `there is no step "${given}"; there are ${known.join(', ')}${didYouMean(given, known)}`,
    );
  }
  const { also, read } = VERBS[verb] ?? { also: [], read: () => step.fail('no verb') };
  const fields = step.fields([verb, ...also]);
  return read(fields.need(verb), world, (name) => fields.get(name));
}

interface Verb {
  /** Fields that may stand beside it. */
  readonly also: readonly string[];
  readonly read: (
    value: Value,
    world: World,
    beside: (name: string) => Value | undefined,
  ) => Action;
}

/** What the simulation can do to a world and a test of real processes cannot. */
const ONLY_SIMULATED: Readonly<Record<string, string>> = {
  lose: 'frames are lost by the faults of sim/faults/',
  skew: 'clocks go wrong by the faults of sim/faults/',
  corrupt: 'disks go wrong by the faults of sim/faults/',
  fillDisk: 'disks go wrong by the faults of sim/faults/',
  crashAtWrite: 'kill -9 comes between two instructions, never at a chosen one',
};

const VERBS: Readonly<Record<string, Verb>> = {
  apply: {
    also: ['refused', 'force'],
    read: (value, _world, beside) => ({
      ...parseApply(value, beside('refused')),
      force: beside('force')?.oneOf(['conflicts']),
    }),
  },
  commit: {
    also: ['files', 'pages', 'removes'],
    read: (value, _world, beside) => ({ do: 'commit', ...parseCommit(value, beside) }),
  },
  publish: {
    also: ['interrupted'],
    read: (value, world, beside) => {
      const { site, version } = siteAndVersion(value);
      const cut = beside('interrupted')?.fields(['kill', 'afterBlobs']);
      const interrupted = cut && {
        kill: cut.need('kill').oneOf([...world.doms]),
        afterBlobs: cut.need('afterBlobs').integer({ min: 1, max: 20 }),
      };
      return { do: 'publish', site, version, interrupted };
    },
  },
  rollback: { also: [], read: (value) => ({ do: 'rollback', site: value.text() }) },
  delete: { also: [], read: (value) => ({ do: 'delete', ...parseReference(value) }) },
  cordon: ofNode('cordon'),
  uncordon: ofNode('uncordon'),
  drain: ofNode('drain'),
  join: ofNode('join'),
  remove: ofNode('remove'),
  kill: ofProcess('kill'),
  start: ofProcess('start'),
  pause: ofProcess('pause'),
  resume: ofProcess('resume'),
  cutOff: {
    also: [],
    read: (value, { nodes, doms }) =>
      doms.length === 1
        ? { do: 'cutOff', node: value.oneOf([...nodes]) }
        : value.fail('cannot be done to real processes where there are several doms'),
  },
  heal: ofNode('heal'),
  pass: { also: [], read: (value) => ({ do: 'pass', ms: parseDuration(value) }) },
  visit: { also: [], read: (value) => ({ do: 'visit', site: value.text() }) },
  expect: { also: [], read: parseExpectation },
};

function ofNode(verb: 'cordon' | 'uncordon' | 'drain' | 'join' | 'remove' | 'heal'): Verb {
  return {
    also: [],
    read: (value, { nodes }) => ({ do: verb, node: value.oneOf([...nodes]) }),
  };
}

function ofProcess(verb: 'kill' | 'start' | 'pause' | 'resume'): Verb {
  return {
    also: [],
    read: (value, { nodes, doms }) => ({ do: verb, process: value.oneOf([...doms, ...nodes]) }),
  };
}

function parseApply(
  value: Value,
  refused: Value | undefined,
): Omit<Extract<Action, { do: 'apply' }>, 'force'> {
  const values = value.is('list') ? value.list() : [value];
  const expected = refused?.text();
  const manifests = values.map((each) => parseManifest(each, expected));
  return { do: 'apply', manifests, refused: expected };
}

/** What is to be refused need not be valid; anything else is checked here, where it has a line. */
function parseManifest(value: Value, refused: string | undefined): Manifest {
  const fields = value.fields(['apiVersion', 'kind', 'metadata', 'spec']);
  const kind = fields.need('kind').text();
  fields.need('metadata').fields(['name', 'namespace', 'labels']).need('name').text();
  const raw = { apiVersion: API_VERSION, ...(value.plain() as object) };
  const checked = validateObject(raw);
  if (checked.kind === 'invalid' && refused === undefined) {
    const [first] = checked.violations;
    const mend = 'mend it, or say with `refused:` what it is refused for';
    return value.at(first?.path ?? '').fail(`${first?.message}; ${mend}`);
  }
  return { ...(raw as Manifest), kind };
}
