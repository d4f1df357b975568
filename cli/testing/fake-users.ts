import { ApiError, type CreatedUser, type ListedUser } from '../../runtime/api-client.ts';
import type { Clock } from '../../runtime/clock.ts';

/** What a fake dom knows of those who may call it. */
export class FakeUsers {
  list: readonly ListedUser[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  create(name: string, { role, days }: { role: string; days: number }): CreatedUser {
    const expiresMs = this.#clock.nowMs() + days * 86_400_000;
    return { certificate: `certificate of ${name}`, key: `key of a ${role}`, expiresMs };
  }

  revoke(name: string, { unlisted = false }: { readonly unlisted?: boolean } = {}): void {
    if (!unlisted && !this.list.some((user) => user.name === name))
      throw new ApiError('NotFound', `no user "${name}" is known`);
    const revoked = { atMs: this.#clock.nowMs(), by: 'admin' };
    const others = this.list.filter((user) => user.name !== name);
    this.list = [...others, { name, certificates: [], revoked }];
  }
}
