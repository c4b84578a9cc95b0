import { parse } from "lossless-json";

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
 * Parses JSON. Different from `JSON.parse`, a key that occurs twice in an object with different values is an error, a number
 * that JavaScript would round is an {@link ExactNumber}, and the depth is limited, so that recursive code can read the value.
 *
 * @throws {JsonError} the text is not JSON, repeats a key, or is nested more than 1,000 levels deep
 * @see https://www.rfc-editor.org/rfc/rfc8259
 */
export function parseExactJson(text: string): unknown {
  if (text.trim() === "") throw new JsonError("is empty");
  if (depthOf(text) > MAXIMUM_DEPTH)
    throw new JsonError(`is nested more than ${MAXIMUM_DEPTH.toLocaleString("en-US")} levels deep`);
  try {
    return parse(text, null, (number) => (isExact(number) ? Number(number) : new ExactNumber(number)));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw toJsonError(error.message, text);
  }
}

/** The message of the parser quotes the text: only its kind and its position are used. */
function toJsonError(message: string, text: string): JsonError {
  if (message.includes("reached end of input")) return new JsonError("is truncated JSON");
  const offset = Number(/at position (\d+)$/.exec(message)?.[1] ?? 0);
  const lines = text.slice(0, offset).split("\n");
  const position = `line ${lines.length}, column ${(lines.at(-1) ?? "").length + 1}`;
  if (message.startsWith("Duplicate key")) return new JsonError(`repeats a key of an object at ${position}`);
  if (message.startsWith("Expected end of input"))
    return new JsonError(`has another value at ${position}`, parseExactJson(text.slice(0, offset)));
  return new JsonError(`is not JSON: unexpected character at ${position}`);
}

/** The depth of lists and objects in a text, whether or not it is JSON. */
function depthOf(text: string): number {
  let [depth, maximum] = [0, 0];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === "[" || token === "{") maximum = Math.max(maximum, ++depth);
    else if (token === "]" || token === "}") depth--;
  }
  return maximum;
}

/** Whether no other decimal number becomes the same JavaScript number. */
function isExact(text: string): boolean {
  const number = Number(text);
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(number)) return true;
  // Up to 15 digits are preserved, unless the exponent is at a limit.
  const digits = text.length > 30 ? text : text.replace(/[eE].*|[-.]/g, "").replace(/^0+|0+$/g, "");
  return digits.length <= 15 && (digits === "" || (Math.abs(number) > 1e-300 && Math.abs(number) < 1e300));
}
