import { isObject } from "../policy/document";
import { count } from "../text";

/** The claims of a token that AWS evaluates. */
export interface Claims {
  /** The URL of the issuer, with `https://`. */
  readonly iss: string;
  readonly aud: string | readonly string[];
  readonly sub: string;
  /** Seconds since 1970, like `nbf` and `iat`. */
  readonly exp?: number;
  readonly nbf?: number;
  readonly iat?: number;
  readonly [claim: string]: unknown;
}

/** A token and its claims. The signature is not verified. */
export interface Token {
  readonly text: string;
  readonly claims: Claims;
}

/** Why a text is not a token. */
export type TokenFault = "empty" | "variable-name" | "masked" | "access-key" | "malformed";

/** A text that is not a token. The message does not contain any part of it. */
export class TokenError extends Error {
  constructor(
    readonly fault: TokenFault,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Reads a token without verifying its signature. White space around it is ignored.
 *
 * @throws {TokenError} if the text is not a token with the claims that AWS requires
 */
export function readToken(input = ""): Token {
  const text = input.trim();
  if (text === "") throw new TokenError("empty", "there is no token");
  if (/^[\\"']?\$/.test(text)) throw new TokenError("variable-name", "it is the name of a variable");
  if (/^\*+$/.test(text)) throw new TokenError("masked", "it consists of asterisks");
  if (/^(AKIA|ASIA)/.test(text)) throw new TokenError("access-key", "it is an AWS access key id");
  const malformed = (message: string) => new TokenError("malformed", message);
  const parts = text.split(".");
  if (parts.length !== 3) throw malformed(`it has ${count(parts.length, "part")} separated by dots; a token has 3`);
  const [header, claims] = parts.map(decodePart);
  if (header === undefined || claims === undefined) throw malformed("its parts are not JSON in base64url");
  const { iss, aud, sub } = claims;
  const texts = [iss, sub, ...(Array.isArray(aud) ? aud : [aud])];
  if (texts.some((each) => typeof each !== "string")) throw malformed("it lacks one of the claims iss, aud and sub");
  for (const claim of ["exp", "nbf", "iat"]) {
    const isRequired = claim === "exp" || claims[claim] !== undefined;
    if (isRequired && typeof claims[claim] !== "number") throw malformed(`its claim ${claim} is not a number`);
  }
  return { text, claims: claims as Claims };
}

function decodePart(part: string): { readonly [name: string]: unknown } | undefined {
  if (!/^[\w-]+=*$/.test(part)) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The issuer without `https://`, as in condition keys and in the provider's ARN. */
export function issuerOfClaims({ iss }: Claims): string {
  return iss.replace(/^https:\/\//, "");
}

/** The audiences of a token, one or more. */
export function audiencesOf({ aud }: Claims): readonly string[] {
  return typeof aud === "string" ? [aud] : aud;
}
