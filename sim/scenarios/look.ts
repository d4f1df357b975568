import { condition } from '../../api/object.ts';
import type { Repository } from '../../api/repository.ts';
import type { Cast } from './cast.ts';
import { decodeValues, encodeQuestion } from './dns-message.ts';
import { CLIENTS, type Client, type Expectation, type RecordType } from './scenario.ts';
import type { Stage } from './stage.ts';

export interface Scene {
  readonly cast: Cast;
  readonly stage: Stage;
}

/** What is not yet as expected, in words; undefined: all is. */
export async function findAmiss(
  scene: Scene,
  expectation: Expectation,
): Promise<string | undefined> {
  switch (expectation.of) {
    case 'condition':
    case 'absence':
      return objectAmiss(scene, expectation);
    case 'commit':
      return commitAmiss(scene, expectation);
    case 'pages':
      return firstAmiss(scene.cast.which(expectation.on, 'edge'), async (node) => {
        const served = await servedBy(scene, node, expectation.site);
        if (served === expectation.serves) return undefined;
        return `${node} serves ${served} of ${expectation.site}`;
      });
    case 'dns':
      return firstAmiss(scene.cast.which(expectation.at, 'nameserver'), async (node) => {
        const answers = await answersOf(scene, node, expectation);
        const wanted = expectation.answers.toSorted().join(', ');
        if (answers.join(', ') === wanted || (wanted === '' && isNone(answers))) return undefined;
        return `${node} answers ${answers.join(', ') || 'nothing'}`;
      });
    case 'explanation':
      return firstAmiss(scene.cast.which(expectation.at, 'nameserver'), (node) =>
        explanationAmiss(scene, node, expectation),
      );
  }
}

interface Explained {
  readonly candidates: readonly {
    readonly node: string;
    readonly chosen: boolean;
    readonly health: string;
    readonly reason: string;
  }[];
}

async function explanationAmiss(
  { stage }: Scene,
  node: string,
  { name, from, chooses, leaves }: Extract<Expectation, { of: 'explanation' }>,
): Promise<string | undefined> {
  const words = ['dns', 'explain', name, '--client', CLIENTS[from], '--server', node, '-o', 'json'];
  const said = await stage.b8sctl(words);
  if (said.exitCode !== 0) return said.stderr.trim();
  const { candidates } = JSON.parse(said.stdout) as Explained;
  const chosen = candidates.filter((one) => one.chosen).map((one) => one.node);
  const left = candidates.filter((one) => !one.chosen);
  const asExpected =
    chosen.toSorted().join(' ') === chooses.toSorted().join(' ') &&
    [...leaves].every(([who, why]) => left.some((one) => one.node === who && one.health === why));
  if (asExpected) return undefined;
  const why = left.map((one) => `${one.node} (${one.health}: ${one.reason})`).join(', ');
  return `${node} says that it chooses ${chosen.join(', ') || 'none'} and leaves ${why || 'none'}`;
}

/** `1`: that version of a site is what a node answers with, whole; else what it does instead. */
export async function servedBy(
  { cast, stage }: Scene,
  node: string,
  site: string,
): Promise<number | string> {
  const page = await stage.fetch(node, cast.hostOf(site), '/');
  if (page === undefined) return 'nothing';
  const release = cast.releaseOf(page.headers['b8s-release']);
  if (release === undefined) return page.status === 200 ? 'bytes of no release' : 'nothing';
  const index = release.files.get('index.html') ?? Buffer.alloc(0);
  const isWhole =
    release.site === site && page.status === 200 && Buffer.from(page.body).equals(index);
  return isWhole ? release.version : `status ${page.status} and wrong bytes of ${release.version}`;
}

/** What a nameserver answers: nodes for addresses, sorted; `silent`: nothing at all. */
export async function answersOf(
  { cast, stage }: Scene,
  node: string,
  { name, type, from }: { readonly name: string; readonly type: RecordType; readonly from: Client },
): Promise<readonly string[]> {
  const reply = await stage.ask(node, encodeQuestion({ name, type, client: CLIENTS[from] }));
  if (reply === undefined) return ['silent'];
  const nodes = new Map(
    cast
      .nodes(['absent', 'up', 'paused', 'down', 'removed'])
      .map((each) => [stage.addressOf(each), each]),
  );
  return decodeValues(reply)
    .map((value) => nodes.get(value) ?? value)
    .toSorted();
}

/** There is no such record, no such name, or no such zone. */
export function isNone(answers: readonly string[]): boolean {
  return answers.every((answer) => answer === 'NXDOMAIN' || answer === 'REFUSED');
}

async function objectAmiss(
  { stage }: Scene,
  expected: Extract<Expectation, { of: 'condition' | 'absence' }>,
): Promise<string | undefined> {
  const { kind, name } = expected;
  const objects = await stage.list(kind);
  if (objects === undefined) return 'no dom answers';
  const object = objects.find(({ metadata }) => metadata.name === name);
  if (expected.of === 'absence') return object && 'it is still there';
  if (object === undefined) return 'it is not there';
  const actual = condition(object, expected.type);
  if (actual === undefined) return `it says nothing of ${expected.type}`;
  const isCurrent = actual.observedGeneration === object.metadata.generation;
  const isAsExpected =
    actual.status === expected.status &&
    (expected.reason === undefined || expected.reason === actual.reason);
  if (isAsExpected && isCurrent) return undefined;
  const age = isCurrent ? '' : ' of an older generation';
  return `${expected.type} is ${actual.status}${age}, ${actual.reason}: ${actual.message}`;
}

async function commitAmiss(
  { cast, stage }: Scene,
  { repository, message, reason }: Extract<Expectation, { of: 'commit' }>,
): Promise<string | undefined> {
  const found = (await stage.list('Repository'))?.find(
    ({ metadata }) => metadata.name === repository,
  );
  if (found === undefined) return 'it is not there';
  const { attemptedCommit } = (found as Repository).status ?? {};
  const ready = condition(found, 'Ready');
  const told = `Ready is ${ready?.status}, ${ready?.reason}: ${ready?.message}`;
  if (attemptedCommit !== cast.commits().get(message)) return `it has not seen that; ${told}`;
  const isCurrent = ready?.observedGeneration === found.metadata.generation;
  return isCurrent && ready?.reason === reason ? undefined : told;
}

async function firstAmiss(
  nodes: readonly string[],
  look: (node: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  if (nodes.length === 0) return 'no such node runs';
  const found = await Promise.all(nodes.map(look));
  return found.find((each) => each !== undefined);
}
