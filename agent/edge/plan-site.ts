import type { AccessLogPlan, ServingOptions, SitePlan } from '../../proto/gen/b8s/v1/plan.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import type { EdgeAccessLog, EdgeOptionsOfSite, EdgeSite, EdgeVariants } from './snapshot.ts';

/** What a node has decided on for a site of the plan. */
export interface ChosenParts {
  readonly release: Digest | undefined;
  /** Fingerprint. */
  readonly certificate: string | undefined;
  /** Compressed forms that are here. */
  readonly variants: readonly EdgeVariants[];
  /** Releases of previews that are here, by host. */
  readonly previews: ReadonlyMap<string, Digest>;
  /** Fingerprint of the one for previews. */
  readonly previewCertificate: string | undefined;
}

/** A site of the plan as an edge worker is told of it. A word from a newer dom means the default. */
export function planSite(site: SitePlan, parts: ChosenParts): EdgeSite {
  const { release, certificate, variants, previews, previewCertificate } = parts;
  const { uid, namespace, name, hosts, notFoundPage, singlePageApp, headers, redirects } = site;
  return {
    ...{ uid, namespace, name, hosts, notFoundPage, singlePageApp, headers, redirects },
    ...(release !== undefined && { release }),
    ...(certificate !== undefined && { certificate }),
    // The date is that of the release that dom names; one served until that is here has another.
    ...(site.switchedAtMs > 0n &&
      release === site.serving && { switchedAtS: Number(site.switchedAtMs / 1000n) }),
    ...(site.options !== undefined && { options: optionsOf(site.options) }),
    ...(site.previews.length > 0 && {
      previews: site.previews.map(({ host }) => {
        const shown = previews.get(host);
        return shown === undefined ? { host } : { host, release: shown };
      }),
    }),
    ...(previewCertificate !== undefined && { previewCertificate }),
    ...(variants.length > 0 && { variants }),
    ...(site.auth !== undefined && {
      auth: {
        realm: site.auth.realm,
        paths: site.auth.paths,
        hashByUser: new Map(site.auth.users.map((user) => [user.name, user.hash])),
      },
    }),
  };
}

function optionsOf(options: ServingOptions): EdgeOptionsOfSite {
  const { hsts } = options;
  const accessLog = options.accessLog && accessLogOf(options.accessLog);
  return {
    canonicalHost: options.canonicalHost,
    hideHtml: options.hideHtml,
    trailingSlash: oneOf(options.trailingSlash, ['auto', 'always', 'never']),
    immutableAssets: options.immutableAssets,
    ...(hsts !== undefined && { hsts: { ...hsts, maxAgeS: Number(hsts.maxAgeS) } }),
    securityHeaders: oneOf(options.securityHeaders, ['none', 'basic', 'strict']),
    mimeTypes: new Map(Object.entries(options.mimeTypes)),
    ...(accessLog !== undefined && { accessLog }),
  };
}

/** Undefined: nothing is noted, as in a way that is not known. */
function accessLogOf(plan: AccessLogPlan): EdgeAccessLog | undefined {
  const format = oneOf(plan.format, ['none', 'json', 'combined']);
  if (format === 'none') return undefined;
  const clientAddress = oneOf(plan.clientAddress, ['none', 'network', 'full']);
  const percent = Math.min(100, Math.max(0, plan.percent));
  return { format, percent: Number.isNaN(percent) ? 0 : percent, clientAddress };
}

/** The first word is the default. */
function oneOf<const Words extends readonly [string, ...string[]]>(
  word: string,
  words: Words,
): Words[number] {
  return words.find((each) => each === word) ?? words[0];
}
