import type { Clock } from '../../runtime/clock.ts';
import { RequestError } from '../../runtime/request-error.ts';
import type { Mirror } from '../../runtime/store/mirror.ts';
import type { Stored, UserCertificate, UserRecord } from '../../runtime/store/records.ts';
import type { RecordOperation, Writer } from '../../runtime/store/writer.ts';
import type {
  CertificateAuthority,
  Identity,
  IssuedCertificate,
} from '../../runtime/tls/authority.ts';
import { isRefused, withCertificate } from './user-record.ts';

const DAYS = 90;
const DAY_MS = 24 * 3600 * 1000;
/** No certificate of a user lives longer. */
export const USER_DAYS_MAX = 365;
/** How many users dom keeps account of. */
export const USERS_MAX = 1000;
/** …and unexpired certificates of one. */
export const USER_CERTIFICATES_MAX = 100;

export interface ListedUser extends UserRecord {
  readonly name: string;
}

/**
 * Persons and programs that call dom: what each was given, and what was taken back.
 *
 * Guarantees: once `revoke` has resolved, this dom answers no call with a certificate that the user
 * had before, and streams that go on have been told to end. Others do not lead, so they answer none.
 * Assumptions: only the leading dom asks; its mirror shows the records.
 * Errors: a `RequestError` whose message is meant for the caller.
 */
export interface Users {
  /** A certificate that says who its bearer is, with a new key that dom does not keep. */
  create(request: {
    readonly name: string;
    readonly role: string;
    /** At most USER_DAYS_MAX; 0: 90. */
    readonly days: number;
    readonly createdBy: string;
  }): Promise<IssuedCertificate>;
  /** With their unexpired certificates, sorted by name; those who have none and never lost one are left out. */
  list(): readonly ListedUser[];
  /** Takes back every certificate of the name. `unlisted`: also of a name that `list` does not know. */
  revoke(
    name: string,
    how: { readonly revokedBy: string; readonly unlisted: boolean },
  ): Promise<void>;
  /** Throws UNAUTHENTICATED for a certificate that was taken back. */
  check(identity: Identity | undefined): void;
  /** Calls back once, when that certificate is taken back. Returns what ends the subscription. */
  onRevoked(identity: Identity | undefined, tell: (error: RequestError) => void): () => void;
}

export function createUsers(ports: {
  readonly mirror: Pick<Mirror, 'record' | 'records' | 'subscribe' | 'reached'>;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly authority: Pick<CertificateAuthority, 'issueClient'>;
  /** Aborted when this dom no longer leads: its mirror shows nothing new then. */
  readonly lost: AbortSignal;
}): Users {
  const { mirror, writer, clock, authority, lost } = ports;

  function refusal(identity: Identity | undefined): RequestError | undefined {
    if (identity?.kind !== 'user') return undefined;
    const record = mirror.record('user', identity.name)?.value;
    return isRefused(record, identity.serial) ? revokedError(identity.name, record) : undefined;
  }

  /** Resolves when this dom goes by it. */
  async function write(name: string, next: UserRecord, before?: Stored<UserRecord>): Promise<void> {
    const change = { kind: 'record', record: 'user', id: name, value: next } as const;
    const operation = { ...change, modRevision: before?.modRevision ?? 0n };
    const gone = before === undefined ? forgotten(mirror, clock.nowMs()) : [];
    const author = { manager: 'users', user: 'dom' };
    const written = await writer.commit([operation, ...gone], author);
    if (written.outcome === 'conflict') throw changedMeanwhile(name);
    if (written.outcome === 'written') await mirror.reached(written.revision, lost);
  }

  return {
    async create({ name, role, days, createdBy }) {
      const problem = nameProblem(name);
      if (problem !== undefined) throw refused(problem);
      if (role !== 'viewer' && role !== 'admin')
        throw refused(`there is no role "${role}": viewer may only look, admin may do all`);
      if (days > USER_DAYS_MAX)
        throw refused(`${days} days are too long: at most ${USER_DAYS_MAX}`);
      const before = mirror.record('user', name);
      const nowMs = clock.nowMs();
      refuseTooMany(mirror, { name, before: before?.value, nowMs });
      const identity = { kind: 'user', name, role } as const;
      const lifetimeMs = (days === 0 ? DAYS : days) * DAY_MS;
      const issued = await authority.issueClient({ identity, lifetimeMs });
      const { serialNumber: serial, notAfterMs: expiresMs } = issued;
      const certificate = { serial, role, createdBy, createdMs: nowMs, expiresMs } as const;
      // Before the caller has it: what is not on the list could not be shown, nor told apart later.
      await write(name, withCertificate(before?.value, certificate), before);
      return issued;
    },

    list() {
      const nowMs = clock.nowMs();
      return mirror
        .records('user')
        .map(([name, { value }]) => ({
          ...value,
          name,
          certificates: unexpired(value, nowMs),
        }))
        .filter(({ certificates, revoked }) => certificates.length > 0 || revoked !== undefined);
    },

    async revoke(name, { revokedBy, unlisted }) {
      const problem = nameProblem(name);
      if (problem !== undefined) throw refused(problem);
      const before = mirror.record('user', name);
      if (before === undefined && !unlisted) throw unknownUser(name);
      const revoked = { atMs: clock.nowMs(), by: revokedBy };
      await write(name, { certificates: [], revoked }, before);
    },

    check(identity) {
      const error = refusal(identity);
      if (error !== undefined) throw error;
    },

    onRevoked(identity, tell) {
      const end = mirror.subscribe((changes) => {
        const isTheirs = changes.some(
          (change) => change.kind === 'record' && change.record === 'user',
        );
        const error = isTheirs ? refusal(identity) : undefined;
        if (error === undefined) return;
        end();
        tell(error);
      });
      return end;
    },
  };
}

