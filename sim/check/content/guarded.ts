import type { Site } from '../../../api/site.ts';
import { isFakeHashOf } from '../../../runtime/secret/fake-password-hasher.ts';
import { objectKey, qualifiedName, recordKey } from '../../../runtime/store/keys.ts';
import type { AccessRecord } from '../../../runtime/store/records.ts';
import type { Revision } from '../../../runtime/store/store.ts';
import type { Credentials } from '../../load/members.ts';
import { MEMBERS_PAGE } from '../../load/pages.ts';
import { NAMESPACE } from '../../load/wish.ts';
import type { Check, CheckPorts, MemberExchange } from '../check.ts';
import { siteOf } from '../past.ts';
import { readOnce } from '../read-once.ts';
import type { StoreHistory } from '../store-history.ts';

/**
 * INV-46: what a Site guards is answered with only to who has a password of it, and refused to nobody
 * who has, by what the store said at the revision of the node's plan, or at any since. Until the
 * passwords are hashed it is closed. (That each change of them arrives is looked at when all is as
 * wished.)
 */
export function guardedCheck(
  { violated, reached }: Pick<CheckPorts, 'violated' | 'reached'>,
  history: StoreHistory,
): Check {
  /** By node: the revision of the plan that it serves. */
  const applied = new Map<string, Revision>();
  return {
    moved({ node, which, position }) {
      if (which === 'applied') applied.set(node, position.revision);
    },
    installed: (node) => void applied.delete(node),
    knocked(exchange) {
      const { node, host, path, answer, credentials } = exchange;
      const since = applied.get(node);
      if (path !== MEMBERS_PAGE.path || since === undefined) return;
      const verdicts = verdictsSince(history, exchange, since);
      const who = credentials === undefined ? 'nobody in particular' : credentials.user;
      const said = `${node} answers ${answer.status} for ${host}${path}, asked by ${who}`;
      if (answer.status === 200) {
        if (!verdicts.has('open') && !verdicts.has('let in'))
          violated(46, `${said}: it is guarded`);
        if (verdicts.has('let in') && !verdicts.has('open')) reached('let in by a password');
      } else if (answer.status === 401) {
        if (!verdicts.has('refused')) violated(46, `${said}: nothing is to be asked`);
        reached(credentials === undefined ? 'asked for a password' : 'wrong password refused');
      } else if (verdicts.has('closed')) reached('closed until there are passwords');
    },
  };
}

type Verdict = 'open' | 'let in' | 'refused' | 'closed' | 'no site';

/** What is right by the store at that revision, and after each change since. */
function verdictsSince(
  history: StoreHistory,
  { host, credentials }: Pick<MemberExchange, 'host' | 'credentials'>,
  since: Revision,
): ReadonlySet<Verdict> {
  const site = { namespace: NAMESPACE, name: siteOf(host) };
  const keys = [
    objectKey({ kind: 'Site', ...site }),
    recordKey('access', qualifiedName(site)),
  ] as const;
  const changed = keys.flatMap((key) =>
    history
      .versions(key, { after: since, upTo: history.head })
      .map(({ modRevision }) => modRevision),
  );
  return new Set([since, ...changed].map((at) => verdictAt(history, keys, { at, credentials })));
}

function verdictAt(
  history: StoreHistory,
  [siteKey, accessKey]: readonly [string, string],
  { at, credentials }: { readonly at: Revision; readonly credentials: Credentials | undefined },
): Verdict {
  const item = history.get(siteKey, at);
  if (item === undefined) return 'no site';
  const { metadata, spec } = readOnce<Site>(item);
  if (spec.auth === undefined) return 'open';
  const stored = history.get(accessKey, at);
  const access = stored && readOnce<AccessRecord>(stored);
  const isOwn = access?.siteUid === metadata.uid && access.secret === spec.auth.secret;
  if (!isOwn || access.users.length === 0) return 'closed';
  const user = access.users.find(({ name }) => name === credentials?.user);
  const isRight = user !== undefined && isFakeHashOf(credentials?.password ?? '', user.hash);
  return isRight ? 'let in' : 'refused';
}
