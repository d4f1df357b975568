import type { Mutant } from '../mutant.ts';

/** Certificates that an ACME CA gives: orders, proofs, keys and renewals. */
export const CERTIFICATES: readonly Mutant[] = [
  {
    name: 'order-placed-before-stored',
    file: 'controllers/acme/start.ts',
    find: "  const stored = await ports.writer.commit(\n    [\n      { kind: 'expect', base: certificate },",
    replace:
      "  await ports.acme.createOrder(account, { names: value.names }, scene.signal);\n  const stored = await ports.writer.commit(\n    [\n      { kind: 'expect', base: certificate },",
    story: 'The CA hears of an order before it is stored.',
    expects: [30],
  },
  {
    name: 'order-placed-again',
    file: 'controllers/acme/place.ts',
    find: '  if (left !== undefined) return await placed(scene, left);\n',
    replace: '  if (left === undefined) return await placeOrder(scene);\n',
    story: 'Whoever finds an order that was stored places it, without counting it again.',
    expects: [30],
  },
  {
    name: 'order-not-counted',
    file: 'controllers/acme/place.ts',
    find: '[orderWrite(scene, value), ...countWrite(uid, value), ...before]',
    replace: '[orderWrite(scene, value), ...countWrite(uid, value).slice(1), ...before]',
    story: 'An order whose answer was lost is placed again, and counted once.',
    expects: [30],
  },
  {
    name: 'retry-after-not-obeyed',
    file: 'controllers/acme/scene.ts',
    find: 'return Math.max(backoff, Math.min(retryAfterMs, RETRY_AFTER_MS_MAX));',
    replace: 'return retryAfterMs < RETRY_AFTER_MS_MAX ? backoff : RETRY_AFTER_MS_MAX;',
    story: 'A CA that says when to come back is asked again sooner.',
    expects: [30],
  },
  {
    name: 'limits-not-counted',
    file: 'controllers/acme/limits.ts',
    find: "const counted = limits === undefined || kind === 'suggested' ? [] : limitsFor(facts, limits);",
    replace:
      'const counted = limits === undefined || kind.length > 0 ? [] : limitsFor(facts, limits);',
    story: 'Dom knows what a CA allows, and asks for more.',
    expects: [30],
  },
  {
    name: 'proof-before-nameservers',
    file: 'runtime/acme/proof-standing.ts',
    find: 'if (spread.missing > 0 || servers.length === 0)',
    replace: 'if (servers.length === 0)',
    story: 'The CA is told to look before all nameservers have the proof.',
    expects: [1, 30],
  },
  {
    name: 'proof-before-edges',
    file: 'runtime/acme/proof-standing.ts',
    find: 'if (spread.missing > 0 || edges.length === 0)',
    replace: 'if (edges.length === 0)',
    story: 'The CA is told to look before all edges show the proof.',
    expects: [1, 30],
  },
  {
    name: 'key-made-anew-at-finalize',
    file: 'controllers/acme/finish.ts',
    find: 'const request = { finalizeUrl: found.finalizeUrl, orderUrl: url, names, keyPem };',
    replace:
      'const request = { finalizeUrl: found.finalizeUrl, orderUrl: url, names, keyPem: keyPem && (await ports.acme.makeKey(order.value.keyType)) };',
    story: 'The certificate is asked for with another key than the one that was stored.',
    expects: [1],
  },
  {
    name: 'order-left-after-success',
    file: 'controllers/acme/end.ts',
    find: "      { kind: 'record', record: 'material', id, value: material, modRevision },\n      ...orderEnd(scene),",
    replace:
      "      { kind: 'record', record: 'material', id, value: material, modRevision },\n      orderWrite(scene, scene.order.value),",
    story: 'The order stays, and its proofs with it, when the certificate is there.',
    expects: [1, 2, 32],
  },
  {
    name: 'renewal-at-expiry',
    file: 'runtime/tls/renewal.ts',
    find: 'const dueMs = Math.min(latestMs, suggestedMs, beforeMs);',
    replace: 'const dueMs = beforeMs === 0 ? latestMs : suggestedMs * 0 + notAfterMs;',
    story: 'A certificate is renewed when it ends.',
    expects: [1, 29, 31],
  },
  {
    name: 'renewal-as-the-last-third-begins',
    file: 'runtime/tls/renewal.ts',
    find: 'const shareMs = Math.min(RENEW_AFTER * lifeMs, (2 * lifeMs) / 3 - orderMs);',
    replace: 'const shareMs = Math.max(RENEW_AFTER * lifeMs - orderMs, (2 * lifeMs) / 3);',
    story: 'A certificate is renewed when a third of its life is left: so it comes too late.',
    expects: [31],
  },
  {
    name: 'nobody-warned-of-overdue',
    file: 'controllers/certificates/plan.ts',
    find: '  if (nowMs >= lastThirdMs(material)) {',
    replace: '  if (nowMs >= material.notAfterMs) {',
    story: 'A certificate that is not renewed says so only when nine tenths of its life are over.',
    expects: [31],
  },
  {
    name: 'proofs-left-to-the-next-change',
    file: 'controllers/dns/zone-proofs.ts',
    find: 'const zones = new Set([...before.keys(), ...after.keys()]);',
    replace: 'const zones = new Set(after.keys());',
    story:
      'Proofs that no order wants any more stay in their zone until something else changes it.',
    expects: [32],
  },
  {
    name: 'flawed-certificate-taken',
    file: 'controllers/acme/finish.ts',
    find: '  const [problem] = facts.problems;\n',
    replace:
      '  if (facts.problems.length >= 0) return undefined;\n  const [problem] = facts.problems;\n',
    story: 'What the CA gives is served, whatever it is.',
    expects: [1, 19, 29, 31],
  },
  {
    name: 'order-waits-by-another-clock',
    file: 'controllers/acme/plan.ts',
    find: '  heldSinceMs: sinceMs = progressMs,\n',
    replace: '  heldSinceMs: _ = progressMs,\n  progressMs: sinceMs,\n',
    story: 'An order waits by a clock that was ahead, and was set right meanwhile.',
    expects: [1],
  },
  {
    name: 'account-key-in-the-open',
    file: 'controllers/acme/account-change.ts',
    find: '  const value = { ...stored.value, nextSealedKey };',
    replace:
      '  const value = { ...stored.value, nextSealedKey, contact: [...stored.value.contact, keyPem] };',
    story: 'The next key of an account stands in the store as it is.',
    expects: [33],
  },
];
