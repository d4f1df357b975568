import { LABEL_BYTES_MAX, labelNameProblem } from '../../api/names.ts';
import type { Node } from '../../api/node.ts';
import { API_VERSION, type Resource } from '../../api/object.ts';
import { validateObject } from '../../api/validate.ts';
import type { JoinRequest, JoinResponse } from '../../proto/gen/b8s/v1/identity.ts';
import type { Log } from '../../runtime/log.ts';
import { type Random, uuid } from '../../runtime/random.ts';
import { RequestError } from '../../runtime/request-error.ts';
import { objectKey } from '../../runtime/store/keys.ts';
import { decodeObject } from '../../runtime/store/mirror.ts';
import { type Store, UncertainError } from '../../runtime/store/store.ts';
import type { Operation, Writer } from '../../runtime/store/writer.ts';
import type {
  CertificateAuthority,
  Identity,
  SignedCertificate,
} from '../../runtime/tls/authority.ts';
import type { Redemption, Tokens } from './tokens.ts';

/** A node that is away for longer has to join again. It renews long before. */
export const NODE_CERTIFICATE_LIFETIME_MS = 7 * 24 * 60 * 60 * 1000;
export const SPEC_BYTES_MAX = 64 * 1024;
/** Races for one token or one Node are rare, so losing this often means that something is wrong. */
const COMMIT_ATTEMPTS_MAX = 3;

export interface Join {
  /** Trades a token for a certificate; declares the Node when there is none of that name. */
  readonly join: (request: JoinRequest) => Promise<JoinResponse>;
  /** A new certificate for the node that shows its present one. */
  readonly renew: (identity: Identity | undefined, csr: Uint8Array) => Promise<SignedCertificate>;
}

export interface JoinPorts {
  readonly store: Store;
  readonly writer: Writer;
  readonly tokens: Tokens;
  readonly authority: CertificateAuthority;
  /** Where nodes reach the doms of this cluster, "host:port". */
  readonly addresses: readonly string[];
  readonly random: Random;
  readonly log: Log;
}

/**
 * Gives machines their identity.
 *
 * Expected flow: check the token, decide which Node it is for, sign, then commit the Node and the
 * end of the token as one; only after that the certificate leaves dom.
 *
 * Guarantees: a token buys at most one certificate (INV-35). A request that is refused costs no
 * token. After a crash or a lost answer the token may be spent without a certificate, never the
 * reverse: a token bound to the node lets it join again.
 * Errors: `RequestError` with a message for the person who joins the machine.
 */
export function createJoin(ports: JoinPorts): Join {
  const { store, writer, tokens, authority, log } = ports;

  async function readNode(name: string): Promise<Node | undefined> {
    const item = await store.get(objectKey({ kind: 'Node', name }));
    return item === undefined ? undefined : (decodeObject(item) as Node);
  }

  function sign(csr: Uint8Array, identity: Identity): Promise<SignedCertificate> {
    return authority.signRequest({ csr, identity, lifetimeMs: NODE_CERTIFICATE_LIFETIME_MS });
  }

  async function attempt(request: JoinRequest): Promise<JoinResponse | 'conflict'> {
    const redemption = await tokens.redeem(request.token, request.node);
    const node = await readNode(request.node);
    const { uid, operation } =
      node === undefined ? declare(request, ports) : rejoin(node, redemption);
    const { chainPem } = await sign(request.csr, { kind: 'node', name: request.node, uid });
    const author = { manager: 'join', user: `token:${redemption.id}` };
    const { outcome } = await commit([redemption.operation, operation], author);
    if (outcome === 'conflict') return 'conflict';
    const { node: name, agentVersion } = request;
    const how = node === undefined ? 'created' : 'joined again';
    log.info({ node: name, uid, agentVersion, token: redemption.id, how }, 'node joined');
    return { chainPem, caPem: authority.caPem, nodeUid: uid, addresses: ports.addresses };
  }

  async function commit(...args: Parameters<Writer['commit']>): ReturnType<Writer['commit']> {
    try {
      return await writer.commit(...args);
    } catch (cause) {
      if (!(cause instanceof UncertainError)) throw cause;
      throw new RequestError(
        'UNAVAILABLE',
        'The store did not say whether the node joined: try again, with a new token if this one is refused',
        { cause },
      );
    }
  }

  return {
    async join(request) {
      const problem = labelNameProblem(request.node);
      if (problem !== undefined) throw badName(request.node, problem);
      for (let attempts = 0; attempts < COMMIT_ATTEMPTS_MAX; attempts += 1) {
        const response = await attempt(request);
        if (response !== 'conflict') return response;
      }
      throw new RequestError(
        'ABORTED',
        'The node changed meanwhile, or this dom lost the lead: try again',
      );
    },

    async renew(identity, csr) {
      if (identity?.kind !== 'node') {
        throw new RequestError(
          'PERMISSION_DENIED',
          'Only a node can renew the certificate of a node',
        );
      }
      const node = await readNode(identity.name);
      if (node === undefined || node.metadata.uid !== identity.uid || isLeaving(node)) {
        throw new RequestError(
          'PERMISSION_DENIED',
          `Node "${identity.name}" (uid ${identity.uid}) was removed: join again with a new token`,
        );
      }
      return sign(csr, identity);
    },
  };
}

function badName(name: string, problem: string): RequestError {
  const shown = name.slice(0, LABEL_BYTES_MAX);
  return new RequestError('INVALID_ARGUMENT', `The name of the node, "${shown}", ${problem}`);
}

interface Membership {
  readonly uid: string;
  readonly operation: Operation;
}

/** The uid is chosen here, since the certificate names it before the Node is written. */
function declare({ node: name, specJson }: JoinRequest, { random }: JoinPorts): Membership {
  const spec = parseSpec(specJson);
  const checked = validateObject({
    apiVersion: API_VERSION,
    kind: 'Node',
    metadata: { name },
    spec,
  });
  if (checked.kind === 'invalid') {
    const { violations } = checked;
    const details = violations.map(({ path, message }) => `${path} ${message}`.trim()).join('; ');
    throw new RequestError('INVALID_ARGUMENT', `Node "${name}" is not valid: ${details}`, {
      violations,
    });
  }
  const uid = uuid(random);
  const object = { kind: 'Node', metadata: { name, uid }, spec: checked.object.spec } as const;
  return { uid, operation: { kind: 'create', object } };
}

/** What is declared wins: a machine that comes back changes nothing of its Node. */
function rejoin(node: Node, { node: bound }: Redemption): Membership {
  const { name, uid } = node.metadata;
  if (bound !== name) {
    throw new RequestError(
      'ALREADY_EXISTS',
      `Node "${name}" exists: to join it again, use a token made with "b8sctl node token create --node ${name}"`,
    );
  }
  if (isLeaving(node)) {
    throw new RequestError(
      'FAILED_PRECONDITION',
      `Node "${name}" is being deleted: wait until it is gone`,
    );
  }
  return { uid, operation: { kind: 'expect', base: node } };
}

function isLeaving({ metadata }: Resource): boolean {
  return metadata.deletionTimestamp !== undefined;
}

function parseSpec(specJson: string): unknown {
  if (specJson === '') return {};
  if (Buffer.byteLength(specJson) > SPEC_BYTES_MAX) {
    throw new RequestError(
      'INVALID_ARGUMENT',
      `The node's spec is over ${SPEC_BYTES_MAX} bytes long`,
    );
  }
  try {
    return JSON.parse(specJson);
  } catch (cause) {
    throw new RequestError('INVALID_ARGUMENT', "The node's spec is not JSON", { cause });
  }
}
