import { freePortsAt } from '../../runtime/node/free-ports.ts';

/** TCP ports on 127.0.0.1, all different, that stay free for what is killed and started again. */
export function freePorts(count: number): Promise<readonly number[]> {
  return freePortsAt(['127.0.0.1'], count);
}
