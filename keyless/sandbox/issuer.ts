import { exportJWK, generateKeyPair, type JSONWebKeySet, type JWTPayload, SignJWT } from "jose";
import { formatIssuer, formatSubject, PROJECT_CLAIM, SOURCE_CLAIMS } from "../trust/circleci";
import { close, endpointOf, type HttpRequest, type HttpResponse, serve } from "./proxy/http";

/** A local OIDC issuer that signs tokens with the claims of CircleCI jobs. */
export interface LocalIssuer {
  /**
   * E.g. `http://127.0.0.1:40124`. Serves `/.well-known/openid-configuration`, the public keys, and tokens at
   * `/token?organization=…&project=…&origin=…&ref=…`.
   */
  readonly endpoint: string;
  /** The public keys. */
  readonly keys: JSONWebKeySet;
  /** Issues a signed token. */
  token(job: TokenRequest): Promise<string>;
  stop(): Promise<void>;
}

/** The job for which a token is issued. */
export interface TokenRequest {
  /** The organization id, which is part of the issuer's URL, and the audience. */
  readonly organization: string;
  readonly project: string;
  /** Default: a sample user id. */
  readonly user?: string;
  /** E.g. `github.com/acme/site`. With `origin` and `ref` the token is a V2 token, otherwise a V1 token. */
  readonly origin?: string;
  /** E.g. `refs/heads/main`. */
  readonly ref?: string;
  /** Default: `oidc.circleci.com`. */
  readonly server?: string;
  /** Seconds until the token expires, negative for an expired token. Default: 3600. */
  readonly lifetime?: number;
  /** Claims that replace the default ones; `undefined` removes a claim. */
  readonly claims?: JWTPayload;
}

const uuid = (last: string) => `00000000-0000-4000-8000-${last.padStart(12, "0")}`;

/** Starts the issuer on a free port of 127.0.0.1, with a new key. */
export async function startIssuer(): Promise<LocalIssuer> {
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  const header = { alg: "RS256", typ: "JWT", kid: "local" };
  const keys: JSONWebKeySet = {
    keys: [{ ...(await exportJWK(publicKey)), alg: "RS256", use: "sig", kid: header.kid }],
  };
  const token = (job: TokenRequest) => new SignJWT(claimsOf(job)).setProtectedHeader(header).sign(privateKey);
  const server = await serve((request) => answer(request, keys, token));
  return { endpoint: endpointOf(server), keys, token, stop: () => close(server) };
}

/**
 * The claims of a job's token, V1 or V2.
 *
 * @see https://circleci.com/docs/openid-connect-tokens/
 */
export function claimsOf(job: TokenRequest): JWTPayload {
  const { organization, project, user = uuid("1"), origin, ref, server, lifetime = 3600 } = job;
  const now = Math.floor(Date.now() / 1000);
  const subject = { organization, project, user };
  return {
    iss: `https://${formatIssuer({ host: server, organization })}`,
    aud: organization,
    sub: formatSubject(origin && ref ? { ...subject, repository: origin, ref } : subject),
    iat: now + Math.min(0, lifetime - 3600),
    exp: now + lifetime,
    "oidc.circleci.com/org-id": organization,
    [PROJECT_CLAIM]: project,
    "oidc.circleci.com/context-ids": [],
    "oidc.circleci.com/job-id": uuid("2"),
    "oidc.circleci.com/workflow-id": uuid("3"),
    "oidc.circleci.com/pipeline-id": uuid("4"),
    "oidc.circleci.com/pipeline-definition-id": uuid("5"),
    "oidc.circleci.com/ssh-rerun": false,
    ...(origin && ref && { [SOURCE_CLAIMS.repository]: origin, [SOURCE_CLAIMS.ref]: ref }),
    ...job.claims,
  };
}

async function answer(
  { url, headers: { host } }: HttpRequest,
  keys: JSONWebKeySet,
  token: LocalIssuer["token"],
): Promise<HttpResponse> {
  const endpoint = `http://${host}`;
  const { pathname, searchParams } = new URL(url, endpoint);
  if (pathname === "/token") {
    const { organization = "", project = "", ...rest } = Object.fromEntries(searchParams);
    const body = Buffer.from(await token({ ...rest, organization, project }));
    return { status: 200, headers: { "content-type": "text/plain" }, body };
  }
  const documents: Record<string, unknown> = {
    "/.well-known/openid-configuration": {
      issuer: endpoint,
      jwks_uri: `${endpoint}/.well-known/jwks-pub.json`,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public", "pairwise"],
      id_token_signing_alg_values_supported: ["RS256"],
    },
    "/.well-known/jwks-pub.json": keys,
  };
  const { [pathname]: document } = documents;
  const body = Buffer.from(JSON.stringify(document ?? { message: "not found" }));
  return { status: document === undefined ? 404 : 200, headers: { "content-type": "application/json" }, body };
}
