import { digestHex } from '../../../runtime/content/digest.ts';
import type { HttpAnswer } from '../../../runtime/http.ts';
import type { Published } from '../../load/content.ts';
import { MEMBERS_PAGE, MOVED_PATH, movedTo, VERSION_HEADER } from '../../load/pages.ts';
import type { Check, CheckPorts, HttpExchange } from '../check.ts';
import { siteOf } from '../past.ts';

/**
 * INV-27 for what elaborate releases have besides: headers, redirects and pages for members are those
 * of the release that the answer names, never of the one before or after it.
 */
export function releaseRulesCheck({
  violated,
  reached,
}: Pick<CheckPorts, 'violated' | 'reached'>): Check {
  /** By site and mark. */
  const published = new Map<string, Published>();

  function look({ node, host, path, answer }: HttpExchange): void {
    const mark = field(answer, 'b8s-release');
    if (mark === undefined) return;
    const release = published.get(`${siteOf(host)} ${mark}`);
    const rules = release?.rules;
    const version = field(answer, VERSION_HEADER);
    if (version !== (rules === undefined ? undefined : String(rules)))
      violated(27, `${node} answers for ${host}${path} of ${mark} with the rules of ${version}`);
    const page = release?.files.get(MEMBERS_PAGE.file);
    if (path === MEMBERS_PAGE.path && answer.status === 200 && !isSame(answer.body, page))
      violated(27, `${node} serves bytes of ${host}${path} that are not those of ${mark}`);
    const location = field(answer, 'location');
    if (path !== MOVED_PATH) return;
    const wanted = rules === undefined ? undefined : movedTo(rules);
    if (location !== wanted)
      violated(27, `${node} sends from ${host}${path} of ${mark} to ${location}, not ${wanted}`);
    if (location !== undefined) reached('redirected by its release');
  }

  return {
    published: (site, release) =>
      void published.set(`${site} ${digestHex(release.digest).slice(0, 12)}`, release),
    requested: look,
    knocked: look,
  };
}

function isSame(body: HttpAnswer['body'], page: Uint8Array | undefined): boolean {
  return page !== undefined && body instanceof Uint8Array && Buffer.from(page).equals(body);
}

function field({ headers }: HttpAnswer, name: string): string | undefined {
  return headers.find(([each]) => each === name)?.[1];
}
