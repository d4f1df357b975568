import type { Resource } from '../../api/object.ts';
import type { Term } from '../../dom/dom.ts';
import type { UploadBlobRequest } from '../../proto/gen/b8s/v1/api.ts';
import type { Clock } from '../../runtime/clock.ts';
import { describeError } from '../../runtime/control/control-loop.ts';
import { RequestError } from '../../runtime/request-error.ts';
import type { Identity } from '../../runtime/tls/authority.ts';
import { encodeFakeRequest, fakeKey } from '../../runtime/tls/fake-authority.ts';
import type { Checks } from '../check/checks.ts';
import { type ApiAction, type ApiOperation, contains } from '../check/store/api-history.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Trace } from '../engine/trace.ts';
import type { Published } from './content.ts';
import { type LineKind, overLine } from './line.ts';

export interface UserPorts {
  readonly name: string;
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly checks: Checks;
  /** A dom that runs now. Its term rejects while it does not lead; throws while there is none. */
  readonly reach: () => { readonly host: string; readonly term: Promise<Term> };
  readonly line: LineKind;
}

export interface Declared {
  readonly kind: string;
  readonly metadata: {
    readonly namespace?: string;
    readonly name: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: object;
}

export interface Reference {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

const ADMIN = { identity: { kind: 'user', name: 'admin', role: 'admin' } } as const;
const ATTEMPT_MS_MAX = 10_000;
const RETRY_MS = 500;

/** A person at a terminal: does what b8sctl would, and tries again when it fails. */
export class User {
  readonly #ports: UserPorts;

  /** What happens on the way to dom is drawn from it; undefined: nothing does. */
  readonly #line: SeededRandom | undefined;

  constructor(ports: UserPorts) {
    this.#ports = ports;
    this.#line = ports.line === 'poor' ? ports.random.fork('line') : undefined;
  }

  /** Notes what came of something that was done without its help. */
  says(what: string): void {
    this.#ports.trace.add(this.#ports.name, what, { kind: 'user' });
  }

  /** Declares an object; resolves once dom has acknowledged it. */
  async apply(object: Declared): Promise<void> {
    await this.#insist(`apply ${object.kind}/${object.metadata.name}`, (term) =>
      this.#writing(referenceOf(object), object.spec, () => applyOnce(term, object)),
    );
  }

  /** Changes what somebody else declares, who may well put it back. */
  async meddle(object: Declared): Promise<void> {
    await this.#insist(`meddle with ${object.kind}/${object.metadata.name}`, (term) =>
      applyOnce(term, object, 'forced'),
    );
  }

