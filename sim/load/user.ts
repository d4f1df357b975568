import type { Term } from '../../dom/dom.ts';
import type { UploadBlobRequest } from '../../proto/gen/b8s/v1/api.ts';
import type { Identity } from '../../runtime/authority.ts';
import type { Clock } from '../../runtime/clock.ts';
import { describeError } from '../../runtime/control-loop.ts';
import { encodeFakeRequest, fakeKey } from '../../runtime/fake-authority.ts';
import { RequestError } from '../../runtime/request-error.ts';
import type { Invariants } from '../check/invariants.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Trace } from '../engine/trace.ts';
import type { Published } from './content.ts';

export interface UserPorts {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly invariants: Invariants;
  /** The term of the dom that runs now; rejects while there is none. */
  readonly term: () => Promise<Term>;
}

interface Declared {
  readonly kind: string;
  readonly metadata: object;
  readonly spec: object;
}

const ADMIN = { identity: { kind: 'user', name: 'admin', role: 'admin' } } as const;
const ATTEMPT_MS_MAX = 10_000;
const RETRY_MS = 500;

/** The person at the terminal: does what b8sctl would, and tries again when it fails. */
export class User {
  readonly #ports: UserPorts;

  constructor(ports: UserPorts) {
    this.#ports = ports;
  }

  /** Declares an object; resolves once dom has acknowledged it. */
  async apply(object: Declared): Promise<void> {
    const objectJson = JSON.stringify({ apiVersion: 'b8s.dev/v1', ...object });
    const request = { objectJson, manager: 'b8sctl', command: 'apply' };
    await this.#insist(`apply ${object.kind}`, ({ api }) =>
      api.apply({ ...request, forceConflicts: false, dryRun: false }, ADMIN),
    );
  }

  /** Resolves once dom has acknowledged that there is no such object. */
  async delete(reference: {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
  }): Promise<void> {
    await this.#insist(`delete ${reference.kind}`, async ({ api }) => {
      const request = { reference, uid: '', command: 'delete', dryRun: false };
      await api.delete(request, ADMIN).catch((error: unknown) => {
        // An earlier try whose answer was lost may have done it.
        if (!(error instanceof RequestError) || error.code !== 'NOT_FOUND') throw error;
      });
    });
  }

  /** Brings a release to dom: blobs, then the manifest, then the Release. */
  async publish(release: Published, site: string): Promise<void> {
    const { digest, blobs, files, sizeBytes } = release;
    this.#ports.invariants.published(release);
    for (const [blob, bytes] of blobs) {
      await this.#insist(`upload ${blob.slice(0, 19)}`, async ({ api }) => {
        const { digests } = await api.findMissingBlobs({ digests: [blob] }, ADMIN);
        if (digests.length > 0) await api.uploadBlob(once(uploadOf(blob, bytes)), ADMIN);
      });
    }
    const metadata = { name: digest, namespace: 'default' };
    await this.apply({ kind: 'Release', metadata, spec: { site, files: files.size, sizeBytes } });
  }

  /** Makes a machine a node, with as many tokens as it takes. */
  async join(node: string, spec: object): Promise<Extract<Identity, { kind: 'node' }>> {
    const { random } = this.#ports;
    const bound = { current: random.chance(0.5) ? node : '' };
    return this.#insist(`join ${node}`, async (term) => {
      const { token } = await term.api.createToken({ node: bound.current, ttlS: 0 }, ADMIN);
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
    this.#ports.invariants.tokenRedeemed(token);
    return answer.nodeUid;
  }

  /** Until it succeeds: a dom that crashed never answers. */
  async #insist<T>(what: string, attempt: (term: Term) => Promise<T>): Promise<T> {
    const { clock, trace, term } = this.#ports;
    for (;;) {
      const done = new AbortController();
      const late = clock.sleep(ATTEMPT_MS_MAX, done.signal).then(() => {
        throw new Error('no answer');
      });
      late.catch(() => undefined);
      try {
        const result = await Promise.race([term().then(attempt), late]);
        trace.add('user', `${what}: done`);
        return result;
      } catch (error) {
        trace.add('user', `${what}: ${describeError(error)}`);
        await clock.sleep(RETRY_MS);
      } finally {
        done.abort();
      }
    }
  }
}

async function* once<T>(item: T): AsyncGenerator<T> {
  yield item;
}

function uploadOf(digest: string, bytes: Uint8Array): UploadBlobRequest {
  return { digest, sizeBytes: BigInt(bytes.length), chunk: Buffer.from(bytes) };
}
