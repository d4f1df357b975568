import { objectNameProblem } from '../../api/names.ts';
import type { Clock } from '../../runtime/clock.ts';
import { TRANSFER_KEY_ALGORITHMS, transferKeyContext } from '../../runtime/dns/transfer-key.ts';
import type { Random } from '../../runtime/random.ts';
import { RequestError } from '../../runtime/request-error.ts';
import { recordKey } from '../../runtime/store/keys.ts';
import { listAll } from '../../runtime/store/mirror.ts';
import type { TransferKeyRecord } from '../../runtime/store/records.ts';
import type { KeyValue, Store } from '../../runtime/store/store.ts';
import type { World } from '../../runtime/store/world.ts';
import type { Author, Writer } from '../../runtime/store/writer.ts';
import type { Sealer } from '../../runtime/tls/authority.ts';

/** How many there may be. */
export const TRANSFER_KEYS_MAX = 1000;
/** RFC 8945 §8: as long as the digest of the shortest algorithm. */
const SECRET_BYTES = 32;
/** A shorter one can be guessed (RFC 8945 §8: at least the length of the hash is recommended). */
const SECRET_BYTES_MIN = 16;
const SECRET_BYTES_MAX = 512;

/** One key as it may be shown: never with its secret. */
export interface ListedTransferKey {
  readonly name: string;
  readonly algorithm: string;
  readonly createdBy: string;
  readonly createdMs: number;
}

/**
 * The secrets that secondaries share (TSIG). Sealed in the store, opened only for the plans of
 * nameservers; nobody can read one back.
 *
 * Errors: a `RequestError` whose message is meant for the caller.
 */
export interface TransferKeys {
  /** Returns the secret that was made; empty if it was given. */
  create(request: {
    readonly name: string;
    /** Empty: hmac-sha256. */
    readonly algorithm: string;
    /** Empty: one is made. */
    readonly secret: Uint8Array;
    readonly createdBy: string;
  }): Promise<Uint8Array>;
  /** Sorted by name. */
  list(): Promise<readonly ListedTransferKey[]>;
  /** Refused while a Zone names it. */
  delete(name: string, deletedBy: string): Promise<void>;
}

export function createTransferKeys(ports: {
  readonly store: Store;
  readonly world: Pick<World, 'list'>;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly random: Random;
  readonly sealer: Sealer;
}): TransferKeys {
  const { store, world, writer, clock, random, sealer } = ports;

  async function readAll(): Promise<readonly { name: string; record: TransferKeyRecord }[]> {
    const prefix = recordKey('transferKey', '');
    const { items } = await listAll(store, prefix);
    return items.map((item) => ({ name: item.key.slice(prefix.length), record: recordOf(item) }));
  }

  return {
    async create({ name, algorithm, secret, createdBy }) {
      const chosen = algorithm === '' ? TRANSFER_KEY_ALGORITHMS[0] : algorithm;
      refuseMalformed(name, chosen, secret);
      const all = await readAll();
      if (all.some((each) => each.name === name)) throw taken(name);
      if (all.length >= TRANSFER_KEYS_MAX) throw tooMany();
      const made = secret.length === 0 ? random.bytes(SECRET_BYTES) : new Uint8Array();
      const whole = Buffer.from(secret.length === 0 ? made : secret).toString('base64');
      const value: TransferKeyRecord = {
        algorithm: chosen,
        sealedKey: sealer.seal(whole, transferKeyContext(name)),
        createdBy,
        createdMs: clock.nowMs(),
      };
      const { outcome } = await writer.commit(
        [{ kind: 'record', record: 'transferKey', id: name, value, modRevision: 0n }],
        authorOf(createdBy),
      );
      if (outcome === 'conflict') throw taken(name);
      return made;
    },

    async list() {
      return (await readAll()).map(({ name, record: { algorithm, createdBy, createdMs } }) => {
        return { name, algorithm, createdBy, createdMs };
      });
    },

    async delete(name, deletedBy) {
      const users = world
        .list('Zone')
        .filter(({ spec }) => spec.secondaries?.some(({ key }) => key === name) === true)
        .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
      if (users.length > 0) {
        const message = `transfer key "${name}" is used by ${users.join(', ')}: take it out of spec.secondaries first`;
        throw new RequestError('FAILED_PRECONDITION', message);
      }
      const item = await store.get(recordKey('transferKey', name));
      if (item === undefined) throw new RequestError('NOT_FOUND', `no transfer key "${name}"`);
      const gone = { kind: 'record', record: 'transferKey', id: name, value: undefined } as const;
      const operation = { ...gone, modRevision: item.modRevision };
      const { outcome } = await writer.commit([operation], authorOf(deletedBy));
      if (outcome === 'conflict') throw changedMeanwhile(name);
    },
  };
}

function refuseMalformed(name: string, algorithm: string, secret: Uint8Array): void {
  const problem =
    nameProblem(name) ??
    (TRANSFER_KEY_ALGORITHMS.some((each) => each === algorithm)
      ? undefined
      : `algorithm "${algorithm}" must be one of ${TRANSFER_KEY_ALGORITHMS.join(', ')}`) ??
    (secret.length === 0 || (secret.length >= SECRET_BYTES_MIN && secret.length <= SECRET_BYTES_MAX)
      ? undefined
      : `the secret has ${secret.length} bytes; ${SECRET_BYTES_MIN} to ${SECRET_BYTES_MAX} are needed`);
  if (problem !== undefined) throw new RequestError('INVALID_ARGUMENT', problem);
}

function nameProblem(name: string): string | undefined {
  const problem = objectNameProblem(name);
  return problem === undefined ? undefined : `the name "${name}" ${problem}`;
}

function recordOf(item: KeyValue): TransferKeyRecord {
  return JSON.parse(item.value) as TransferKeyRecord;
}

function authorOf(user: string): Author {
  return { manager: 'transfer-keys', user };
}

function taken(name: string): RequestError {
  return new RequestError(
    'ALREADY_EXISTS',
    `there is a transfer key "${name}" already: to change a secret, make a key of another name, let the Zone name both for a while, and delete the old one`,
  );
}

function tooMany(): RequestError {
  return new RequestError(
    'FAILED_PRECONDITION',
    `there are ${TRANSFER_KEYS_MAX} transfer keys already: delete some that no Zone uses`,
  );
}

function changedMeanwhile(name: string): RequestError {
  return new RequestError(
    'ABORTED',
    `transfer key "${name}" has been changed meanwhile: try again`,
  );
}