  /** Deletes what somebody else declares, who may well make it again. */
  async remove({ kind, namespace = '', name }: Reference): Promise<void> {
    const reference = { kind, namespace, name };
    await this.#insist(`remove ${kind}/${name}`, async (term) => {
      const found = await getOnce(term, reference);
      if (found === undefined) return;
      const request = { reference, uid: found.metadata.uid, command: 'delete', dryRun: false };
      await term.api.delete(request, ADMIN).catch(unlessGone);
    });
  }

  /** Declares what dom must refuse, whole, by one of these codes (INV-38). */
  async applyInvalid(object: Declared, codes: readonly string[]): Promise<void> {
    const { checks } = this.#ports;
    await this.#insist(`apply the impossible ${object.kind}`, async (term) => {
      try {
        await applyOnce(term, object);
      } catch (error) {
        if (error instanceof RequestError && codes.includes(error.code)) return;
        throw error;
      }
      checks.violated(38, `${object.kind}/${object.metadata.name} is invalid and was accepted`);
    });
  }

  /** Resolves once dom has acknowledged that there is no such object. */
  async delete({ kind, namespace = '', name }: Reference): Promise<void> {
    const reference = { kind, namespace, name };
    // As b8sctl does it: by uid, so that a request that was given up on, and comes late, does not
    // take what was declared since.
    await this.#insist(`delete ${kind}/${name}`, async (term) => {
      const found = await getOnce(term, reference);
      if (found === undefined) return;
      const request = { reference, uid: found.metadata.uid, command: 'delete', dryRun: false };
      // That it is gone does not say that this is what took it: another one may be there by now.
      await this.#writing(reference, undefined, async () => {
        await term.api.delete(request, ADMIN);
      }).catch(unlessGone);
    });
  }

  /** What dom has of it now, by a read that must see all that was acknowledged before (INV-9). */
  async get({ kind, namespace = '', name }: Reference): Promise<Resource | undefined> {
    const reference = { kind, namespace, name };
    return this.#insist(`get ${kind}/${name}`, (term) =>
      this.#reading(reference, () => getOnce(term, reference)),
    );
  }

  /** Whether dom still says what this user, and nobody else, was told that it says (INV-8). */
  async look({ kind, metadata, spec }: Declared): Promise<void> {
    const found = await this.get({ kind, ...metadata });
    if (!contains(found?.spec, spec))
      this.#ports.checks.violated(
        8,
        `${kind}/${metadata.name} was acknowledged as ${JSON.stringify(spec)} and is ${JSON.stringify(found?.spec)}`,
      );
  }

  /**
   * Brings a release to dom: blobs, then the manifest, then the Release. Who does not get to the end
   * begins anew: by then dom may have cleared away what it had.
   */
  async publish(release: Published, site: string): Promise<void> {
    await this.#insist(`push ${release.digest.slice(0, 19)}`, async (term) => {
      for (const [blob, bytes] of release.blobs) await this.#bring(term, blob, bytes);
      await applyOnce(term, releaseObject(release, site));
    });
  }

  /** A push that ends before its last step: what dom lacks, and no Release. */
  async bring({ digest, blobs }: Published): Promise<void> {
    await this.#insist(`bring ${digest.slice(0, 19)}`, async (term) => {
      for (const [blob, bytes] of blobs) await this.#bring(term, blob, bytes);
    });
  }

  /** The last step alone. */
  async declare(release: Published, site: string): Promise<void> {
    await this.apply(releaseObject(release, site));
  }

  async #bring({ api }: Term, digest: string, bytes: Uint8Array): Promise<void> {
    const { clock, checks } = this.#ports;
    const sinceMs = clock.monotonicMs();
    const { digests } = await api.findMissingBlobs({ digests: [digest] }, ADMIN);
    if (digests.length > 0) await api.uploadBlob(once(uploadOf(digest, bytes)), ADMIN);
    checks.assured(digest, sinceMs);
  }

  /** Makes a machine a node, with as many tokens as it takes. */
  async join(node: string, spec: object): Promise<Extract<Identity, { kind: 'node' }>> {
    const { random } = this.#ports;
    const bound = { current: random.chance(0.5) ? node : '' };
    return this.#insist(`join ${node}`, async (term) => {
      const { token } = await term.api.createToken({ node: bound.current, ttlS: 0 }, ADMIN);
      this.#ports.checks.confided({ kind: 'token', text: token.slice(token.indexOf('.') + 1) });
      // An answer that is lost may have declared the Node: only a token for it will do then.
      bound.current = node;
      // Somebody looked over the shoulder: the same token, at the same time.
      const tries = random.chance(0.3) ? 2 : 1;
      const outcomes = await Promise.allSettled(
        Array.from({ length: tries }, () => this.#redeem(term, { token, node, spec })),
      );
      const uid = outcomes.find((each) => each.status === 'fulfilled')?.value;
      if (uid !== undefined) return { kind: 'node', name: node, uid };
      throw outcomes.find((each) => each.status === 'rejected')?.reason;
    });
  }

  async #redeem(
    { join }: Term,
    { token, node, spec }: { token: string; node: string; spec: object },
  ): Promise<string> {
    const { publicKey } = fakeKey(this.#ports.random);
    const csr = encodeFakeRequest({ publicKey, strength: 'strong', signedBy: publicKey });
    const answer = await join.join({
      ...{ token, node, csr: Buffer.from(csr) },
      ...{ specJson: JSON.stringify(spec), agentVersion: 'sim' },
    });
    this.#ports.checks.redeemed(token);
    return answer.nodeUid;
  }

  /** It may have happened even though no answer came. */
  async #writing(
    reference: Reference,
    spec: object | undefined,
    attempt: () => Promise<void>,
  ): Promise<void> {
    const { clock, checks } = this.#ports;
    const operation = this.#operation(reference, { kind: 'write', spec });
    if (isDeclaredByUsersAlone(reference)) checks.operated(operation);
    await attempt();
    operation.returnedAt = clock.monotonicMs();
  }

  async #reading(
    reference: Reference,
    attempt: () => Promise<Resource | undefined>,
  ): Promise<Resource | undefined> {
    const { clock, checks } = this.#ports;
    const calledAt = clock.monotonicMs();
    const found = await attempt();
    // What is being deleted counts as gone: how long cleaning up takes is for others to check.
    const spec =
      found?.metadata.deletionTimestamp === undefined ? (found?.spec as object) : undefined;
    const operation = this.#operation(reference, { kind: 'read', spec });
    const returnedAt = clock.monotonicMs();
    if (isDeclaredByUsersAlone(reference)) checks.operated({ ...operation, calledAt, returnedAt });
    return found;
  }

  #operation(
    { kind, namespace = '', name }: Reference,
    action: ApiAction,
  ): ApiOperation & { returnedAt: number } {
    const calledAt = this.#ports.clock.monotonicMs();
    const object = `${kind}/${namespace}/${name}`;
    return { object, user: this.#ports.name, action, calledAt, returnedAt: Infinity };
  }

  /** Until it succeeds: a dom that crashed never answers. */
  async #insist<T>(what: string, attempt: (term: Term) => Promise<T>): Promise<T> {
    const { name, clock, trace } = this.#ports;
    trace.add(name, what, { kind: 'user' });
    for (;;) {
      const done = new AbortController();
      const late = clock.sleep(ATTEMPT_MS_MAX, done.signal).then(() => {
        throw new Error('no answer');
      });
      late.catch(() => undefined);
      try {
        const result = await Promise.race([this.#ask(attempt), late]);
        trace.add(name, `${what}: done`, { kind: 'user' });
        return result;
      } catch (error) {
        trace.add(name, `${what}: ${describeError(error)}`, { kind: 'user' });
        await clock.sleep(RETRY_MS);
      } finally {
        done.abort();
      }
    }
  }

  async #ask<T>(attempt: (term: Term) => Promise<T>): Promise<T> {
    const { name, trace, reach, clock } = this.#ports;
    const random = this.#line;
    return overLine(random && { clock, random }, async () => {
      const { host, term } = reach();
      trace.learns(host, trace.known(name));
      try {
        return await term.then(attempt);
      } finally {
        trace.learns(name, trace.known(host));
      }
    });
  }
}

