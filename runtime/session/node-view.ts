import type { Node } from '../../api/node.ts';
import type { Capability } from '../capabilities.ts';
import { isSerialGreater } from '../dns/serial.ts';
import type { ReportRecord, SiteOnNode } from '../store/records.ts';
import type { World } from '../store/world.ts';

/** One machine with what is known of it beside its declaration. */
export interface NodeView {
  readonly node: Node;
  readonly name: string;
  /** Its session is open: the lease at dom is alive. */
  readonly connected: boolean;
  /** What its sub can do that older ones cannot; none while it is not connected. */
  readonly capabilities: readonly Capability[];
  /** What it last said of itself, connected or not; undefined: nothing yet. */
  readonly report: ReportRecord | undefined;
  /** What it last said of one Site. */
  site(uid: string): SiteOnNode | undefined;
}

/**
 * Every machine that is not being deleted, sorted by name. A session or report that another Node of
 * the same name left behind does not count.
 */
export function nodeViews(world: World): readonly NodeView[] {
  return world
    .list('Node')
    .filter((node) => node.metadata.deletionTimestamp === undefined)
    .map((node) => nodeView(world, node));
}

function nodeView(world: World, node: Node): NodeView {
  const { name, uid } = node.metadata;
  const session = world.record('session', name)?.value;
  const stored = world.record('report', name)?.value;
  const report = stored?.nodeUid === uid ? stored : undefined;
  return {
    node,
    name,
    connected: session?.nodeUid === uid,
    capabilities: session?.nodeUid === uid ? (session.capabilities ?? []) : [],
    report,
    // A search, for an index of every report costs more than the few look-ups that one plan makes.
    site: (siteUid) => report?.sites.find((each) => each.uid === siteUid),
  };
}

/** By report: what was looked up of it once. Many Sites ask the same ones. */
const serials = new WeakMap<ReportRecord, ReadonlyMap<string, number>>();

/** By uid of the Zone. */
function serialsOf(report: ReportRecord): ReadonlyMap<string, number> {
  const known = serials.get(report);
  if (known !== undefined) return known;
  const made = new Map(report.zones.map(({ uid, serial }) => [uid, serial]));
  serials.set(report, made);
  return made;
}

/** Whether it says that it serves that version of a Zone, or a later one. */
export function servesZone(
  { report }: NodeView,
  { uid, serial }: { readonly uid: string; readonly serial: number },
): boolean {
  const served = report && serialsOf(report).get(uid);
  return served !== undefined && (served === serial || isSerialGreater(served, serial));
}

export function hasRole(view: NodeView, role: Node['spec']['roles'][number]): boolean {
  return view.node.spec.roles.includes(role);
}
