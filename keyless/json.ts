/** A number that JavaScript would round: its digits, as they were written. */
export class ExactNumber {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }

  toJSON(): string {
    return this.text;
  }
}

/** Why a text is not JSON that can be evaluated. The message never quotes the text, which can contain secrets. */
export class JsonError extends Error {
  constructor(
    message: string,
    /** The first value of a text with several values. */
    readonly first?: unknown,
  ) {
    super(message);
  }
}

/** The maximum depth of lists and objects. Terraform's own JSON has about three levels for each level of modules. */
const MAXIMUM_DEPTH = 1_000;

/** Space, tab, line feed and carriage return. */
const SPACES = new Set([0x20, 0x09, 0x0a, 0x0d]);
const WORD = /true|false|null/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON does not allow them in strings
const CHARACTERS = /[^"\\\u0000-\u001f]+/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/**
 * Decodes a text in UTF-8, with or without byte-order mark.
 *
 * @throws {JsonError} the bytes are not UTF-8; names UTF-16, which PowerShell writes
 */
export function decodeUtf8(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  // JSON begins with an ASCII character, which UTF-16 writes with a zero byte.
  if (isUtf16 || (bytes.length > 1 && (first === 0) !== (second === 0))) {
    throw new JsonError("is UTF-16, not UTF-8: in PowerShell, write it with `| Out-File -Encoding utf8`");
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    const isInvalid = (error as NodeJS.ErrnoException).code === "ERR_ENCODING_INVALID_ENCODED_DATA";
    throw new JsonError(isInvalid ? "is not UTF-8" : "is too long to read");
  }
}

/**
 * Parses JSON. Different from `JSON.parse`, a key that occurs twice in an object is an error, a number that JavaScript
 * would round is an {@link ExactNumber}, and the depth is limited, so that recursive code can read the value.
 *
 * @throws {JsonError} the text is not JSON, repeats a key, or is nested more than 1,000 levels deep
 * @see https://www.rfc-editor.org/rfc/rfc8259
 */
export function parseExactJson(text: string): unknown {
  return new Parser(text).whole();
}

class Parser {
  private at = 0;

  constructor(private readonly text: string) {}

  whole(): unknown {
    if (this.next() === undefined) throw new JsonError("is empty");
    const value = this.value(0);
    if (this.next() !== undefined) throw new JsonError(`has another value at ${this.position()}`, value);
    return value;
  }

  private value(depth: number): unknown {
    const character = this.next();
    if (depth > MAXIMUM_DEPTH) {
      throw new JsonError(`is nested more than ${MAXIMUM_DEPTH.toLocaleString("en-US")} levels deep`);
    }
    if (character === "{") return this.object(depth);
    if (character === "[") return this.array(depth);
    if (character === '"') return this.string();
    if (this.skip(WORD)) return character === "n" ? null : character === "t";
    return this.number();
  }

  private object(depth: number): unknown {
    const object: Record<string, unknown> = {};
    this.at++;
    if (this.accept("}")) return object;
    do {
      if (this.next() !== '"') this.fail();
      const start = this.at;
      const key = this.string();
      if (Object.hasOwn(object, key)) {
        this.at = start;
        throw new JsonError(`repeats a key of an object at ${this.position()}`);
      }
      if (!this.accept(":")) this.fail();
      const value = this.value(depth + 1);
      // Assigning to `__proto__` would set the prototype.
      if (key === "__proto__") Object.defineProperty(object, key, { value, enumerable: true, configurable: true });
      else object[key] = value;
    } while (this.accept(","));
    if (!this.accept("}")) this.fail();
    return object;
  }

  private array(depth: number): unknown {
    const array: unknown[] = [];
    this.at++;
    if (this.accept("]")) return array;
    do array.push(this.value(depth + 1));
    while (this.accept(","));
    if (!this.accept("]")) this.fail();
    return array;
  }

  private string(): string {
    const start = this.at++;
    let escaped = false;
    for (;;) {
      this.skip(CHARACTERS);
      if (this.text[this.at] !== "\\") break;
      escaped = true;
      if (!this.skip(ESCAPE)) this.fail();
    }
    if (this.text[this.at] !== '"') this.fail();
    const raw = this.text.slice(start, ++this.at);
    return escaped ? JSON.parse(raw) : raw.slice(1, -1);
  }

  private number(): number | ExactNumber {
    const start = this.at;
    if (!this.skip(NUMBER)) this.fail();
    const text = this.text.slice(start, this.at);
    return isExact(text) ? Number(text) : new ExactNumber(text);
  }

  /** The next character that is not white space. */
  private next(): string | undefined {
    while (SPACES.has(this.text.charCodeAt(this.at))) this.at++;
    return this.text[this.at];
  }

  private accept(character: string): boolean {
    if (this.next() !== character) return false;
    this.at++;
    return true;
  }

  /** Whether a sticky expression matches here; moves behind the match. */
  private skip(expression: RegExp): boolean {
    expression.lastIndex = this.at;
    if (!expression.test(this.text)) return false;
    this.at = expression.lastIndex;
    return true;
  }

  private fail(): never {
    throw new JsonError(
      this.at >= this.text.length ? "is truncated JSON" : `is not JSON: unexpected character at ${this.position()}`,
    );
  }

  private position(): string {
    const lines = this.text.slice(0, this.at).split("\n");
    return `line ${lines.length}, column ${(lines[lines.length - 1] as string).length + 1}`;
  }
}

/** Whether no other decimal number becomes the same JavaScript number. */
function isExact(text: string): boolean {
  const number = Number(text);
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(number)) return true;
  // Up to 15 digits are preserved, unless the exponent is at a limit.
  const digits = text.length > 30 ? text : text.replace(/[eE].*|[-.]/g, "").replace(/^0+|0+$/g, "");
  return digits.length <= 15 && (digits === "" || (Math.abs(number) > 1e-300 && Math.abs(number) < 1e300));
}
