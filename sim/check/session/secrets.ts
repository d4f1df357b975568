import type { Node } from '../../../api/node.ts';
import { objectKey } from '../../../runtime/store/keys.ts';
import type { Check, CheckPorts, Secret, SentFrame } from '../check.ts';
import type { StoreHistory } from '../store-history.ts';
import { PlanFrames } from './plan-frames.ts';
import { SecretWords } from './secret-words.ts';

export interface NodeFiles {
  readonly node: string;
  readonly roles: readonly string[];
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export interface SecretsParts {
  readonly history: StoreHistory;
  /** What lies on the disks of nodes, and of doms, which have no roles. */
  readonly disks: () => readonly NodeFiles[];
}

/** A token is known only once it has been handed out: what was said before is looked at then. */
const REMEMBERED_MAX = 300;
/** Where a node keeps the plan with the keys that it needs. */
const PLAN_FILES: ReadonlySet<string> = new Set(['plan.bin', 'served.bin']);

/**
 * INV-33: private keys exist only sealed in the store and on the nodes bound to the site. No key of
 * a certificate, a zone or an account at a CA, no secret of cookies, no join token, no MAC key of an
 * account that exists elsewhere, no password of a Secret and not the sealing key stands in a
 * log line or elsewhere in the trace, in any value of the store (status, events and history are
 * such), or in a frame, other than in a plan for an edge with the certificate, or for a nameserver
 * with the zone or the cookies, that it belongs to. On disk edges have keys of certificates, and
 * nameservers those of zones and cookies, and only in the files of their plan.
 */
export function secretsCheck(
  { violated }: Pick<CheckPorts, 'violated'>,
  parts: SecretsParts,
): Check {
  const words = new SecretWords();
  const frames = new PlanFrames();
  const remembered: { readonly where: string; readonly text: string }[] = [];

  function look(where: string, text: string): void {
    remembered.push({ where, text });
    if (remembered.length > 2 * REMEMBERED_MAX) remembered.splice(0, REMEMBERED_MAX);
    const [found] = words.in(text);
    if (found !== undefined) violated(33, `${nameOf(found)} stands in ${where}`);
  }

  return {
    confided(secret) {
      words.add(secret);
      if (secret.kind !== 'token') return;
      const early = remembered.find(({ text }) => text.includes(secret.text));
      if (early !== undefined) violated(33, `${nameOf(secret)} stands in ${early.where}`);
    },
    traced(text) {
      look('the trace', text);
    },
    committed({ revision, transaction }) {
      for (const write of transaction.writes)
        if (write.kind === 'put') {
          const where = `${write.key} at revision ${revision}`;
          look(where, write.value);
          for (const [, sealed = ''] of write.value.matchAll(
            /"(?:nextS|s)ealedKey":"v1\.([^"]*)"/g,
          ))
            look(`${where}, unsealed`, Buffer.from(sealed, 'base64url').toString('latin1'));
        }
    },
    sent(frame) {
      const found = words.in(latin1(frame.bytes));
      if (found.length === 0) return;
      const due = keysDue(frame);
      const stray = found.find((each) => !due.has(textOf(each)));
      if (stray !== undefined)
        violated(33, `${nameOf(stray)} stands in a frame of ${frame.from} for ${frame.node}`);
    },
    rested() {
      for (const { node, roles, files } of parts.disks())
        for (const [path, bytes] of files) {
          const found = words
            .in(latin1(bytes))
            .find(({ kind }) => !PLAN_FILES.has(path) || !roles.includes(roleFor(kind)));
          if (found !== undefined) violated(33, `${nameOf(found)} stands in ${path} on ${node}`);
        }
    },
  };

  /** The keys that a node is to have by this frame: of the certificates, or the zones, in it. */
  function keysDue(frame: SentFrame): ReadonlySet<string> {
    const roles = rolesOf(frame);
    const keys = (frames.of(frame)?.upserts ?? []).flatMap(({ object }) => {
      if (object?.$case === 'certificate' && roles.includes('edge')) return [object.value.keyPem];
      if (object?.$case === 'zone' && roles.includes('nameserver'))
        return object.value.keys.map(({ privatePem }) => privatePem);
      if (object?.$case === 'dns' && roles.includes('nameserver'))
        return object.value.cookieSecrets.map((bytes) => textOf({ kind: 'cookie secret', bytes }));
      return [];
    });
    return new Set(keys);
  }

  /** By its uid: whether it may have a plan by now is for another check to see. */
  function rolesOf({ node, nodeUid }: SentFrame): readonly string[] {
    const { history } = parts;
    const key = objectKey({ kind: 'Node', name: node });
    const all = history.versions(key, { after: 0n, upTo: history.head });
    const nodes = all.flatMap(({ item }) =>
      item === undefined ? [] : [JSON.parse(item.value) as Node],
    );
    return nodes.find(({ metadata }) => metadata.uid === nodeUid)?.spec.roles ?? [];
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/** As `keysDue` has it: what two secrets are told apart by. */
function textOf(secret: Secret): string {
  if ('pem' in secret) return secret.pem;
  if ('text' in secret) return secret.text;
  return `${secret.kind} ${Buffer.from(secret.bytes).toString('hex')}`;
}

/** Never the secret itself: what is violated is printed. */
function nameOf(secret: Secret): string {
  switch (secret.kind) {
    case 'key':
      return `the key of ${secret.names.join(', ')}`;
    case 'zone key':
      return `a key of zone ${secret.zoneUid}`;
    case 'account key':
      return 'the key of an account at a CA';
    case 'token':
    case 'mac key':
    case 'password':
    case 'seal key':
    case 'cookie secret':
      return `a ${secret.kind}`;
  }
}

/** The only role that has use for a secret of a kind. */
function roleFor(kind: Secret['kind']): string {
  if (kind === 'zone key' || kind === 'cookie secret') return 'nameserver';
  return kind === 'key' ? 'edge' : 'none';
}
