/** A header field as HPACK counts it. */
export interface HeaderField {
  readonly name: string;
  readonly value: string;
  /** Octets of both, and 32 (RFC 7541 §4.1). */
  readonly sizeBytes: number;
  /** Whether HTTP/2 lets it be (RFC 9113 §8.2.1); looked at once, however often it is named. */
  readonly isValid: boolean;
}

export function headerField(name: string, value: string): HeaderField {
  return {
    name,
    value,
    sizeBytes: name.length + value.length + 32,
    isValid: NAME.test(name) && VALUE.test(value),
  };
}

/** Lower case; a colon stands before names of pseudo-headers alone. */
const NAME = /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/u;
/** No control characters, no white space at the ends. */
const VALUE = /^(?:[!-~\u0080-\u00ff](?:[\t -~\u0080-\u00ff]*[!-~\u0080-\u00ff])?)?$/u;
