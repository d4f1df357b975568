import { previewHost } from '../../api/previews.ts';
import type { Release } from '../../api/release.ts';
import type { Site } from '../../api/site.ts';
import type { Api, ObjectReference } from '../../runtime/api-client.ts';
import { type Cli, CommandError } from '../cli.ts';
import { fetchObject } from '../objects/objects.ts';
import { waitFor } from '../objects/watching.ts';
import { quotedName } from '../render/output.ts';

/** The address of a release of its own; undefined: the Site asks for none. */
export function previewUrl(site: Site, release: string): string | undefined {
  const { previews } = site.spec;
  if (previews === undefined) return undefined;
  return `https://${previewHost(site.metadata.name, release, previews)}/`;
}

/** Throws a CommandError with the mend where a Site has no previews. */
export function assertPreviews(site: Site): void {
  if (site.spec.previews !== undefined) return;
  const mend = 'declare spec.previews.domain, e.g. preview.example.com';
  throw new CommandError(`error: site "${site.metadata.name}" has no previews: ${mend}`);
}

/**
 * Throws a CommandError where a release that nothing switches to is not the Site's: the same
 * content was published for another one, and a Release is only there once.
 */
export async function assertOwnRelease(api: Api, site: Site, release: string): Promise<void> {
  const { namespace = '', name, uid } = site.metadata;
  const { metadata, spec } = (await fetchObject(api, {
    ...{ kind: 'Release', namespace, name: release },
  })) as Release;
  const owners = metadata.ownerReferences ?? [];
  if (owners.some((owner) => owner.uid === uid) || spec.site === name) return;
  const mend = `see b8sctl describe site ${spec.site}, or push it without --preview`;
  throw new CommandError(
    `error: this content is published for site "${spec.site}" already, and has its preview there: ${mend}`,
  );
}

/** Until every connected node answers at the address of that release. */
export async function waitForPreview(
  api: Api,
  reference: ObjectReference,
  { release, timeoutMs }: { readonly release: string; readonly timeoutMs: number },
  cli: Cli,
): Promise<void> {
  let why = 'dom has not looked at it yet';
  const waited = await waitFor(
    api,
    reference,
    (object) => {
      const { previews = [], conditions = [] } = (object as Site | undefined)?.status ?? {};
      const own = previews.find((each) => each.release === release);
      why =
        own === undefined
          ? 'it is not among the newest releases, see spec.previews.keep'
          : (conditions.find(({ type }) => type === 'PreviewsReady')?.message ?? why);
      return own !== undefined && own.total > 0 && own.ready === own.total;
    },
    { ...cli, timeoutMs },
  );
  if (waited.kind === 'done') return;
  const name = quotedName('Site', reference.name);
  throw new CommandError(`error: timed out waiting for the preview of ${name}: ${why}`);
}
