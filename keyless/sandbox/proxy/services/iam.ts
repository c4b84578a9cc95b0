import { type Ask, type Call, members, prefixed, present, requestTags, type Stored } from "../call";

/** What an operation of IAM is about. */
export type IamSubject = keyof typeof parameters;

/** The request's parameter that names it. */
const parameters = {
  role: "RoleName",
  user: "UserName",
  group: "GroupName",
  "instance-profile": "InstanceProfileName",
  policy: "PolicyArn",
  "oidc-provider": "OpenIDConnectProviderArn",
  "saml-provider": "SAMLProviderArn",
  principal: "PolicySourceArn",
} as const;

const ofAccount =
  /^(List(Roles|Users|Groups|Policies|InstanceProfiles|OpenIDConnectProviders|SAMLProviders)|CreateServiceLinkedRole)$/;

/** The words in the operations' names that tell, the first that fits: what else a request may name does not matter. */
const subjects: readonly (readonly [RegExp, IamSubject])[] = [
  [/^SimulatePrincipalPolicy|^GetContextKeysForPrincipalPolicy/, "principal"],
  [/OpenIDConnectProvider/, "oidc-provider"],
  [/SAMLProvider/, "saml-provider"],
  [/InstanceProfile(?!sForRole)/, "instance-profile"],
  [/Group(?!sForUser)/, "group"],
  [/Role/, "role"],
  [/User|AccessKey|LoginProfile|(?<!Virtual)MFADevice|SSHPublicKey|SigningCertificate|ServiceSpecific/, "user"],
  [/Polic(y|ies)/, "policy"],
];

/** What an operation is about; undefined for the account itself and for what this project does not use. */
export function iamSubject(operation = ""): IamSubject | undefined {
  if (ofAccount.test(operation)) return undefined;
  return subjects.find(([words]) => words.test(operation))?.[1];
}

/** Actions for which the boundary of the role that is changed is a condition key. */
const changesUnderBoundary = /^(Attach|Detach|Put|Delete)(Role|User)Policy$|^Delete(Role|User)PermissionsBoundary$/;

/**
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
 */
export function iamAsks({ operation = "", form }: Call, stored: Stored): Ask[] {
  const tagKeys = members(form, "TagKeys");
  const tags = iamSubject(operation) === "role" ? (stored.tags ?? {}) : {};
  const context = present({
    "iam:PolicyARN": /^(At|De)tach/.test(operation) ? form.get("PolicyArn") : undefined,
    "iam:PermissionsBoundary": changesUnderBoundary.test(operation)
      ? stored.boundaryArn
      : form.get("PermissionsBoundary"),
    ...(tagKeys.length > 0 ? { "aws:TagKeys": tagKeys } : requestTags(formTags(form))),
    ...prefixed("aws:ResourceTag/", tags),
    ...prefixed("iam:ResourceTag/", tags),
  });
  const ask = { action: `iam:${operation}`, resource: iamResource(operation, form, stored), context };
  return operation === "AddRoleToInstanceProfile" ? [ask, passRole(form, stored)] : [ask];
}

function passRole(form: URLSearchParams, stored: Stored): Ask {
  const resource = iamArn(stored, "role", form.get("RoleName") ?? "");
  return { action: "iam:PassRole", resource, context: { "iam:PassedToService": "ec2.amazonaws.com" } };
}

function iamResource(operation: string, form: URLSearchParams, stored: Stored): string {
  const subject = iamSubject(operation);
  if (subject === undefined) return "*";
  const path = (operation.startsWith("Create") && form.get("Path")) || undefined;
  // These three are created by a name and known by an ARN afterwards.
  if (operation === "CreatePolicy") return iamArn({ ...stored, path }, "policy", form.get("PolicyName") ?? "");
  if (operation === "CreateSAMLProvider") return iamArn({ ...stored, path: "/" }, subject, form.get("Name") ?? "");
  if (operation === "CreateOpenIDConnectProvider") {
    return iamArn({ ...stored, path: "/" }, subject, (form.get("Url") ?? "").replace(/^https:\/\//, ""));
  }
  const name = form.get(parameters[subject]);
  if (!name || name.startsWith("arn:")) return name ?? "*";
  const storedPath = subject === "role" || subject === "user" ? stored.path : undefined;
  return iamArn({ ...stored, path: path ?? storedPath }, subject, name);
}

function iamArn({ partition, accountId, path = "/" }: Stored, kind: string, name: string): string {
  return `arn:${partition}:iam::${accountId}:${kind}${path}${name}`;
}

function formTags(form: URLSearchParams): Record<string, string> {
  const keys = members(form, "Tags", "Key");
  const values = members(form, "Tags", "Value");
  return Object.fromEntries(keys.map((key, index) => [key, values[index] ?? ""]));
}

/**
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
 */
export function stsAsks({ operation = "", form }: Call): Ask[] {
  const resource = form.get("RoleArn") ?? "*";
  const tags = formTags(form);
  const sourceIdentity = form.get("SourceIdentity");
  const context = present({
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
