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

/** The longest token that AWS accepts, in characters. */
const MAX_LENGTH = 20_000;

/** The algorithms of signatures that AWS accepts. */
const ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"];

/** Why a text is not a token that AWS accepts. */
export type TokenFault =
  | "empty"
  | "variable-name"
  | "masked"
  | "access-key"
  | "malformed"
  | "too-long"
  | "unsigned"
  | "unsupported-algorithm";

/** A text that is not a token that AWS accepts. The message does not contain any part of it but the algorithm. */
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
 * @throws {TokenError} if the text is not a token, or AWS refuses it whatever its issuer: its length, the algorithm of its
 *   signature, or its claims
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export function readToken(input = ""): Token {
  const text = input.trim();
  if (text === "") throw new TokenError("empty", "there is no token");
  if (/^[\\"']?\$/.test(text)) throw new TokenError("variable-name", "it is the name of a variable");
  if (/^\*+$/.test(text)) throw new TokenError("masked", "it consists of asterisks");
  if (/^(AKIA|ASIA)/.test(text)) throw new TokenError("access-key", "it is an AWS access key id");
  const malformed = (message: string) => new TokenError("malformed", message);
  if (text.length > MAX_LENGTH) {
    const [length, maximum] = [text.length, MAX_LENGTH].map((each) => count(each, "character"));
    throw new TokenError("too-long", `it has ${length}, AWS accepts at most ${maximum}`);
  }
  const parts = text.split(".");
  if (parts.length !== 3) throw malformed(`it has ${count(parts.length, "part")} separated by dots; a token has 3`);
  const [header, claims] = parts.map(decodePart);
  if (header === undefined || claims === undefined) throw malformed("its parts are not JSON in base64url");
  checkSignatureForm(header.alg, parts[2] ?? "");
  const { iss, aud, sub } = claims;
  const texts = [iss, sub, ...(Array.isArray(aud) ? aud : [aud])];
  if (texts.some((each) => typeof each !== "string")) throw malformed("it lacks one of the claims iss, aud and sub");
  for (const claim of ["exp", "nbf", "iat"]) {
    const isRequired = claim === "exp" || claims[claim] !== undefined;
    if (isRequired && !Number.isInteger(claims[claim])) throw malformed(`its claim ${claim} is not an integer`);
  }
  return { text, claims: claims as Claims };
}

function checkSignatureForm(algorithm: unknown, signature: string): void {
  if (typeof algorithm === "string" && algorithm.toLowerCase() === "none")
    throw new TokenError("unsigned", "it is not signed: its algorithm is none");
  if (signature === "") throw new TokenError("unsigned", "it is not signed: its signature is empty");
  if (ALGORITHMS.some((each) => each === algorithm)) return;
  const name = typeof algorithm === "string" && /^\w{1,10}$/.test(algorithm) ? algorithm : "an unknown algorithm";
  throw new TokenError("unsupported-algorithm", `it is signed with ${name}, AWS accepts only ${ALGORITHMS.join(", ")}`);
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

/**
 * The audiences of a token, one or more. AWS uses the claim `azp` instead of `aud` if a token has it.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
 */
export function audiencesOf({ aud, azp }: Claims): readonly string[] {
  if (typeof azp === "string") return [azp];
  return typeof aud === "string" ? [aud] : aud;
}
