import { randomUUID } from "node:crypto";
import type { Decision } from "../../policy/evaluate";
import { escapeXml } from "../../text";
import type { RequiredPermission } from "./call";
import type { HttpRequest, HttpResponse } from "./http";

/** An error response with AWS's code, message and status. */
export class AwsError extends Error {
  constructor(
    /** The code of IAM and STS, e.g. `AccessDenied`. {@link toResponse} translates it for other services. */
    readonly code: string,
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}

/**
 * The error for a permission that a session does not have.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 */
export function accessDenied(
  callerArn: string,
  { action, resource, unsupported }: RequiredPermission,
  decision: Decision,
): AwsError {
  const arn = action.startsWith("s3:") ? `"${resource}"` : resource;
  const where = resource === "*" ? "" : ` on resource: ${arn}`;
  // AWS gives no reason for AssumeRole, so that the message does not reveal whether the role exists.
  const reason =
    action === "sts:AssumeRole" ? "" : ` ${unsupported ? `because ${unsupported}` : why(action, decision)}`;
  return new AwsError(
    "AccessDenied",
    `User: ${callerArn} is not authorized to perform: ${action}${where}${reason}`,
    403,
  );
}

function why(action: string, { reason, because, policies }: Decision): string {
  const matching = (effect: "Allow" | "Deny") =>
    policies.filter(({ statements }) => statements.some((it) => it.effect === effect && it.verdict === "matched"));
  switch (reason) {
    case "explicit-deny":
      return `with an explicit deny in ${policyKinds[matching("Deny")[0]?.kind ?? "identity"]}`;
    case "boundary":
      return `because no permissions boundary allows the ${action} action`;
    case "session":
      return `because no session policy allows the ${action} action`;
    case "unsupported":
      return `because the sandbox cannot evaluate the policy: ${because}`;
    default: {
      const missing = matching("Allow").some(({ kind }) => kind === "identity") ? "resource" : "identity";
      return `because no ${missing}-based policy allows the ${action} action`;
    }
  }
}

const policyKinds = {
  identity: "an identity-based policy",
  resource: "a resource-based policy",
  boundary: "a permissions boundary",
  session: "a session policy",
};

/** The codes of credential errors in services that do not use the query protocol. */
const s3Codes: Record<string, string> = { InvalidClientTokenId: "InvalidAccessKeyId" };
const jsonCodes: Record<string, string> = {
  AccessDenied: "AccessDeniedException",
  ExpiredToken: "ExpiredTokenException",
  InvalidClientTokenId: "UnrecognizedClientException",
};

/** Formats an error as the requested service does, so that clients print the same message as with AWS. */
export function toResponse(
  service: string,
  { method, headers }: Pick<HttpRequest, "method" | "headers">,
  { code, message, status }: AwsError,
): HttpResponse {
  const id = randomUUID();
  const xml = (content: string): HttpResponse => ({
    status,
    headers: { "content-type": "text/xml", "x-amzn-requestid": id, "x-amz-request-id": id },
    body: Buffer.from(content && `<?xml version="1.0" encoding="UTF-8"?>\n${content}`),
  });
  if (service === "s3") {
    // The response to a HEAD request has no body.
    if (method === "HEAD") return xml("");
    const error = `<Code>${s3Codes[code] ?? code}</Code><Message>${escapeXml(message)}</Message>`;
    return xml(`<Error>${error}<RequestId>${id}</RequestId><HostId>local</HostId></Error>`);
  }
  if (/^(iam|sts|cloudfront)$/.test(service) || headers["content-type"]?.startsWith("application/x-www-form")) {
    const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error>`;
    const [scheme, version] = service === "cloudfront" ? ["http", "2020-05-31/"] : ["https", ""];
    const namespace = `${scheme}://${service}.amazonaws.com/doc/${version}`;
    return xml(`<ErrorResponse xmlns="${namespace}">${error}<RequestId>${id}</RequestId></ErrorResponse>`);
  }
  const type = jsonCodes[code] ?? code;
  return {
    // The JSON protocol has one status for all client errors.
    status: headers["x-amz-target"] === undefined ? status : 400,
    headers: { "content-type": "application/x-amz-json-1.0", "x-amzn-errortype": type, "x-amzn-requestid": id },
    body: Buffer.from(JSON.stringify({ __type: `com.amazon.coral.service#${type}`, Message: message, message })),
  };
}
