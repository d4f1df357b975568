import { suffixOfPreview } from '../../../api/previews.ts';
import { digestHex } from '../../../runtime/content/digest.ts';
import type { Published } from '../../load/content.ts';
import { fileOf } from '../../load/pages.ts';
import type { Check, CheckPorts } from '../check.ts';

/**
 * INV-27 for previews: a host that begins with the digits of a release is answered with bytes of
 * that release or with none of any, and search engines are told to leave it out, whatever it says.
 */
export function previewsCheck({
  violated,
  reached,
}: Pick<CheckPorts, 'violated' | 'reached'>): Check {
  /** By site and digits. */
  const published = new Map<string, Published>();
  return {
    published(site, release) {
      published.set(`${site} ${digestHex(release.digest).slice(0, DIGITS)}`, release);
    },
    previewed({ node, host, path, answer }) {
      const { status, headers, body } = answer;
      // No such site is here, or not any more.
      if (status === 421) return;
      if (headers.find(([name]) => name === 'x-robots-tag')?.[1] !== 'noindex')
        violated(27, `${node} answers ${status} for ${host}, which search engines may list`);
      if (status === 404) reached('preview ended');
      if (status !== 200) return;
      reached('preview answered');
      const site = suffixOfPreview(host)?.slice('--'.length).split('.')[0] ?? '';
      const expected = published.get(`${site} ${host.slice(0, DIGITS)}`)?.files.get(fileOf(path));
      const actual = typeof body === 'string' ? Buffer.from(body) : body;
      if (expected === undefined || !(actual instanceof Uint8Array) || !expected.equals(actual))
        violated(27, `${node} serves bytes of ${host}${path} that are of no such release`);
    },
  };
}

const DIGITS = 12;
