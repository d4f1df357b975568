export interface Mail {
  readonly server: {
    readonly host: string;
    readonly port: number;
    /** `starttls`: nothing is sent before the connection is encrypted. */
    readonly security: 'starttls' | 'tls' | 'none';
    /** PEM of the CAs to trust in place of the system's; undefined: the system's. */
    readonly caBundle?: string | undefined;
    readonly login?: { readonly username: string; readonly password: string } | undefined;
  };
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** Letters and digits: the same for the same mail sent again, for who drops what comes twice. */
  readonly id: string;
}

/**
 * Hands mail to a server by SMTP (RFC 5321), as a port.
 *
 * Guarantees: neither login nor mail is sent over a connection that is not what `security` says, or
 * to a server that cannot prove its name; a call ends soon after its signal is aborted.
 * Errors: what the server refuses, and what keeps it from answering, throws; the message has no
 * secrets but those that the server repeats.
 */
export interface Mailer {
  send(mail: Mail, signal: AbortSignal): Promise<void>;
}
