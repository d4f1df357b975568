import { labelNameProblem } from '../../api/names.ts';
import type { NodeRole } from '../../api/node.ts';
import { parseAction } from './parse-action.ts';
import { collect, readYaml, type Value } from './reader.ts';
import { domNames, type NodeSetup, type Scenario, type Step, type Topology } from './scenario.ts';

const DOMS_MAX = 3;
const LINE_LENGTH_MAX = 100;
const ROLES: readonly NodeRole[] = ['edge', 'nameserver'];

/**
 * Reads a scenario. `name` is the file's, without its ending.
 *
 * Errors: a `ScenarioError` that tells everything that is wrong, each with its line.
 */
export function parseScenario(text: string, name: string): Scenario {
  const root = readYaml(text, `${name}.yaml`);
  const file = root.fields(['title', 'why', 'topology', 'steps']);
  const topology = parseTopology(file.need('topology'));
  const world = { nodes: topology.nodes.map((node) => node.name), doms: domNames(topology) };
  const steps = file.need('steps');
  if (steps.list().length === 0) steps.fail('a scenario without steps shows nothing');
  return {
    name,
    title: file.need('title').text(),
    why: file.need('why').text().trim(),
    topology,
    steps: collect(steps.list(), (step) => parseStep(step, world)),
  };
}

function parseTopology(value: Value): Topology {
  const fields = value.fields(['doms', 'nodes']);
  const nodes = fields.need('nodes');
  const setups = collect(nodes.entries(), ([name, node]) => parseNode(name, node));
  if (setups.length === 0) nodes.fail('a cluster has at least one node');
  return { doms: fields.get('doms')?.integer({ min: 1, max: DOMS_MAX }) ?? 1, nodes: setups };
}

function parseNode(name: string, value: Value): NodeSetup {
  const problem = labelNameProblem(name);
  if (problem !== undefined || /^dom(-\d+)?$/.test(name))
    value.fail(problem ?? 'is what doms are called; choose another name');
  const fields = value.fields(['place', 'roles', 'joins']);
  const place = fields.need('place');
  const [latitude, longitude, ...more] = place.list().map((each) => Number(each.plain()));
  const isPlace =
    more.length === 0 && Math.abs(latitude ?? 91) <= 90 && Math.abs(longitude ?? 181) <= 180;
  if (latitude === undefined || longitude === undefined || !isPlace)
    return place.fail('must be [latitude, longitude] in degrees');
  return {
    name,
    place: { latitude, longitude },
    roles:
      fields
        .get('roles')
        ?.list()
        .map((role) => role.oneOf(ROLES)) ?? ROLES,
    joins: fields.get('joins')?.oneOf(['first', 'later']) ?? 'first',
  };
}

function parseStep(value: Value, world: Parameters<typeof parseAction>[1]): Step {
  if (!value.is('mapping')) value.fail('must be a mapping, such as `kill: london`');
  const action = parseAction(value, world);
  const said = JSON.stringify(value.plain()).slice(1, -1).replaceAll('"', '');
  const says = said.length > LINE_LENGTH_MAX ? `${said.slice(0, LINE_LENGTH_MAX)}…` : said;
  return { line: value.line, says, action };
}
