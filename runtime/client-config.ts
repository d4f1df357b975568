import { parse, stringify } from 'yaml';
import { didYouMean } from '../api/nearest.ts';

export interface Cluster {
  /** "host:port" of dom's API. */
  readonly server: string;
  /** Base64 of the CA certificate in PEM. */
  readonly certificateAuthorityData: string;
}

export interface User {
  /** Base64 of the PEM chain, leaf first. */
  readonly clientCertificateData: string;
  /** Base64 of the PEM private key. Secret. */
  readonly clientKeyData: string;
}

export interface Context {
  readonly cluster: string;
  readonly user: string;
  readonly namespace?: string;
}

/** Which doms b8sctl knows and how it shows who it is: the shape of a kubeconfig. */
export interface ClientConfig {
  readonly apiVersion: 'b8s.dev/v1';
  readonly kind: 'Config';
  readonly currentContext: string;
  readonly contexts: readonly { readonly name: string; readonly context: Context }[];
  readonly clusters: readonly { readonly name: string; readonly cluster: Cluster }[];
  readonly users: readonly { readonly name: string; readonly user: User }[];
}

/** All that is needed to dial one dom as one user. */
export interface Connection {
  readonly server: string;
  readonly caPem: string;
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly namespace?: string;
}

/** The YAML of a config file; keys in reading order. */
export function renderConfig(config: ClientConfig): string {
  return stringify(config, { lineWidth: 0 });
}

/** The config of one cluster, one user and the context of that name that joins them. */
export function singleConfig(name: string, cluster: Cluster, user: User): ClientConfig {
  return {
    apiVersion: 'b8s.dev/v1',
    kind: 'Config',
    currentContext: name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster }],
    users: [{ name, user }],
  };
}

/** Reads a config file. Throws an Error that says which field is wrong. */
export function parseConfig(text: string): ClientConfig {
  const root = record(parse(text), 'the file');
  if (root['kind'] !== 'Config') throw new Error('kind: must be Config');
  return {
    apiVersion: 'b8s.dev/v1',
    kind: 'Config',
    currentContext: typeof root['currentContext'] === 'string' ? root['currentContext'] : '',
    contexts: named(root, 'contexts').map(({ name, entry, path }) => ({
      name,
      context: parseContext(record(entry['context'], `${path}.context`), `${path}.context`),
    })),
    clusters: named(root, 'clusters').map(({ name, entry, path }) => {
      const cluster = record(entry['cluster'], `${path}.cluster`);
      return {
        name,
        cluster: {
          server: requiredText(cluster, 'server', `${path}.cluster`),
          certificateAuthorityData: requiredText(
            cluster,
            'certificateAuthorityData',
            `${path}.cluster`,
          ),
        },
      };
    }),
    users: named(root, 'users').map(({ name, entry, path }) => {
      const user = record(entry['user'], `${path}.user`);
      return {
        name,
        user: {
          clientCertificateData: requiredText(user, 'clientCertificateData', `${path}.user`),
          clientKeyData: requiredText(user, 'clientKeyData', `${path}.user`),
        },
      };
    }),
  };
}

/**
 * Several files as one: of entries of one name, and of current contexts, the first counts, as with
 * $KUBECONFIG.
 */
export function mergeConfigs(configs: readonly ClientConfig[]): ClientConfig {
  const first = <Entry extends { readonly name: string }>(
    entriesOf: (config: ClientConfig) => readonly Entry[],
  ): readonly Entry[] => {
    const entries = configs.flatMap(entriesOf);
    return entries.filter(
      ({ name }, index) => entries.findIndex((each) => each.name === name) === index,
    );
  };
  return {
    apiVersion: 'b8s.dev/v1',
    kind: 'Config',
    currentContext:
      configs.find(({ currentContext }) => currentContext !== '')?.currentContext ?? '',
    contexts: first(({ contexts }) => contexts),
    clusters: first(({ clusters }) => clusters),
    users: first(({ users }) => users),
  };
}

/** Joins the parts of a context; `name` empty: the current one. Throws when a part is missing. */
export function connectionOf(config: ClientConfig, name: string): Connection {
  const wanted = name === '' ? config.currentContext : name;
  if (wanted === '') {
    throw new Error('no context is chosen: b8sctl config use-context NAME');
  }
  const context = config.contexts.find((each) => each.name === wanted)?.context;
  if (context === undefined) throw noContext(wanted, config);
  const cluster = config.clusters.find((each) => each.name === context.cluster)?.cluster;
  if (cluster === undefined) throw new Error(`cluster "${context.cluster}" does not exist`);
  const user = config.users.find((each) => each.name === context.user)?.user;
  if (user === undefined) throw new Error(`user "${context.user}" does not exist`);
  return {
    server: cluster.server,
    caPem: decode(cluster.certificateAuthorityData),
    certificatePem: decode(user.clientCertificateData),
    keyPem: decode(user.clientKeyData),
    ...(context.namespace !== undefined && { namespace: context.namespace }),
  };
}

function noContext(wanted: string, { contexts }: ClientConfig): Error {
  const known = contexts.map(({ name }) => name);
  const hint = didYouMean(wanted, known) || `; there are ${known.join(', ') || 'none'}`;
  return new Error(`context "${wanted}" does not exist${hint}`);
}

/** The same config with its private keys and certificates replaced by a word. */
export function redactConfig(config: ClientConfig): ClientConfig {
  return {
    ...config,
    clusters: config.clusters.map(({ name, cluster }) => ({
      name,
      cluster: { ...cluster, certificateAuthorityData: 'DATA+OMITTED' },
    })),
    users: config.users.map(({ name }) => ({
      name,
      user: { clientCertificateData: 'DATA+OMITTED', clientKeyData: 'REDACTED' },
    })),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function parseContext(fields: Fields, path: string): Context {
  const namespace = fields['namespace'];
  return {
    cluster: requiredText(fields, 'cluster', path),
    user: requiredText(fields, 'user', path),
    ...(typeof namespace === 'string' && namespace !== '' && { namespace }),
  };
}

function named(root: Fields, field: string): { name: string; entry: Fields; path: string }[] {
  const list = root[field] ?? [];
  if (!Array.isArray(list)) throw new Error(`${field}: must be a list`);
  return list.map((each: unknown, index) => {
    const path = `${field}[${index}]`;
    const entry = record(each, path);
    return { name: requiredText(entry, 'name', path), entry, path };
  });
}

function record(value: unknown, path: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new Error(`${path}: must be a mapping`);
}

function requiredText(fields: Fields, field: string, path: string): string {
  const value = fields[field];
  if (typeof value === 'string' && value !== '') return value;
  throw new Error(`${path}.${field}: must be a text`);
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
