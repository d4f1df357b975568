/** A header field as HPACK counts it. */
export class HeaderField {
  readonly name: string;
  readonly value: string;
  /** Octets of both, and 32 (RFC 7541 §4.1). */
  readonly sizeBytes: number;
  #isValid: boolean | undefined;

  constructor(name: string, value: string) {
    this.name = name;
    this.value = value;
    this.sizeBytes = name.length + value.length + 32;
  }

  /**
   * Whether HTTP/2 lets it be (RFC 9113 §8.2.1). Looked at once, however often it is named, and
   * only when somebody asks: two octets can name a field of thousands, which nobody may ever read.
   */
  get isValid(): boolean {
    this.#isValid ??= NAME.test(this.name) && VALUE.test(this.value);
    return this.#isValid;
  }
}

/** Lower case; a colon stands before names of pseudo-headers alone. */
const NAME = /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/u;
/** No control characters, no white space at the ends. */
const VALUE = /^(?:[!-~\u0080-\u00ff](?:[\t -~\u0080-\u00ff]*[!-~\u0080-\u00ff])?)?$/u;
