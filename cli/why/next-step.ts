import type { Certificate } from '../../api/certificate.ts';
import type { Condition, Resource } from '../../api/object.ts';
import type { RepositoryReason } from '../../api/repository-reasons.ts';

/**
 * The next thing to do about a condition where no other object explains it, as a command or a
 * sentence; undefined: its message says it already.
 */
export function nextStep(object: Resource, { type, reason }: Condition): string | undefined {
  const { name } = object.metadata;
  switch (object.kind) {
    case 'Node':
      return nodeStep(name, type, reason);
    case 'Site':
      return siteStep(name, reason);
    case 'Certificate':
      return certificateStep(object as Certificate, reason);
    case 'Zone':
      return ZONE_STEPS.get(reason);
    case 'Issuer':
      return ISSUER_STEPS.get(reason)?.replaceAll('NAME', name);
    case 'Repository':
      return type === 'Ready' ? repositoryStep(name, reason) : undefined;
    default:
      return undefined;
  }
}

/** What to do about a node that others wait for, and that is connected. */
export function stepForWaiting(node: string): string {
  return `on ${node}: journalctl -u b8s-sub -n 50`;
}

/** What to do about an object that others name and that is not there. */
export function stepForMissing(kind: string, name: string): string {
  switch (kind) {
    case 'Issuer':
      return 'b8sctl get issuers shows those there are; declare it, or name another one';
    case 'Secret':
      return `b8sctl create secret generic ${name} --help; b8sctl undelete secret/${name} if it was deleted`;
    case 'Release':
      return 'b8sctl push FOLDER --site SITE publishes one; b8sctl rollout history shows those kept';
    case 'Node':
      return 'b8sctl get nodes';
    default:
      return `b8sctl history ${kind.toLowerCase()}/${name}`;
  }
}

function nodeStep(name: string, type: string, reason: string): string | undefined {
  if (reason === 'NodeSilent' && type === 'Ready')
    return `on ${name}: systemctl status b8s-sub, then journalctl -u b8s-sub -n 50`;
  if (reason === 'NeverConnected') return `b8sctl node token create --node ${name}`;
  if (reason === 'DatabaseMissing') return undefined;
  return `on ${name}: journalctl -u b8s-sub -n 50`;
}

function siteStep(name: string, reason: string): string | undefined {
  return SITE_STEPS.get(reason)?.replaceAll('NAME', name);
}

const ADD_NAMESERVER = 'b8sctl edit node NODE, and add nameserver to spec.roles';

const SITE_STEPS: ReadonlyMap<string, string> = new Map([
  ['NoContent', 'b8sctl push FOLDER --site NAME'],
  ['NoEdges', 'b8sctl node token create --node NEW makes a machine an edge'],
  ['RolloutHalted', 'b8sctl rollout undo site/NAME, or b8sctl rollout resume site/NAME'],
  ['RolloutUndone', 'b8sctl rollout history site/NAME'],
  ['RolloutPaused', 'b8sctl rollout resume site/NAME'],
  ['RollingOut', 'it goes on by itself: b8sctl rollout status site/NAME'],
  ['RolloutStalled', 'b8sctl rollout undo site/NAME serves what was served before'],
  ['CertificateNotFound', 'it is made by itself: b8sctl wait site/NAME --for=condition=Ready'],
  ['Distributing', 'it goes on by itself: b8sctl wait site/NAME --for=condition=Ready'],
  ['Propagating', 'it goes on by itself: b8sctl wait site/NAME --for=condition=Ready'],
  ['NoNameservers', ADD_NAMESERVER],
  ['HostsNotCovered', 'b8sctl get certificate NAME -o yaml'],
  ['LinesSkipped', 'mend _redirects or _headers, then b8sctl push FOLDER --site NAME'],
]);

function certificateStep(certificate: Certificate, reason: string): string | undefined {
  const { name } = certificate.metadata;
  if (certificate.status?.nextTry !== undefined) {
    return `b8sctl cert renew ${name} tries again now, once what it says is mended`;
  }
  if (reason === 'WaitingForProof') return `b8sctl cert describe ${name}`;
  if (reason === 'Issuing' || reason === 'Registering')
    return `it goes on by itself: b8sctl wait certificate/${name} --for=condition=Ready`;
  return undefined;
}

const ZONE_STEPS: ReadonlyMap<string, string> = new Map([
  ['NoNameservers', ADD_NAMESERVER],
  ['Propagating', 'it goes on by itself, unless a node below is silent'],
]);

const ISSUER_STEPS: ReadonlyMap<string, string> = new Map([
  [
    'TermsNotAgreed',
    `b8sctl patch issuer/NAME -p '{"spec":{"acme":{"termsOfServiceAgreed":true}}}' once you have read them`,
  ],
  ['InvalidLifetime', 'b8sctl edit issuer NAME'],
]);

const MEND =
  'mend it in Git; b8sctl diff --repository NAME --ref BRANCH says whether a branch is good';

const ON_ITS_OWN = 'it goes on by itself: b8sctl wait repository/NAME --for=condition=Ready';
const SECRET =
  'b8sctl get repository NAME -o yaml says which Secret; b8sctl create secret generic SECRET --help';

/** Of each reason that is no good one: the compiler asks for a step when one comes to be. */
const REPOSITORY_STEPS: Readonly<Record<Exclude<RepositoryReason, 'Applied'>, string>> = {
  Fetching: ON_ITS_OWN,
  Applying: ON_ITS_OWN,
  Waiting: ON_ITS_OWN,
  RollingBack: ON_ITS_OWN,
  Drifted: 'b8sctl describe repository NAME says which field, and who changed it',
  DependencyNotReady: 'b8sctl get repositories',
  Suspended: `b8sctl patch repository NAME -p '{"spec":{"suspend":false}}' resumes it`,
  MassDeletion:
    'b8sctl plan --repository NAME shows what would go; b8sctl reconcile repository/NAME --confirm-prune',
  PlanChanged: 'b8sctl plan --repository NAME -o plan.json, and look at it anew',
  Invalid: MEND,
  Refused: MEND,
  NothingDeclared: MEND,
  NotReady: 'push a commit that mends it; b8sctl describe repository NAME',
  BadCommit: 'push a commit that mends it, or b8sctl reconcile repository/NAME --force',
  NotVerified:
    'push a commit that a listed signer has signed, or list who signed it: b8sctl explain repository.spec.verify',
  SignersInvalid: 'mend the Secret that spec.verify names: b8sctl explain repository.spec.verify',
  SecretMissing: SECRET,
  SecretLost: `${SECRET}; it was sealed with another seal key, so write its values again`,
  FetchUnreachable: 'b8sctl reconcile repository/NAME tries again now',
  FetchAccessDenied: `${SECRET}; then b8sctl reconcile repository/NAME`,
  FetchRefNotFound: 'b8sctl edit repository NAME, spec.ref',
  FetchTooLarge: 'take large files out of the repository, or follow another one: spec.url',
  FetchNotAllowed: 'b8sctl edit repository NAME, spec.url',
  FetchFailed: 'b8sctl reconcile repository/NAME tries again now; the log of dom says more',
};

function repositoryStep(name: string, reason: string): string | undefined {
  const steps: Readonly<Record<string, string>> = REPOSITORY_STEPS;
  return Object.hasOwn(steps, reason) ? steps[reason]?.replaceAll('NAME', name) : undefined;
}
