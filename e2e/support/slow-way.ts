import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectionOf, parseConfig, renderConfig } from '../../runtime/client-config.ts';
import { readText } from './cluster.ts';
import { startTcpProxy } from './tcp-proxy.ts';

/** A push has more than ten pieces, one after the other. */
const LATE_MS = 100;

export interface SlowWay {
  /** Of b8sctl, in place of the one that was given. */
  readonly configFile: string;
  stop(): Promise<void>;
}

/**
 * A way to the dom of a config on which all that b8sctl sends comes late: whoever has just seen a push
 * begin has time to do something before it is over, however fast the disk. The new config is in `folder`.
 */
export async function openSlowWay(
  configFile: string,
  { folder }: { readonly folder: string },
): Promise<SlowWay> {
  const config = parseConfig(readText(configFile));
  const target = `http://${connectionOf(config, '').server}`;
  const proxy = await startTcpProxy(target, { lateMs: LATE_MS });
  // Dom's certificate has a name that does not depend on the address.
  const { host: server } = new URL(proxy.endpoint);
  const clusters = config.clusters.map(({ name, cluster }) => ({
    name,
    cluster: { ...cluster, server },
  }));
  const own = join(folder, 'config');
  writeFileSync(own, renderConfig({ ...config, clusters }));
  return { configFile: own, stop: () => proxy.stop() };
}
