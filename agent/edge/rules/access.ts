import type { HttpHeaders, HttpRequest } from '../../../runtime/http.ts';
import { addressesOf } from '../find-file.ts';
import { type EdgeResponse, page } from '../http/response.ts';
import type { EdgeFile } from '../release.ts';
import type { EdgeAuth } from '../snapshot.ts';
import { type Address, compilePattern, fitsPattern, type Pattern } from './path-pattern.ts';

/** Who may see what of a site, as it is looked up (RFC 7617). */
export interface CompiledAuth {
  readonly challenge: string;
  readonly guarded: readonly Pattern[];
  readonly hashByUser: ReadonlyMap<string, string>;
  /** Worked on for users that there are not, so that they take as long. */
  readonly decoy: string | undefined;
}

/** Credentials that are still to be looked at. */
export interface AccessCheck {
  readonly user: string;
  readonly password: string;
  /** What they are to be looked at against. */
  readonly hash: string;
  /** The user is none, whatever the password. */
  readonly isUnknown: boolean;
}

export function compileAuth(auth: EdgeAuth): CompiledAuth {
  // Only what a quoted string may hold (RFC 9110 §5.6.4), without what would end it.
  const realm = auth.realm.replace(/[^ !#-[\]-~]/gu, '?');
  const [decoy] = auth.hashByUser.values();
  const paths = auth.paths.length === 0 ? ['/*'] : auth.paths;
  return {
    challenge: `Basic realm="${realm}", charset="UTF-8"`,
    // What fits no path would leave open what it was to guard.
    guarded: paths.map((path) => compilePattern(path.startsWith('/') ? path : '/*')),
    hashByUser: auth.hashByUser,
    decoy,
  };
}

/** Guards what one request is answered with. */
export class Guard {
  readonly #auth: CompiledAuth;
  readonly #request: Pick<HttpRequest, 'headers'>;
  readonly #asked: Address;
  /** The hash that its password was found right against, if it was. */
  readonly #granted: string | undefined;
  /** It was for something guarded. */
  isNeeded = false;

  constructor(
    auth: CompiledAuth,
    given: {
      readonly request: Pick<HttpRequest, 'headers'>;
      readonly asked: Address;
      readonly granted: string | undefined;
    },
  ) {
    this.#auth = auth;
    this.#request = given.request;
    this.#asked = given.asked;
    this.#granted = given.granted;
  }

  /**
   * The refusal where a password is needed that is not there: for the address asked for, or for a
   * file, whichever way that is asked for. Undefined: it may be sent.
   */
  refuses(file?: EdgeFile): EdgeResponse | undefined {
    if (!this.isNeeded && !this.#isGuarded(file)) return undefined;
    this.isNeeded = true;
    return refuse(this.#auth, this.#request, this.#granted);
  }

  #isGuarded(file: EdgeFile | undefined): boolean {
    const { host, path } = this.#asked;
    const addresses = file === undefined ? [path] : addressesOf(file);
    return addresses.some((each) =>
      this.#auth.guarded.some((pattern) => fitsPattern(pattern, { host, path: each })),
    );
  }
}

/**
 * What a request for something guarded is answered with; undefined: it may see it. `granted`: the
 * hash that its password was found right against, if it was.
 */
function refuse(
  auth: CompiledAuth,
  { headers }: Pick<HttpRequest, 'headers'>,
  granted: string | undefined,
): EdgeResponse | undefined {
  if (auth.decoy === undefined) {
    // Its Secret is not there: better closed than open.
    const sentence = 'Its passwords are not set up yet. Try again soon.';
    return page(503, 'Service Unavailable', sentence, [['retry-after', '30']]);
  }
  const { authorization } = headers;
  const credentials = typeof authorization === 'string' ? parseBasic(authorization) : undefined;
  const hash = credentials && auth.hashByUser.get(credentials.user);
  if (granted !== undefined && hash === granted) return undefined;
  const challenge = [['www-authenticate', auth.challenge]] as const;
  const refused = page(401, 'Unauthorized', 'It needs a user name and a password.', challenge);
  if (credentials === undefined) return refused;
  const check = { ...credentials, hash: hash ?? auth.decoy, isUnknown: hash === undefined };
  return { ...refused, check };
}

/** Of `Authorization`, in characters: the longest user name and password, in base64. */
const CREDENTIALS_LENGTH_MAX = 2048;

/** RFC 7617 §2; undefined: it is none. */
function parseBasic(
  header: string,
): { readonly user: string; readonly password: string } | undefined {
  if (header.length > CREDENTIALS_LENGTH_MAX) return undefined;
  const token = /^Basic +(?<token>[\w+/-]+={0,2}) *$/iu.exec(header)?.groups?.['token'];
  if (token === undefined) return undefined;
  const text = Buffer.from(token, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0 || /[\u0000-\u001f\u007f\ufffd]/u.test(text)) return undefined;
  return { user: text.slice(0, colon).normalize('NFC'), password: text.slice(colon + 1) };
}

/**
 * Headers by which some shared cache goes, in place of `Cache-Control` (RFC 9213 §3 and what is
 * older), and `Expires`, which those of HTTP/1.0 know alone.
 */
const SHARED_CACHING =
  /^(?:expires|surrogate-control|edge-control|x-accel-expires|x-litespeed-cache-control|(?:.+-)?cdn-cache-control)$/u;

/**
 * What guarded answers say to caches: nobody but the client may keep them (RFC 9111 §3.5). Names are
 * in lower case.
 */
export function withPrivateCaching(headers: HttpHeaders): HttpHeaders {
  const others = headers.filter(([name]) => name !== 'cache-control' && !SHARED_CACHING.test(name));
  const own = headers.filter(([name]) => name === 'cache-control').map(([, value]) => value);
  const directives = own
    .flatMap((value) => value.split(','))
    .map((each) => each.trim())
    .filter((each) => each !== '' && !/^(?:public$|s-maxage\b|private\b)/iu.test(each));
  const isKept = !directives.some((each) => /^no-store$/iu.test(each));
  return [...others, ['cache-control', [...(isKept ? ['private'] : []), ...directives].join(', ')]];
}
