import { randomUUID } from "node:crypto";
import type { Decision } from "../../policy/evaluate";
import { escapeXml } from "../../text";
import type { Call, RequiredPermission } from "./call";
import type { HttpResponse } from "./http";

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
  { action, resource }: RequiredPermission,
  decision: Decision,
): AwsError {
  const arn = action.startsWith("s3:") ? `"${resource}"` : resource;
  const where = resource === "*" ? "" : ` on resource: ${arn}`;
  const what = `User: ${callerArn} is not authorized to perform: ${action}${where}`;
  // AWS gives no reason for AssumeRole, so that the message does not reveal whether the role exists.
  const reason = action === "sts:AssumeRole" ? "" : ` ${why(action, decision)}`;
  return new AwsError("AccessDenied", `${what}${reason}`, 403);
}

function why(action: string, { reason, because, policies }: Decision): string {
  switch (reason) {
    case "explicit-deny": {
      const { kind } = policies.find(denies) ?? { kind: "identity" };
      return `with an explicit deny in ${policyKinds[kind]}`;
    }
    case "boundary":
      return `because no permissions boundary allows the ${action} action`;
    case "session":
      return `because no session policy allows the ${action} action`;
    case "unsupported":
      return `because the sandbox cannot evaluate the policy: ${because}`;
    default: {
      const missing = policies.some(allowsAsIdentity) ? "resource" : "identity";
      return `because no ${missing}-based policy allows the ${action} action`;
    }
  }
}

function allowsAsIdentity({ kind, statements }: Decision["policies"][number]): boolean {
  return kind === "identity" && statements.some(({ effect, verdict }) => effect === "Allow" && verdict === "matched");
}

function denies({ statements }: Decision["policies"][number]): boolean {
  return statements.some(({ effect, verdict }) => effect === "Deny" && verdict === "matched");
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
export function toResponse({ service, http, operation, form }: Call, error: AwsError): HttpResponse {
  const { code, message, status } = error;
  if (service === "s3") return s3Error(http.method, s3Codes[code] ?? code, message, status);
  const isQuery = form.has("Action");
  if (isQuery || service === "cloudfront") return xmlError(service, code, message, status);
  return jsonError(jsonCodes[code] ?? code, message, operation === undefined ? status : 400);
}

function s3Error(method: string, code: string, message: string, status: number): HttpResponse {
  const id = randomUUID();
  const xml = `<Error><Code>${code}</Code><Message>${escapeXml(message)}</Message><RequestId>${id}</RequestId><HostId>local</HostId></Error>`;
  // The response to a HEAD request has no body.
  return xmlResponse(status, id, method === "HEAD" ? "" : xml);
}

function xmlError(service: string, code: string, message: string, status: number): HttpResponse {
  const id = randomUUID();
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error>`;
  const namespace =
    service === "cloudfront"
      ? "http://cloudfront.amazonaws.com/doc/2020-05-31/"
      : `https://${service}.amazonaws.com/doc/`;
  const body = `<ErrorResponse xmlns="${namespace}">${error}<RequestId>${id}</RequestId></ErrorResponse>`;
  return xmlResponse(status, id, body);
}

function xmlResponse(status: number, id: string, xml: string): HttpResponse {
  const body = Buffer.from(xml && `<?xml version="1.0" encoding="UTF-8"?>\n${xml}`);
  return { status, headers: { "content-type": "text/xml", "x-amzn-requestid": id, "x-amz-request-id": id }, body };
}

function jsonError(code: string, message: string, status: number): HttpResponse {
  const body = JSON.stringify({ __type: `com.amazon.coral.service#${code}`, Message: message, message });
  const headers = {
    "content-type": "application/x-amz-json-1.0",
    "x-amzn-errortype": code,
    "x-amzn-requestid": randomUUID(),
  };
  return { status, headers, body: Buffer.from(body) };
}
