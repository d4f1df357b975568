import { HOOKS_PATH, type Repository, type RepositoryStatus } from '../../api/repository.ts';
import { createSecrets } from '../../runtime/secret/secrets.ts';
import { qualifiedName } from '../../runtime/store/keys.ts';
import type { World } from '../../runtime/store/world.ts';
import type { Sealer } from '../../runtime/tls/authority.ts';

export interface WebhookPorts {
  readonly world: World;
  readonly sealer: Sealer;
  /** Of all doms, "host:port"; left out: nobody can be told where to call. */
  readonly hookAddresses?: readonly string[] | undefined;
}

/** What to tell of the webhook: where it is, when it was called, and what is missing. */
export function webhookStatus(
  ports: WebhookPorts,
  { metadata, spec }: Repository,
): RepositoryStatus['webhook'] {
  if (spec.webhook === undefined) return undefined;
  const path = `${HOOKS_PATH}${qualifiedName(metadata)}`;
  const lastCall = ports.world.record('repositoryHook', metadata.uid)?.value.time;
  const { namespace = '' } = metadata;
  const problem = problemOf(ports, qualifiedName({ namespace, name: spec.webhook.secretRef }));
  return {
    // Each dom knows them in another order, and another one may lead any time.
    urls: (ports.hookAddresses ?? []).toSorted().map((address) => `https://${address}${path}`),
    ...(lastCall !== undefined && { lastCall }),
    ...(problem !== undefined && { problem }),
  };
}

/** What the Git host was told last, and why it does not take more. */
export function commitStatus(
  world: World,
  { metadata, spec }: Repository,
): RepositoryStatus['commitStatus'] {
  if (spec.commitStatus === undefined) return undefined;
  const { told = [], trouble } = world.record('repositoryTold', metadata.uid)?.value ?? {};
  const last = told.findLast(({ how }) => how === 'told');
  return {
    ...(last && { commit: last.commit, state: last.state }),
    ...(trouble && {
      lastError: trouble.error,
      nextTry: new Date(trouble.nextMs).toISOString(),
    }),
  };
}

function problemOf(ports: WebhookPorts, secret: string): string | undefined {
  try {
    const found = createSecrets(ports).read(secret, 'secret');
    return found === undefined ? `Secret ${secret} is not there, or has no "secret"` : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
