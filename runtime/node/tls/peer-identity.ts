import { type Identity, parseIdentityUri } from '../../tls/authority.ts';

/** As much of a peer's certificate as says who it speaks for. */
export interface PeerNames {
  readonly subjectaltname?: string | undefined;
  /** Hex. */
  readonly serialNumber?: string | undefined;
}

/** Any server call of grpc-js. */
export interface AuthenticatedCall {
  getAuthContext(): { readonly sslPeerCertificate?: PeerNames | undefined };
}

/**
 * Who calls, by the client certificate of the connection; undefined: it showed none, or one that
 * names no identity. Ask at the start of a call: once the connection is gone nobody knows.
 */
export function peerIdentity(call: AuthenticatedCall): Identity | undefined {
  try {
    return certificateIdentity(call.getAuthContext().sslPeerCertificate);
  } catch {
    // The connection ended before the call was looked at.
    return undefined;
  }
}

/** The one URI among the names of a certificate; with several it would speak for nobody. */
export function certificateIdentity(certificate: PeerNames | undefined): Identity | undefined {
  const text = certificate?.subjectaltname ?? '';
  // Node quotes a name that holds a comma: inside one anything could stand. Ours never do.
  if (text.includes('"')) return undefined;
  const uris = text.split(', ').filter((name) => name.startsWith(URI));
  const [uri] = uris;
  if (uri === undefined || uris.length > 1) return undefined;
  const identity = parseIdentityUri(uri.slice(URI.length));
  const serial = certificate?.serialNumber?.toLowerCase();
  return identity?.kind === 'user' && serial !== undefined ? { ...identity, serial } : identity;
}

const URI = 'URI:';
