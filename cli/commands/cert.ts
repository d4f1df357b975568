import { type Command, Option } from 'commander';
import { type Certificate, certificateKind } from '../../api/certificate.ts';
import type { Resource } from '../../api/object.ts';
import { RENEW_REQUESTED, REVOKE_REQUESTED } from '../../api/requests.ts';
import { REVOCATION_REASONS } from '../../runtime/acme/acme.ts';
import { type Cli, CommandError } from '../cli.ts';
import { fetchObject, forEachOrFail, modify } from '../objects/objects.ts';
import { referenceOf } from '../objects/targets.ts';
import { qualifiedName } from '../render/output.ts';
import { describe } from './describe.ts';

/** `cert describe NAME...`, `cert renew NAME...`, `cert revoke NAME` */
export function registerCert(command: Command, cli: Cli): void {
  command
    .command('describe')
    .description('Show all about certificates, with every order that was tried for them.')
    .argument('<names...>', 'certificates by name; a site has one of its own name')
    .addHelpText('after', '\nExample:\n  b8sctl cert describe blog')
    .action(async (names: readonly string[]) => {
      await describe(['certificate', ...names.map(bareName)], {}, cli);
    });
  command
    .command('renew')
    .description('Have certificates issued anew now, whatever their age.')
    .argument('<names...>', 'certificates by name; a site has one of its own name')
    .addHelpText('after', RENEW_EXAMPLES)
    .action(async (names: readonly string[]) => {
      await renew(names, cli);
    });
  command
    .command('revoke')
    .description('Tell the CA that the certificate in use must not be trusted, and replace it.')
    .argument('<name>', 'a certificate by name')
    .addOption(
      new Option('--reason <reason>', 'why')
        .choices(Object.keys(REVOCATION_REASONS))
        .default('unspecified'),
    )
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', REVOKE_EXAMPLES)
    .action(async (name: string, options: { readonly reason: string; readonly yes?: true }) => {
      await revoke(name, options, cli);
    });
}

const RENEW_EXAMPLES = `
The certificate in use goes on being served until every node has the new one.

Examples:
  b8sctl cert renew blog
  b8sctl cert renew blog && b8sctl wait certificate/blog --for=condition=Ready`;

const REVOKE_EXAMPLES = `
With keyCompromise the CA is told at once; else when every node serves the replacement. With
cessationOfOperation there is no replacement. What is revoked cannot be taken back.

Examples:
  b8sctl cert revoke blog --reason keyCompromise`;

async function renew(names: readonly string[], cli: Cli): Promise<void> {
  const api = await cli.api();
  const namespace = await cli.namespace();
  const requested = new Date(cli.clock.nowMs()).toISOString();
  await forEachOrFail(cli, names, async (word) => {
    const { object } = await modify(api, certificateReference(word, namespace), (certificate) => {
      refuseBrought(certificate as Certificate);
      return annotated(certificate, RENEW_REQUESTED, requested);
    });
    cli.terminal.out(`${qualifiedName(object)} is renewed\n`);
  });
}

async function revoke(
  word: string,
  { reason, yes }: { readonly reason: string; readonly yes?: true },
  cli: Cli,
): Promise<void> {
  const api = await cli.api();
  const reference = certificateReference(word, await cli.namespace());
  const certificate = (await fetchObject(api, reference)) as Certificate;
  refuseBrought(certificate);
  const { status, spec } = certificate;
  const fingerprint = status?.fingerprint;
  if (fingerprint === undefined)
    throw new CommandError(`error: certificate ${reference.name} has not been issued yet`);
  const { terminal } = cli;
  const question = `Revoke the certificate of ${spec.names.join(', ')} (${fingerprint.slice(0, 16)}…)?`;
  if (yes !== true && terminal.canAsk && !(await terminal.confirm(question)))
    throw new CommandError('nothing was revoked');
  const { object } = await modify(api, reference, (current) => {
    if ((current as Certificate).status?.fingerprint !== fingerprint)
      throw new CommandError('error: it was renewed meanwhile: look, and revoke again');
    return annotated(current, REVOKE_REQUESTED, `${fingerprint} ${reason}`);
  });
  terminal.out(`${qualifiedName(object)} is revoked\n`);
}

/** Whoever brought it knows its CA; we do not. */
function refuseBrought({ metadata: { name }, spec: { secret } }: Certificate): void {
  if (secret === undefined) return;
  const mend = `have its CA do it, and put what comes into the Secret: b8sctl create secret tls ${secret}`;
  throw new CommandError(`error: certificate ${name} is out of Secret "${secret}": ${mend}`);
}

/** `blog`, `certificate/blog` or `cert/blog`. */
function certificateReference(word: string, namespace: string): ReturnType<typeof referenceOf> {
  return referenceOf({ kind: certificateKind, name: bareName(word) }, namespace);
}

function bareName(word: string): string {
  return word.replace(/^cert(ificates?)?\//, '');
}

export function annotated(object: Resource, key: string, value: string): Resource {
  const { metadata } = object;
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [key]: value } },
  };
}