/** How many of those that nobody needs one commit removes. */
const FORGET_BATCH = 20;

/** Records of names that have no certificate that could still be shown. */
function forgotten(mirror: Pick<Mirror, 'records'>, nowMs: number): readonly RecordOperation[] {
  return mirror
    .records('user')
    .filter(([, { value }]) => {
      const lastMs = (value.revoked?.atMs ?? -Infinity) + (USER_DAYS_MAX + 1) * DAY_MS;
      return unexpired(value, nowMs).length === 0 && lastMs < nowMs;
    })
    .slice(0, FORGET_BATCH)
    .map(([id, { modRevision }]) => {
      return { kind: 'record', record: 'user', id, value: undefined, modRevision } as const;
    });
}

function unexpired({ certificates }: UserRecord, nowMs: number): readonly UserCertificate[] {
  return certificates.filter(({ expiresMs }) => expiresMs > nowMs);
}

function refuseTooMany(
  mirror: Pick<Mirror, 'records'>,
  {
    name,
    before,
    nowMs,
  }: {
    readonly name: string;
    readonly before: UserRecord | undefined;
    readonly nowMs: number;
  },
): void {
  const message =
    before === undefined &&
    mirror.records('user').length - forgotten(mirror, nowMs).length >= USERS_MAX
      ? `there are ${USERS_MAX} users already`
      : before !== undefined && unexpired(before, nowMs).length >= USER_CERTIFICATES_MAX
        ? `${name} has ${USER_CERTIFICATES_MAX} certificates already: b8sctl user revoke ${name} takes all of them back`
        : undefined;
  if (message !== undefined) throw new RequestError('RESOURCE_EXHAUSTED', message);
}

function nameProblem(name: string): string | undefined {
  if (!/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/.test(name))
    return `"${name}" is no name: use 1 to 63 lower-case letters, digits, dots and dashes`;
  // History says "dom" of what nobody has asked for.
  return name === 'dom' ? '"dom" is dom itself: take another name' : undefined;
}

function refused(message: string): RequestError {
  return new RequestError('INVALID_ARGUMENT', message);
}

function revokedError(name: string, record: UserRecord | undefined): RequestError {
  const { atMs, by } = record?.revoked ?? { atMs: 0, by: '' };
  const when = new Date(atMs).toISOString();
  return new RequestError(
    'UNAUTHENTICATED',
    `what user ${name} was given before ${when} was revoked by ${by}: ask an administrator for a new config (b8sctl user create ${name})`,
  );
}

function unknownUser(name: string): RequestError {
  return new RequestError(
    'NOT_FOUND',
    `no user "${name}" is known: see b8sctl user list; with --force it is revoked all the same, for configs that an older dom has made`,
  );
}

function changedMeanwhile(name: string): RequestError {
  return new RequestError(
    'ABORTED',
    `user "${name}" has been changed meanwhile, or this dom lost the lead: try again`,
  );
}
