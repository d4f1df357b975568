/** All reasons that the condition Ready of a Repository can have. */
export const REPOSITORY_REASONS = [
  'Applied',
  // Under way: it goes on by itself.
  'Fetching',
  'Applying',
  'Waiting',
  'RollingBack',
  'Drifted',
  'DependencyNotReady',
  // A person's word is awaited.
  'Suspended',
  'MassDeletion',
  'PlanChanged',
  // Of the commit.
  'Invalid',
  'Refused',
  'NothingDeclared',
  'NotReady',
  'BadCommit',
  'NotVerified',
  // Of what the Repository names.
  'SignersInvalid',
  'SecretMissing',
  'SecretLost',
  'FetchUnreachable',
  'FetchAccessDenied',
  'FetchRefNotFound',
  'FetchTooLarge',
  'FetchNotAllowed',
  'FetchFailed',
] as const;

export type RepositoryReason = (typeof REPOSITORY_REASONS)[number];
