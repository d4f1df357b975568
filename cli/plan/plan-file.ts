import { connectionOf } from '../../runtime/client-config.ts';
import { digestOf } from '../../runtime/content/digest.ts';
import { type Cli, CommandError } from '../cli.ts';
import type { FileSource } from './plan-files.ts';
import { ACTIONS, type PlannedChange } from './planned.ts';

/** Of the format; another one is not read. */
const VERSION = 1;
/** As much as all manifests of a Repository may be. */
const TEXT_LENGTH_MAX = 128_000_000;

export interface RepositorySource {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly commit: string;
  readonly subject: string;
  readonly force: boolean;
  readonly confirmPrune: boolean;
}

/** Where a plan comes from, with what it was told. */
export type PlanSource =
  | ({ readonly kind: 'files' } & FileSource)
  | ({ readonly kind: 'repository' } & RepositorySource);

export interface Plan {
  /** RFC 3339, by the clock of dom's clients. */
  readonly made: string;
  readonly from: PlanSource;
  readonly changes: readonly PlannedChange[];
}

/** The text of a plan file: JSON, with no value of a Secret, and a digest over all of it. */
export async function renderPlan(plan: Plan, cli: Cli): Promise<string> {
  const cluster = await clusterOf(cli);
  const body = { apiVersion: 'b8s.dev/v1', kind: 'Plan', version: VERSION, cluster, ...plan };
  return `${JSON.stringify({ ...body, digest: digestOfBody(body) }, null, 1)}\n`;
}

/** Throws a CommandError for what is no plan, was changed, or is for another cluster. */
export async function readPlan(path: string, cli: Cli): Promise<Plan> {
  const text = path === '-' ? await cli.files.readStandardInput() : await cli.files.readText(path);
  if (text === undefined) throw new CommandError(`error: the path "${path}" does not exist`);
  const refused = (why: string): CommandError => new CommandError(`error: ${path} ${why}`);
  if (text.length > TEXT_LENGTH_MAX) throw refused('is too large for a plan');
  const found = parsed(text);
  if (found === undefined || found['kind'] !== 'Plan')
    throw refused('is no plan: b8sctl plan -o FILE makes one');
  if (found['version'] !== VERSION)
    throw refused(
      `is a plan of version ${JSON.stringify(found['version'])}, and this b8sctl reads ${VERSION}: make it anew with this one`,
    );
  const { digest, ...body } = found;
  if (digest !== digestOfBody(body) || !isWhole(body))
    throw refused('was changed after it was made: make a new plan');
  const cluster = await clusterOf(cli);
  if (body['cluster'] !== cluster)
    throw refused(
      `is for another cluster (its CA is ${String(body['cluster'])}, here it is ${cluster}): choose its context with --context`,
    );
  return body as unknown as Plan;
}

/** The CA is what a cluster keeps for ever. */
async function clusterOf(cli: Cli): Promise<string> {
  const { caPem } = connectionOf(await cli.config(), cli.settings().context);
  return digestOf(Buffer.from(caPem.trim()));
}

function digestOfBody(body: unknown): string {
  return digestOf(Buffer.from(JSON.stringify(body)));
}

type Fields = Readonly<Record<string, unknown>>;

function parsed(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whoever makes up a plan can make up its digest, too: nothing may go wrong but the plan. */
function isWhole({ from, changes, made }: Fields): boolean {
  if (typeof made !== 'string' || !isFields(from) || !Array.isArray(changes)) return false;
  return isSource(from) && changes.every(isChange);
}

function isSource(from: Fields): boolean {
  const { kind, filename, applyset } = from;
  if (kind === 'repository')
    return (
      areTexts(from, ['namespace', 'name', 'uid', 'commit', 'subject']) &&
      areFlags(from, ['force', 'confirmPrune'])
    );
  const isFiles = kind === 'files' && Array.isArray(filename) && filename.every(isText);
  const isSet = applyset === undefined || isText(applyset);
  const flags = ['recursive', 'forceConflicts', 'prune', 'allowMassDeletion'];
  return isFiles && isSet && areTexts(from, ['fieldManager']) && areFlags(from, flags);
}

function isChange(change: unknown): boolean {
  if (!isFields(change)) return false;
  const { reference, action, before, after, changedValues, declared, content } = change;
  return (
    isFields(reference) &&
    areTexts(reference, ['kind', 'namespace', 'name']) &&
    ACTIONS.includes(action as (typeof ACTIONS)[number]) &&
    areTexts(change, ['why', 'place']) &&
    [before, after].every((side) => side === undefined || isSide(side)) &&
    Array.isArray(changedValues) &&
    changedValues.every(isText) &&
    (declared === undefined || isDeclared(declared, reference)) &&
    (content === undefined || (isFields(content) && areTexts(content, ['where', 'release'])))
  );
}

function isSide(side: unknown): boolean {
  if (!isFields(side) || !isText(side['uid'])) return false;
  return [side['labels'], side['annotations']].every(
    (each) => isFields(each) && Object.values(each).every(isText),
  );
}

/** What is applied is what is shown. */
function isDeclared(declared: unknown, { kind, namespace, name }: Fields): boolean {
  if (!isFields(declared) || !isFields(declared['metadata'])) return false;
  const { metadata } = declared;
  return (
    declared['kind'] === kind &&
    kind !== 'Secret' &&
    metadata['name'] === name &&
    (metadata['namespace'] ?? '') === namespace
  );
}

function areTexts(fields: Fields, names: readonly string[]): boolean {
  return names.every((name) => isText(fields[name]));
}

function areFlags(fields: Fields, names: readonly string[]): boolean {
  return names.every((name) => typeof fields[name] === 'boolean');
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
