import { AwsError } from "./aws-error";

/**
 * Parses a query or a form.
 *
 * @throws {AwsError} if it is not percent-encoded UTF-8
 */
export function parseParameters(text: string): URLSearchParams {
  decode(text.replaceAll("+", " "));
  // URLSearchParams would ignore a question mark at the start, which is part of the first name.
  return new URLSearchParams(`&${text}`);
}

/**
 * Requires that no parameter occurs twice: parsers use different occurrences of it.
 *
 * @param repeatable A parameter that is a list.
 * @throws {AwsError} if one does
 */
export function requireUnique(parameters: URLSearchParams, repeatable?: string): URLSearchParams {
  const names = [...parameters.keys()].filter((name) => name !== repeatable);
  const repeated = names.find((name, index) => names.indexOf(name) < index);
  if (repeated !== undefined) throw new AwsError("InvalidArgument", `The parameter ${repeated} occurs more than once.`);
  return parameters;
}

/**
 * Decodes a percent-encoded text.
 *
 * @throws {AwsError} if it is not percent-encoded UTF-8
 */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AwsError("InvalidURI", "Couldn't parse the specified URI.");
  }
}

/** Encodes a text so that every parser of paths and queries reads it unchanged: also `;`, `'` and parentheses. */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The path of a request to S3 for an object. A `/` that a server could remove or resolve is encoded. */
export function encodeKey(key: string): string {
  return key
    .split("/")
    .map(encode)
    .join("/")
    .replaceAll(/(?<=^|\/)\//g, "%2F");
}

/** The query of a request, `?` included; empty without parameters. */
export function encodeQuery(parameters: Iterable<readonly [string, string]>): string {
  const pairs = [...parameters].map(([name, value]) => `${encode(name)}=${encode(value)}`);
  return pairs.length > 0 ? `?${pairs.join("&")}` : "";
}
