/** A zone, as far as its nameservers go; names are lower case, without a final dot. */
export interface NameserverZone {
  readonly origin: string;
  readonly records: readonly {
    readonly name: string;
    readonly type: string;
    readonly values: readonly string[];
  }[];
}

/**
 * The names that resolvers know a node by as a nameserver: those of the zones' NS sets that lie in
 * their zone and have one of the node's addresses there. Sorted, each once.
 */
export function nameserverNames(
  zones: Iterable<NameserverZone>,
  node: { readonly ipv4: readonly string[]; readonly ipv6: readonly string[] },
): readonly string[] {
  const own = new Set([...node.ipv4, ...node.ipv6]);
  const names = new Set<string>();
  for (const { origin, records } of zones) {
    const set = records.find(({ name, type }) => type === 'NS' && name === origin);
    const wanted = new Set(set?.values.map((value) => value.replace(/\.$/, '').toLowerCase()));
    for (const { name, type, values } of records) {
      if (!wanted.has(name) || (type !== 'A' && type !== 'AAAA')) continue;
      if (values.some((value) => own.has(value))) names.add(name);
    }
  }
  return [...names].toSorted();
}
