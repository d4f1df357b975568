import { virtualClock } from '../test-clock.ts';
import { memoryStore } from './memory-store.ts';
import { storeCases } from './store.case.ts';

storeCases('memoryStore', async () => {
  const clock = virtualClock();
  const store = memoryStore({ clock });
  return {
    store: () => store,
    pass: (ms) => clock.advance(ms),
    leaseTtlMs: 10_000,
    dispose: () => store.close(),
  };
});
