/**
 * What a sub can do that older ones cannot, and that it must be able to before it is told of some
 * objects: an older one would leave out what it does not know, and serve the rest. Said in its hello.
 */
export const CAPABILITIES = ['passwords'] as const;

/** `passwords`: asks for them where a Site wants it (`spec.auth`). */
export type Capability = (typeof CAPABILITIES)[number];

/** Of what a sub says, what is known here. */
export function knownCapabilities(said: readonly string[]): readonly Capability[] {
  return CAPABILITIES.filter((each) => said.includes(each));
}
