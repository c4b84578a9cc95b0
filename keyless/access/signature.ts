import type { Signature } from "../trust/explain/types";

const ISSUER_TIMEOUT_MS = 5000;

/**
 * Verifies a token's signature with the keys that its issuer publishes. If the issuer cannot be reached, for example
 * without a network, the verdict is `unchecked`, with the reason.
 *
 * @param issuer The URL of an issuer that is already trusted, so that the token cannot choose the host to connect to.
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html
 */
export async function verifySignature(token: string, issuer: string): Promise<Signature> {
  const { compactVerify, createRemoteJWKSet, errors } = await import("jose");
  const { JWSSignatureVerificationFailed, JWKSNoMatchingKey, JWSInvalid, JOSENotSupported } = errors;
  try {
    const keys = createRemoteJWKSet(await keysUrl(issuer), { timeoutDuration: ISSUER_TIMEOUT_MS });
    await compactVerify(token, keys);
    return { verdict: "valid", note: `made with a key of ${issuer}` };
  } catch (error) {
    const invalid = [JWSSignatureVerificationFailed, JWKSNoMatchingKey, JWSInvalid, JOSENotSupported];
    return invalid.some((type) => error instanceof type)
      ? { verdict: "invalid", note: `not made by any key of ${issuer}` }
      : { verdict: "unchecked", note: `not checked: cannot read the keys of ${issuer} (${reasonOf(error)})` };
  }
}

/** The URL of an issuer's keys, from its discovery document. */
async function keysUrl(issuer: string): Promise<URL> {
  const signal = AbortSignal.timeout(ISSUER_TIMEOUT_MS);
  const response = await fetch(`${issuer}/.well-known/openid-configuration`, { signal });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const { jwks_uri: uri } = (await response.json()) as { jwks_uri?: unknown };
  if (typeof uri !== "string") throw new Error("no jwks_uri in its configuration");
  return new URL(uri);
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return (cause as { code?: string } | undefined)?.code ?? message;
}