function releaseObject({ digest, files, sizeBytes }: Published, site: string): Declared {
  const metadata = { name: digest, namespace: 'default' };
  return { kind: 'Release', metadata, spec: { site, files: files.size, sizeBytes } };
}

function referenceOf({ kind, metadata }: Declared): Reference {
  const { namespace, name } = metadata;
  return { kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** Of the others, agents and controllers declare something, too. */
function isDeclaredByUsersAlone({ kind }: Reference): boolean {
  return kind === 'Site' || kind === 'Zone';
}

async function getOnce(
  { api }: Term,
  { kind, namespace = '', name }: Reference,
): Promise<Resource | undefined> {
  try {
    const reference = { kind, namespace, name };
    const { objectJson } = await api.get({ reference, revision: 0n }, ADMIN);
    return JSON.parse(objectJson) as Resource;
  } catch (error) {
    if (error instanceof RequestError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

/** An earlier try whose answer was lost may have done it; and what goes, goes. */
function unlessGone(error: unknown): void {
  if (!(error instanceof RequestError) || error.code !== 'NOT_FOUND') throw error;
}

async function applyOnce(
  { api }: Term,
  object: Declared,
  how: 'gently' | 'forced' = 'gently',
): Promise<void> {
  const objectJson = JSON.stringify({ apiVersion: 'b8s.dev/v1', ...object });
  const request = { objectJson, manager: 'b8sctl', command: 'apply' };
  await api.apply({ ...request, forceConflicts: how === 'forced', dryRun: false }, ADMIN);
}

async function* once<T>(item: T): AsyncGenerator<T> {
  yield item;
}

function uploadOf(digest: string, bytes: Uint8Array): UploadBlobRequest {
  const whole = { offsetBytes: 0n, rawBytes: 0 };
  return { digest, sizeBytes: BigInt(bytes.length), chunk: Buffer.from(bytes), ...whole };
}
