import type { Violation } from './kind.ts';
import { hostProblem, objectNameProblem } from './names.ts';
import { patternProblem, targetProblem } from './path-pattern.ts';
import { previewsViolations } from './previews.ts';
import { routingViolations } from './routing-rules.ts';
import { about, aboutField, check, checkEach } from './rules.ts';
import type { HeaderRule, RedirectRule, Site, SiteSpec } from './site.ts';
import { rolloutViolations } from './site-rollout.ts';
import { servingViolations } from './site-serving.ts';

/** What the schema cannot say of a site. */
export function siteRules(site: Site): readonly Violation[] {
  const { spec } = site;
  return [
    ...checkEach(['spec', 'hosts'], spec.hosts, hostProblem),
    ...contentViolations(spec.content),
    ...check(['spec', 'tls', 'issuer'], spec.tls.issuer, objectNameProblem),
    ...routingViolations(spec.routing),
    ...check(['spec', 'notFoundPage'], spec.notFoundPage, pageProblem),
    ...spec.headers.flatMap(headerViolations),
    ...spec.redirects.flatMap((redirect, index) => redirectViolations(redirect, index)),
    ...unreachableRedirects(spec.redirects),
    ...rolloutViolations(spec.rollout),
    ...servingViolations(spec),
    ...previewsViolations(site.metadata.name, spec.previews),
  ];
}

function contentViolations(content: SiteSpec['content']): readonly Violation[] {
  const sources = (['release', 'path', 'archive'] as const).filter(
    (source) => content?.[source] !== undefined,
  );
  if (sources.length < 2) return [];
  const message = `names ${sources.join(' and ')}; keep one of them`;
  return [aboutField(['spec', 'content'], message)];
}

function pageProblem(page: string): string | undefined {
  if (page.startsWith('/'))
    return `must be relative to the content, e.g. ${page.slice(1) || '404.html'}`;
  if (page.split('/').includes('..')) return 'must stay inside the content, without ".."';
  return CONTROL.test(page) ? 'has a control character' : undefined;
}

/** A field name (RFC 9110 §5.1). */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const CONTROL = /[\u0000-\u001f\u007f]/;

/** Headers that frame the message or belong to the connection: the edge alone sets them. */
const RESERVED_HEADERS: readonly string[] = [
  'connection',
  'content-length',
  'content-range',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

function headerViolations(header: HeaderRule, index: number): readonly Violation[] {
  const steps = ['spec', 'headers', index];
  return [
    ...check([...steps, 'path'], header.path, patternProblem),
    ...check([...steps, 'name'], header.name, headerNameProblem),
    ...check([...steps, 'value'], header.value, headerValueProblem),
  ];
}

function headerNameProblem(name: string): string | undefined {
  if (!TOKEN.test(name))
    return 'must be the name of a header, e.g. Cache-Control, without spaces or ":"';
  if (RESERVED_HEADERS.includes(name.toLowerCase()))
    return 'is set by the edge itself; remove the rule';
  return undefined;
}

function headerValueProblem(value: string): string | undefined {
  if (/[\r\n]/.test(value)) return 'must be one line (in YAML: ">-" folds lines into one)';
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(value)) return 'has a control character';
  return /[^\u0000-\u00ff]/.test(value) ? 'has a character that no header can carry' : undefined;
}

function redirectViolations(redirect: RedirectRule, index: number): readonly Violation[] {
  const steps = ['spec', 'redirects', index];
  const target = check([...steps, 'to'], redirect.to, (to) => toProblem(to, redirect));
  return [...check([...steps, 'from'], redirect.from, patternProblem), ...target];
}

function toProblem(to: string, { from, status }: RedirectRule): string | undefined {
  const problem = targetProblem(to);
  if (problem !== undefined) return problem;
  const stars = to.split('*').length - 1;
  if (stars > 1) return 'has more than one "*"';
  if (stars === 1 && !from.includes('*')) return 'has a "*", and "from" has none to fill it';
  if ((status === 200 || status === 404) && !to.startsWith('/'))
    return `must be a path for status ${status}: other sites are not fetched`;
  return to === from ? 'leads to itself' : undefined;
}

function unreachableRedirects(redirects: readonly RedirectRule[]): readonly Violation[] {
  const first = new Map<string, number>();
  const violations: Violation[] = [];
  for (const [index, { from, status, force = false }] of redirects.entries()) {
    const earlier = first.get(from);
    // One that gives way to files leaves them to others.
    const givesWay = (status === 200 || status === 404) && !force;
    if (earlier === undefined && givesWay) continue;
    if (earlier === undefined) first.set(from, index);
    else {
      const message = `is never reached: redirects[${earlier}] comes first; remove one of them`;
      violations.push(about(['spec', 'redirects', index, 'from'], from, message));
    }
  }
  return violations;
}
