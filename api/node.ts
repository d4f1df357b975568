import { ipv4Problem, ipv6Problem } from './address.ts';
import { ageColumn, NONE, nameColumn, ready, reasonColumn, several, UNKNOWN } from './column.ts';
import {
  COUNT,
  choice,
  type Declared,
  decimal,
  flag,
  group,
  integer,
  list,
  mark,
  optional,
  statusGroup,
  text,
  time,
} from './field.ts';
import { defineKind } from './kind.ts';
import { labelNameProblem } from './names.ts';
import type { Resource } from './object.ts';
import { check, checkEach } from './rules.ts';

const PORT = { minimum: 1, maximum: 65_535 } as const;

export const nodeSpecSchema = group('The machine as it should be used.', {
  roles: list(
    'What the machine does: `edge` serves sites over HTTP, `nameserver` answers DNS, `worker` does nothing yet.',
    choice('A role.', ['edge', 'nameserver', 'worker']),
    { maxItems: 3, uniqueItems: true, default: ['edge', 'nameserver'] },
  ),
  ipv4: list(
    'Public IPv4 addresses that clients reach the machine at.',
    text('An address, e.g. 192.0.2.10.', { format: 'ipv4' }),
    { maxItems: 16, uniqueItems: true, default: [] },
  ),
  ipv6: list(
    'Public IPv6 addresses that clients reach the machine at.',
    text('An address, e.g. 2001:db8::10.', { format: 'ipv6' }),
    { maxItems: 16, uniqueItems: true, default: [] },
  ),
  location: optional(
    group('Where the machine stands. Left out: looked up from its first address.', {
      latitude: decimal('Degrees north of the equator (WGS 84).', { minimum: -90, maximum: 90 }),
      longitude: decimal('Degrees east of Greenwich (WGS 84).', { minimum: -180, maximum: 180 }),
    }),
  ),
  ports: group(
    'The ports that the machine serves at.',
    {
      http: integer('The port of HTTP.', { ...PORT, default: 80 }),
      https: integer('The port of HTTPS.', { ...PORT, default: 443 }),
      dns: integer('The port of DNS, over UDP and TCP.', { ...PORT, default: 53 }),
    },
    { default: {} },
  ),
  unschedulable: flag('Keep the machine out of new answers and placements (`b8sctl cordon`).'),
  drain: optional(
    mark(
      'Ask clients that are connected to the edge to leave, once resolvers name it no more (`b8sctl drain`).',
    ),
  ),
});

export const nodeStatusSchema = statusGroup({
  agentVersion: optional(text('The version of sub that runs there.')),
  connectedSince: optional(time('When the open session began; absent while there is none.')),
  lastSeen: optional(time('When dom last heard from the machine.')),
  sites: optional(
    group('The sites that the machine serves.', {
      ready: integer('How many of them it has verified.', COUNT),
      total: integer('How many it was told to serve.', COUNT),
    }),
  ),
});

export type NodeSpec = Declared<typeof nodeSpecSchema>;
export type NodeStatus = Declared<typeof nodeStatusSchema>;
export type NodeRole = NodeSpec['roles'][number];
/** A machine with sub on it. */
export type Node = Resource<NodeSpec, NodeStatus>;

export const nodeKind = defineKind({
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  scope: 'cluster',
  description: 'A machine that runs sub: where it stands, how clients reach it, what it does.',
  spec: nodeSpecSchema,
  status: nodeStatusSchema,
  rules: (node) => [
    // The name becomes a label of DNS names: `london.ns.example.com`.
    ...check(['metadata', 'name'], node.metadata.name, labelNameProblem),
    ...checkEach(['spec', 'ipv4'], node.spec.ipv4, ipv4Problem),
    ...checkEach(['spec', 'ipv6'], node.spec.ipv6, ipv6Problem),
  ],
  columns: [
    nameColumn,
    {
      header: 'READY',
      value: (node) => `${ready(node)}${standing(node)}`,
    },
    { header: 'ROLES', value: (node) => several(node.spec.roles) },
    { header: 'ADDRESS', value: (node) => node.spec.ipv4[0] ?? node.spec.ipv6[0] ?? NONE },
    ageColumn,
    { header: 'VERSION', value: (node) => node.status?.agentVersion ?? UNKNOWN },
    { header: 'LOCATION', wide: true, value: (node) => formatLocation(node.spec.location) },
    { header: 'IPV6', wide: true, value: (node) => several(node.spec.ipv6) },
    reasonColumn,
  ],
});

/** Clients of one that is in use are not asked to leave, whatever is left of an earlier drain. */
export function isDrained({ spec }: Pick<Node, 'spec'>): boolean {
  return spec.drain === true && spec.unschedulable;
}

function standing(node: Node): string {
  const { spec } = node;
  if (isDrained(node)) return ',Drained';
  return spec.unschedulable ? ',Cordoned' : '';
}

function formatLocation(location: NodeSpec['location']): string {
  return location === undefined ? UNKNOWN : `${location.latitude},${location.longitude}`;
}
