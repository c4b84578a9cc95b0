import { AwsError } from "../aws-error";
import {
  type Call,
  members,
  prefixed,
  presentKeys,
  type RequiredPermission,
  type ResourceState,
  requestTags,
} from "../call";

/**
 * Resource kinds, the operations on them, and the parameter that contains the name or ARN; the first match counts. Other
 * parameters of the request are ignored, as in AWS.
 */
const kinds = [
  {
    kind: "principal",
    operations: /^SimulatePrincipalPolicy|^GetContextKeysForPrincipalPolicy/,
    parameter: "PolicySourceArn",
  },
  { kind: "oidc-provider", operations: /OpenIDConnectProvider/, parameter: "OpenIDConnectProviderArn" },
  { kind: "saml-provider", operations: /SAMLProvider/, parameter: "SAMLProviderArn" },
  { kind: "instance-profile", operations: /InstanceProfile(?!sForRole)/, parameter: "InstanceProfileName" },
  { kind: "group", operations: /Group(?!sForUser)/, parameter: "GroupName" },
  { kind: "role", operations: /Role/, parameter: "RoleName" },
  {
    kind: "user",
    operations: /User|AccessKey|LoginProfile|(?<!Virtual)MFADevice|SSHPublicKey|SigningCertificate|ServiceSpecific/,
    parameter: "UserName",
  },
  { kind: "policy", operations: /Polic(y|ies)/, parameter: "PolicyArn" },
] as const;

const ofAccount =
  /^(List(Roles|Users|Groups|Policies|InstanceProfiles|OpenIDConnectProviders|SAMLProviders)|CreateServiceLinkedRole)$/;

/** The kind of resource of an operation. Undefined for the account and for kinds that this project does not use. */
export function iamResourceKind(operation = ""): (typeof kinds)[number] | undefined {
  return ofAccount.test(operation) ? undefined : kinds.find(({ operations }) => operations.test(operation));
}

/** Actions for which the current boundary of the role or user is a condition key. */
const changesUnderBoundary =
  /^(Attach|Detach|Put|Delete)(Role|User)Policy$|^Delete(Role|User)PermissionsBoundary$|^UpdateAssumeRolePolicy$|^(Get|Delete|Update)Role$|^UpdateRoleDescription$/;

/** Parameters that are a part of an ARN. */
const names = ["RoleName", "UserName", "GroupName", "InstanceProfileName", "PolicyName"];

/**
 * Requires that names have IAM's form: moto accepts a name that contains a path.
 *
 * @throws {AwsError} if one does not
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export function requireIamNames(form: URLSearchParams): void {
  const invalid = names.find((name) => form.has(name) && !/^[\w+=,.@-]{1,128}$/.test(form.get(name) ?? ""));
  if (invalid !== undefined || !/^\/([!-~]+\/)?$/.test(form.get("Path") ?? "/")) {
    throw new AwsError("ValidationError", `The specified value for ${invalid ?? "Path"} is invalid.`);
  }
}

/**
 * The permissions that a request to IAM requires.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
 */
export function iamPermissions({ operation = "", form }: Call, state: ResourceState): RequiredPermission[] {
  // Parameters that the operation ignores must not set condition keys.
  const setsBoundary = /^(Create|Put)(Role|User)(PermissionsBoundary)?$/.test(operation);
  const setsTags = /^(Create|Tag)/.test(operation);
  const tags = iamResourceKind(operation)?.kind === "role" ? (state.tags ?? {}) : {};
  const context = presentKeys({
    "iam:PolicyARN": /^(At|De)tach/.test(operation) ? form.get("PolicyArn") : undefined,
    "iam:PermissionsBoundary": changesUnderBoundary.test(operation)
      ? state.boundaryArn
      : setsBoundary
        ? form.get("PermissionsBoundary")
        : undefined,
    "aws:TagKeys": operation.startsWith("Untag") ? members(form, "TagKeys") : undefined,
    ...(setsTags ? requestTags(formTags(form)) : {}),
    ...prefixed("aws:ResourceTag/", tags),
    ...prefixed("iam:ResourceTag/", tags),
  });
  const permission = { action: `iam:${operation}`, resource: iamResource(operation, form, state), context };
  return operation === "AddRoleToInstanceProfile" ? [permission, passRole(form, state)] : [permission];
}

function passRole(form: URLSearchParams, state: ResourceState): RequiredPermission {
  const resource = iamArn(state, "role", form.get("RoleName") ?? "");
  return { action: "iam:PassRole", resource, context: { "iam:PassedToService": "ec2.amazonaws.com" } };
}

function iamResource(operation: string, form: URLSearchParams, state: ResourceState): string {
  const { kind, parameter } = iamResourceKind(operation) ?? {};
  if (kind === undefined || parameter === undefined) return "*";
  // Only these operations have a path. Others ignore it.
  const isCreated = /^Create(Role|User|Group|Policy|InstanceProfile)$/.test(operation);
  const path = isCreated ? form.get("Path") || "/" : undefined;
  // These three are created by name; all other operations have their ARN.
  if (operation === "CreatePolicy") return iamArn({ ...state, path }, kind, form.get("PolicyName") ?? "");
  if (operation === "CreateSAMLProvider") return iamArn({ ...state, path: "/" }, kind, form.get("Name") ?? "");
  if (operation === "CreateOpenIDConnectProvider") {
    return iamArn({ ...state, path: "/" }, kind, (form.get("Url") ?? "").replace(/^https:\/\//, ""));
  }
  const name = form.get(parameter);
  if (!name || name.startsWith("arn:")) return name ?? "*";
  const storedPath = kind === "role" || kind === "user" ? state.path : undefined;
  return iamArn({ ...state, path: path ?? storedPath }, kind, name);
}

function iamArn({ partition, accountId, path = "/" }: ResourceState, kind: string, name: string): string {
  return `arn:${partition}:iam::${accountId}:${kind}${path}${name}`;
}

/** The tags in a request. */
export function formTags(form: URLSearchParams): Record<string, string> {
  const keys = members(form, "Tags", "Key");
  const values = members(form, "Tags", "Value");
  return Object.fromEntries(keys.map((key, index) => [key, values[index] ?? ""]));
}

/**
 * The permissions that a signed request to STS requires.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
 */
export function stsPermissions({ operation = "", form }: Call): RequiredPermission[] {
  const resource = (operation === "AssumeRole" && form.get("RoleArn")) || "*";
  const tags = formTags(form);
  const sourceIdentity = form.get("SourceIdentity");
  const context = presentKeys({
    "sts:RoleSessionName": form.get("RoleSessionName"),
    "sts:ExternalId": form.get("ExternalId"),
    "sts:SourceIdentity": sourceIdentity,
    "sts:TransitiveTagKeys": members(form, "TransitiveTagKeys"),
    ...requestTags(tags),
  });
  return [
    operation,
    ...(Object.keys(tags).length > 0 ? ["TagSession"] : []),
    ...(sourceIdentity ? ["SetSourceIdentity"] : []),
  ].map((name) => ({ action: `sts:${name}`, resource, context }));
}
