/** What the secrets of server cookies are sealed for (see Sealer). */
export const COOKIE_CONTEXT = 'dns-cookie';
/** Of one secret (RFC 9018 §4.4). */
export const COOKIE_SECRET_BYTES = 16;
