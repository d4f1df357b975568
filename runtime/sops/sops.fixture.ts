import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { armor, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { type Document, isPair, parseAllDocuments, visit } from 'yaml';
import { times } from './shamir.ts';

/** A pair of keys of age. */
export interface AgePair {
  /** `AGE-SECRET-KEY-1…` */
  readonly identity: string;
  readonly recipient: string;
}

export async function agePair(): Promise<AgePair> {
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

export interface SopsOptions {
  /** Of each group the recipients, each a pair. */
  readonly groups: readonly (readonly AgePair[])[];
  readonly threshold?: number;
  /** `^data$` unless it says otherwise. */
  readonly rule?: Readonly<Record<string, string>>;
  readonly macOnlyEncrypted?: true;
  readonly format?: 'yaml' | 'json';
  /** Encrypts for a recipient, armored; left out: with the library that decrypts, too. */
  readonly wrap?: (recipient: string, bytes: Uint8Array) => Promise<string>;
}

const LAST_MODIFIED = '2026-01-31T12:00:00Z';

/** Encrypts a file for a test as SOPS does, by its README alone. */
export async function sopsEncrypt(text: string, options: SopsOptions): Promise<string> {
  const { rule = { encrypted_regex: '^data$' }, format = 'yaml' } = options;
  const key = randomBytes(32);
  const documents = parseAllDocuments(text) as Document[];
  const mac = createHash('sha512');
  if (options.macOnlyEncrypted) mac.update(createHash('sha256').update('sops').digest());
  for (const document of documents)
    visit(document, {
      Scalar(at, scalar, parents) {
        if (at === 'key' || scalar.value === null) return;
        const keys = keysOf(parents);
        const bytes = Buffer.from(goText(scalar.value));
        const isEncrypted = isToEncrypt(keys, rule);
        if (isEncrypted || !options.macOnlyEncrypted) mac.update(bytes);
        if (!isEncrypted || bytes.length === 0) return;
        const type = { string: 'str', number: 'int', boolean: 'bool' }[
          typeof scalar.value as string
        ];
        delete scalar.type;
        scalar.value = seal(bytes, { key, about: `${keys.join(':')}:`, type });
      },
    });
  const block = {
    ...(await groupsBlock(key, options)),
    lastmodified: LAST_MODIFIED,
    mac: seal(Buffer.from(mac.digest('hex').toUpperCase()), { key, about: LAST_MODIFIED }),
    ...rule,
    ...(options.macOnlyEncrypted && { mac_only_encrypted: true }),
    version: '3.10.2',
  };
  for (const document of documents) document.set('sops', document.createNode(block));
  if (format === 'json') return JSON.stringify(documents[0]?.toJS(), undefined, '\t');
  return documents.map((document) => document.toString({ lineWidth: 0 })).join('---\n');
}

async function groupsBlock(
  key: Uint8Array,
  { groups, threshold = groups.length, wrap = wrapped }: SopsOptions,
): Promise<object> {
  const parts = groups.length === 1 ? [key] : shares(key, { count: groups.length, threshold });
  const written = await Promise.all(
    groups.map(async (group, index) => ({
      age: await Promise.all(
        group.map(async ({ recipient }) => {
          return { recipient, enc: await wrap(recipient, parts[index] ?? key) };
        }),
      ),
    })),
  );
  if (groups.length === 1) return written[0] ?? {};
  return { shamir_threshold: threshold, key_groups: written };
}

async function wrapped(recipient: string, bytes: Uint8Array): Promise<string> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return armor.encode(await encrypter.encrypt(bytes));
}

/** A polynomial for each byte, the secret at zero. */
function shares(
  key: Uint8Array,
  { count, threshold }: { readonly count: number; readonly threshold: number },
): readonly Uint8Array[] {
  const others = Array.from({ length: threshold - 1 }, () => randomBytes(key.length));
  return Array.from({ length: count }, (_, index) => {
    const place = index + 1;
    const bytes = Array.from(key, (byte, at) =>
      [...others.map((each) => each[at] ?? 0), byte].reduce(
        (sum, coefficient) => times(sum, place) ^ coefficient,
        0,
      ),
    );
    return Uint8Array.from([...bytes, place]);
  });
}

function seal(
  bytes: Uint8Array,
  { key, about, type = 'str' }: { key: Uint8Array; about: string; type?: string | undefined },
): string {
  const iv = randomBytes(32);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(about));
  const data = Buffer.concat([cipher.update(bytes), cipher.final()]).toString('base64');
  const tag = cipher.getAuthTag().toString('base64');
  return `ENC[AES256_GCM,data:${data},iv:${iv.toString('base64')},tag:${tag},type:${type}]`;
}

function isToEncrypt(keys: readonly string[], rule: Readonly<Record<string, string>>): boolean {
  const [name, text] = Object.entries(rule)[0] ?? ['', ''];
  const fits = keys.some((key) =>
    name.endsWith('suffix') ? key.endsWith(text) : new RegExp(text).test(key),
  );
  return name.startsWith('un') ? !fits : fits;
}

/** The names of the fields on the way to a node. */
function keysOf(parents: readonly unknown[]): readonly string[] {
  return parents.flatMap((parent) => (isPair(parent) ? [String(parent.key)] : []));
}

function goText(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return String(value);
}
