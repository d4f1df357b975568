import {
  type DnsClient,
  DnsError,
  type DnsMessage,
  type DnsRecord,
  type DnsServer,
  type DnsType,
} from '../../../runtime/dns/client.ts';

export interface GatherOptions {
  readonly client: DnsClient;
  /** A resolver that asks others. */
  readonly resolver: DnsServer;
  /** Where resolvers ask: 53 but for labs, whatever port a node itself listens at. */
  readonly port: number;
  readonly tlsPort: number;
  readonly signal: AbortSignal;
}

/** Over UDP, and again over TCP if that does not fit (RFC 7766 §5). */
export async function askWhole(
  asked: Omit<Parameters<DnsClient['ask']>[0], 'transport'>,
  { client, signal }: GatherOptions,
): Promise<DnsMessage> {
  const reply = await client.ask({ ...asked, transport: 'udp' }, signal);
  return reply.form === 'whole' ? reply : client.ask({ ...asked, transport: 'tcp' }, signal);
}

/** Of the records of one name and type, each once, sorted. */
export function textsOf(
  records: readonly DnsRecord[],
  wanted: { readonly name: string; readonly type: DnsType },
): readonly string[] {
  const found = records.filter(({ name, type }) => name === wanted.name && type === wanted.type);
  return [...new Set(found.map(({ text }) => text))].toSorted();
}

export function ignoreDnsError(error: unknown): undefined {
  if (!(error instanceof DnsError)) throw error;
  return undefined;
}
