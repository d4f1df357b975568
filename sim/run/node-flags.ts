/**
 * Of Node and V8, for processes that live through many short worlds. Most of what a world leaves
 * behind dies young. Code that rests for a while is used again by the next world, so it is not
 * thrown away; and what ran three thousand times will mostly not run often enough to be worth
 * another compilation, on a core that a world of another process could have.
 */
export const NODE_FLAGS: readonly string[] = [
  '--max-semi-space-size=32',
  '--no-flush-bytecode',
  '--invocation-count-for-turbofan=12000',
];
