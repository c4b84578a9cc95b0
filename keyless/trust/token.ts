import { isObject } from "../policy/document";

/** What a token says, as far as AWS looks at it. */
export interface Claims {
  /** The issuer's URL, with its `https://`. */
  readonly iss: string;
  readonly aud: string | readonly string[];
  readonly sub: string;
  /** Seconds since 1970, like `nbf` and `iat`. */
  readonly exp?: number;
  readonly nbf?: number;
  readonly iat?: number;
  readonly [claim: string]: unknown;
}

/**
 * Reads a token's claims without checking its signature.
 *
 * @throws {Error} telling in which way it is not such a token, without a character of it
 */
export function readClaims(token: string): Claims {
  const parts = token.split(".");
  if (parts.length !== 3)
    throw new Error(`it has ${parts.length} part${parts.length === 1 ? "" : "s"} between dots, a token has 3`);
  const claims = decode(parts[1] ?? "");
  if (decode(parts[0] ?? "") === undefined || claims === undefined)
    throw new Error("its parts are not JSON in base64url");
  const { iss, aud, sub } = claims;
  const audiences = Array.isArray(aud) ? aud : [aud];
  if (
    typeof iss !== "string" ||
    typeof sub !== "string" ||
    audiences.some((audience) => typeof audience !== "string")
  ) {
    throw new Error("it lacks one of the claims iss, aud and sub");
  }
  for (const claim of ["exp", "nbf", "iat"]) {
    if ((claim === "exp" || claims[claim] !== undefined) && typeof claims[claim] !== "number")
      throw new Error(`its claim ${claim} is not a number`);
  }
  return claims as Claims;
}

function decode(part: string): { readonly [name: string]: unknown } | undefined {
  if (!/^[\w-]+=*$/.test(part)) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A token's issuer as AWS spells it in condition keys and in the provider's ARN: without `https://`. */
export function issuerOfClaims({ iss }: Claims): string {
  return iss.replace(/^https:\/\//, "");
}

/** The audiences of a token, one or several. */
export function audiencesOf({ aud }: Claims): readonly string[] {
  return typeof aud === "string" ? [aud] : aud;
}
