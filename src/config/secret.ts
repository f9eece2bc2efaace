import { inspect } from 'node:util';

const redacted = '[redacted]';

/**
 * A value that no log line, JSON text or error message may show. Whoever needs it says so with `reveal()`, so that
 * every place where a secret leaves its wrapper can be found by that word.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}
