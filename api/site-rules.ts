import type { Violation } from './kind.ts';
import { hostProblem, objectNameProblem } from './names.ts';
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

/** A path, or a prefix ending in `*`. */
function patternProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return `must begin with "/", e.g. /${path.replace(/^\.?\/*/, '')}`;
  if (path.slice(0, -1).includes('*')) return '"*" can only be the last character, e.g. /old/*';
  if (/[?#]/.test(path)) return 'must be a path alone, without "?" or "#"';
  return CONTROL.test(path) || path.includes(' ')
    ? 'has a space or control character; write %20'
    : undefined;
}

function redirectViolations(redirect: RedirectRule, index: number): readonly Violation[] {
  const steps = ['spec', 'redirects', index];
  const target = check([...steps, 'to'], redirect.to, (to) => targetProblem(to, redirect.from));
  return [...check([...steps, 'from'], redirect.from, patternProblem), ...target];
}

function targetProblem(to: string, from: string): string | undefined {
  if (CONTROL.test(to) || to.includes(' ')) return 'has a space or control character; write %20';
  if (!/^(?:\/(?!\/)|https?:\/\/[^/?#])/.test(to)) {
    return 'must be a path or an http(s) URL, e.g. /new or https://example.com/';
  }
  const stars = to.split('*').length - 1;
  if (stars > 1) return 'has more than one "*"';
  if (stars === 1 && !from.endsWith('*')) return 'has a "*", and "from" has none to fill it';
  return to === from ? 'leads to itself' : undefined;
}

function unreachableRedirects(redirects: readonly RedirectRule[]): readonly Violation[] {
  const first = new Map<string, number>();
  const violations: Violation[] = [];
  for (const [index, { from }] of redirects.entries()) {
    const earlier = first.get(from);
    if (earlier === undefined) first.set(from, index);
    else {
      const message = `is never reached: redirects[${earlier}] comes first; remove one of them`;
      violations.push(about(['spec', 'redirects', index, 'from'], from, message));
    }
  }
  return violations;
}
