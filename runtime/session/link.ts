/** Why a link ended, as the other side or the transport said it. */
export class LinkClosedError extends Error {
  override readonly name = 'LinkClosedError';
  /** `refused`: the peer will not have us as we are; a person must act. `lost`: try again. */
  readonly reason: 'refused' | 'lost';

  constructor(reason: 'refused' | 'lost', message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * An ordered, two-way stream of frames between dom and one sub: gRPC over mutual TLS in
 * production, a lossy simulated wire in `sim/`. A frame is one encoded protobuf message.
 *
 * Guarantees: frames arrive whole, in order, at most once; a lost frame ends the link.
 * Caveats: a frame accepted by `send` may still be lost with the link; a dead peer may stay
 * unnoticed, so both sides send heartbeats.
 * Errors: `frames` throws `LinkClosedError` unless the peer ended the link cleanly; after the end
 * `send` drops silently.
 */
export interface Link {
  /** False: the peer is slower than we are, send no more until `drained` resolves. */
  send(frame: Uint8Array): boolean;
  /** Resolves once the outgoing buffer is empty, or the link has ended. */
  drained(): Promise<void>;
  /** To be iterated once. */
  frames(): AsyncIterable<Uint8Array>;
  close(error?: LinkClosedError): void;
}
