import type { Signature } from "../../trust/explain/types";

/** How long an issuer may take to answer, in milliseconds. */
const ISSUER_TIMEOUT_MS = 5000;

/**
 * Checks a token's signature against the keys that its issuer publishes. An issuer that cannot be reached, as from a
 * laptop without a network, is no error: the verdict is then "unchecked", with the reason.
 *
 * @param issuer the issuer's URL, one that is trusted already: the token itself must not choose whom to ask
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html
 */
export async function verifySignature(token: string, issuer: string): Promise<Signature> {
  const { compactVerify, createRemoteJWKSet, errors } = await import("jose");
  try {
    const keys = createRemoteJWKSet(await keysOf(issuer), { timeoutDuration: ISSUER_TIMEOUT_MS });
    await compactVerify(token, keys);
    return { verdict: "valid", note: `made by a key of ${issuer}` };
  } catch (error) {
    const forged =
      error instanceof errors.JWSSignatureVerificationFailed ||
      error instanceof errors.JWKSNoMatchingKey ||
      error instanceof errors.JWSInvalid ||
      error instanceof errors.JOSENotSupported;
    if (forged) return { verdict: "invalid", note: `not made by any key of ${issuer}` };
    return { verdict: "unchecked", note: `not checked: ${issuer} did not give its keys (${reasonOf(error)})` };
  }
}

async function keysOf(issuer: string): Promise<URL> {
  const response = await fetch(`${issuer}/.well-known/openid-configuration`, {
    signal: AbortSignal.timeout(ISSUER_TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const { jwks_uri: uri } = (await response.json()) as { jwks_uri?: unknown };
  if (typeof uri !== "string") throw new Error("no jwks_uri in its configuration");
  return new URL(uri);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = (error.cause ?? {}) as { code?: string };
  return code ?? error.message;
}
