import { parseDurationMs } from '../../api/duration.ts';
import type { SiteSpec } from '../../api/site.ts';
import type { AccessLogPlan, HstsPlan, ServingOptions } from '../../proto/gen/b8s/v1/plan.ts';

/** How a Site is served beyond its rules; what it does not say is as the defaults of its kind are. */
export function servingOptions(spec: SiteSpec): ServingOptions {
  return {
    canonicalHost: spec.canonicalHost ?? false,
    hideHtml: spec.urls?.html === 'hide',
    trailingSlash: spec.urls?.trailingSlash ?? 'auto',
    immutableAssets: spec.caching !== 'revalidate',
    hsts: hstsPlan(spec.hsts),
    securityHeaders: spec.securityHeaders ?? 'none',
    mimeTypes: spec.mimeTypes ?? {},
    accessLog: accessLogPlan(spec.accessLog),
  };
}

function accessLogPlan(accessLog: SiteSpec['accessLog']): AccessLogPlan | undefined {
  if (accessLog === undefined || accessLog.format === 'none') return undefined;
  const { format, percent, clientAddress } = accessLog;
  return { format, percent, clientAddress };
}

function hstsPlan(hsts: SiteSpec['hsts']): HstsPlan | undefined {
  if (hsts === undefined) return undefined;
  const { maxAge, includeSubdomains, preload } = hsts;
  const maxAgeS = BigInt(Math.floor((parseDurationMs(maxAge) ?? 0) / 1000));
  return { maxAgeS, includeSubdomains, preload };
}
