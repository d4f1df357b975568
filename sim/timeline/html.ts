import { LINE_KINDS, type TraceLine } from '../engine/trace.ts';
import { type PageData, type PageStory, packLines } from './page-data.ts';

/** The page's own code and style, as `page.fixture.ts` makes them. */
export interface PageParts {
  readonly script: string;
  readonly style: string;
}

export interface HtmlRun {
  readonly story: PageStory;
  readonly lines: readonly TraceLine[];
}

/** Nothing is loaded, from nowhere, whatever a line may hold. */
const POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'";

/** One page that needs nothing else: it opens from a file, without a network. */
export function renderHtml({ story, lines }: HtmlRun, { script, style }: PageParts): string {
  const hosts = laneOrder([...new Set(lines.map(({ host }) => host))]);
  const kinds = LINE_KINDS;
  const data: PageData = { story, hosts, kinds, lines: packLines(lines, { hosts, kinds }) };
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(titleOf(story))}</title>
<style>${style.replaceAll('</style', '<\\/style')}</style>
<body>
<noscript>This timeline is drawn by a script.</noscript>
<script type="application/json" id="data">${jsonInHtml(data)}</script>
<script>${script.replaceAll('</script', '<\\/script')}</script>
</body>
</html>
`;
}

function titleOf({ title, failure }: PageStory): string {
  return failure === undefined ? `${title} holds` : `${title}: ${failure}`;
}

/** People to the left, then doms and the store, then the nodes; what happens to all comes last. */
export function laneOrder(hosts: readonly string[]): readonly string[] {
  const rank = (host: string): number => {
    if (host.startsWith('user-')) return 0;
    if (/^dom(-\d+)?$/.test(host)) return 1;
    return { store: 2, network: 4, world: 5 }[host] ?? 3;
  };
  const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return hosts.toSorted((a, b) => rank(a) - rank(b) || (rank(a) === 3 ? 0 : byName(a, b)));
}

/** JSON that can neither end the element it lies in, nor a line of a script. */
function jsonInHtml(data: PageData): string {
  return JSON.stringify(data)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
  return text.replaceAll(/[&<>]/g, (sign) => entities[sign] ?? sign);
}
