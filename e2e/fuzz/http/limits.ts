/** Of the edge: what a client leaves open ends while the fuzzer waits. */
export const LIMITS = { handshakeMs: 2000, headersMs: 1000, keepAliveMs: 1000, idleMs: 2000 };

/** No client is given up before. */
export const GIVEN_UP_MS_MIN = Math.min(...Object.values(LIMITS));
