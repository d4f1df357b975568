/**
 * What people ask of a controller besides what they declare: annotations, each with the moment of
 * asking or with what is meant, so that to see one twice does nothing twice.
 */

/** On a Certificate, RFC 3339: renew it, if what is in use was issued before. */
export const RENEW_REQUESTED = 'b8s.dev/renew-requested';

/** On a Certificate, "<fingerprint> <reason>": revoke that certificate, and replace it. */
export const REVOKE_REQUESTED = 'b8s.dev/revoke-requested';

/** On an Issuer, RFC 3339: give its account a new key, if the one in use was made before. */
export const ROLLOVER_REQUESTED = 'b8s.dev/rollover-requested';

/** On a Notification, any text: send a test message, once for each text. */
export const TEST_REQUESTED = 'b8s.dev/test-requested';

/** On a Site, RFC 3339: go on with the release that was halted or undone before. */
export const ROLLOUT_RESUMED = 'b8s.dev/rollout-resumed';
