import { type Ask, type Call, type JsonObject, members, prefixed, present, requestTags } from "./call";
import { cloudFrontAsks } from "./cloudfront-asks";
import { s3Asks } from "./s3-asks";

/** What is stored in the local AWS and decides what a request asks for. */
export interface Stored {
  /** The account that is asked. */
  readonly accountId: string;
  readonly partition: string;
  /** The path of the role or user that the request names; default: `/`. */
  readonly path?: string;
  /** The tags of that role. */
  readonly tags?: Readonly<Record<string, string>>;
  /** The ARN of that role's permissions boundary. */
  readonly boundaryArn?: string;
  /** The partition key of the table that the request names. */
  readonly partitionKey?: string;
  /** The ARN of the KMS key that the request names, by id or by alias, or that its bucket or object is encrypted with. */
  readonly keyArn?: string;
}

/**
 * The permissions that a request asks for, named as in AWS's service authorization reference. Services that this
 * project does not use are known by the name of the action alone.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
export function asksOf(call: Call, stored: Stored): Ask[] {
  const asks = services[call.service]?.(call, stored) ?? [];
  // A request that names nothing, or in a way that is not understood here, is not one that needs no permission.
  return asks.length > 0 ? asks : unknownAsks(call);
}

const services: Record<string, (call: Call, stored: Stored) => Ask[]> = {
  iam: iamAsks,
  sts: stsAsks,
  s3: s3Asks,
  dynamodb: dynamoDbAsks,
  kms: kmsAsks,
  cloudfront: cloudFrontAsks,
};

/** Services whose name in a signature is not their prefix in a policy. */
const prefixes: Record<string, string> = { monitoring: "cloudwatch", email: "ses", tagging: "tag" };

function unknownAsks({ service, operation, http, path }: Call): Ask[] {
  // A REST service does not say the name: what stands here is matched by a wildcard only.
  const action = operation ?? `${http.method} ${path}`;
  return [{ action: `${prefixes[service] ?? service}:${action}`, resource: "*", context: {} }];
}

// --- IAM and STS ---

/** Actions for which the boundary of the role that is changed is a condition key. */
const changesUnderBoundary = /^(Attach|Detach|Put|Delete)(Role|User)Policy$|^Delete(Role|User)PermissionsBoundary$/;

function iamAsks({ operation = "", form }: Call, stored: Stored): Ask[] {
  const tagKeys = members(form, "TagKeys");
  const context = present({
    "iam:PolicyARN": /^(At|De)tach/.test(operation) ? form.get("PolicyArn") : undefined,
    "iam:PermissionsBoundary": changesUnderBoundary.test(operation)
      ? stored.boundaryArn
      : form.get("PermissionsBoundary"),
    ...(tagKeys.length > 0 ? { "aws:TagKeys": tagKeys } : requestTags(formTags(form))),
    ...prefixed("aws:ResourceTag/", stored.tags ?? {}),
    ...prefixed("iam:ResourceTag/", stored.tags ?? {}),
  });
  const ask = { action: `iam:${operation}`, resource: iamResource(form, stored), context };
  return operation === "AddRoleToInstanceProfile" ? [ask, passRole(form, stored)] : [ask];
}

function passRole(form: URLSearchParams, stored: Stored): Ask {
  const resource = iamArn(stored, "role", form.get("RoleName") ?? "");
  return { action: "iam:PassRole", resource, context: { "iam:PassedToService": "ec2.amazonaws.com" } };
}

/** The first that is named is the one that the action is about: a role to which a policy is attached, not the policy. */
function iamResource(form: URLSearchParams, stored: Stored): string {
  for (const [parameter, kind] of [
    ["InstanceProfileName", "instance-profile"],
    ["GroupName", "group"],
    ["RoleName", "role"],
    ["UserName", "user"],
  ] as const) {
    const name = form.get(parameter);
    const storedPath = kind === "role" || kind === "user" ? stored.path : undefined;
    if (name) return iamArn({ ...stored, path: form.get("Path") ?? storedPath }, kind, name);
  }
  const arns = ["PolicyArn", "OpenIDConnectProviderArn", "SAMLProviderArn", "PolicySourceArn"];
  const arn = arns.map((parameter) => form.get(parameter)).find((value) => value);
  if (arn) return arn;
  const policy = form.get("PolicyName");
  if (policy) return iamArn({ ...stored, path: form.get("Path") ?? undefined }, "policy", policy);
  const url = form.get("Url");
  return url ? iamArn({ ...stored, path: undefined }, "oidc-provider", url.replace(/^https:\/\//, "")) : "*";
}

function iamArn({ partition, accountId, path = "/" }: Stored, kind: string, name: string): string {
  return `arn:${partition}:iam::${accountId}:${kind}${path}${name}`;
}

function formTags(form: URLSearchParams): Record<string, string> {
  const keys = members(form, "Tags", "Key");
  const values = members(form, "Tags", "Value");
  return Object.fromEntries(keys.map((key, index) => [key, values[index] ?? ""]));
}

function stsAsks({ operation = "", form }: Call): Ask[] {
  const resource = form.get("RoleArn") ?? "*";
  const tags = formTags(form);
  const context = present({
    "sts:RoleSessionName": form.get("RoleSessionName"),
    "sts:ExternalId": form.get("ExternalId"),
    "sts:SourceIdentity": form.get("SourceIdentity"),
    ...requestTags(tags),
  });
  const ask = { action: `sts:${operation}`, resource, context };
  return Object.keys(tags).length > 0 ? [ask, { ...ask, action: "sts:TagSession" }] : [ask];
}

// --- DynamoDB ---

function dynamoDbAsks(call: Call, stored: Stored): Ask[] {
  const { operation = "", json } = call;
  const table = (name: string | undefined) => tableArn(call, stored, name);
  const ask = (action: string, name: string | undefined, items: JsonObject[] = []): Ask => ({
    action: `dynamodb:${action}`,
    resource: table(name),
    context: present({ "dynamodb:LeadingKeys": leadingKeys(items, stored) }),
  });
  if (json.RequestItems) {
    return Object.entries<JsonObject>(json.RequestItems).map(([name, requests]) =>
      ask(
        operation,
        name,
        requests.Keys ?? requests.map((one: JsonObject) => one.PutRequest?.Item ?? one.DeleteRequest?.Key),
      ),
    );
  }
  if (json.TransactItems) return json.TransactItems.flatMap((item: JsonObject) => transactAsks(item, ask));
  const resource = json.ResourceArn ?? json.StreamArn ?? json.BackupArn;
  if (resource) return [{ ...ask(operation, undefined), resource }];
  const one = ask(operation, json.TableName, [json.Key ?? json.Item ?? queriedKey(json, stored)]);
  return [json.IndexName ? { ...one, resource: `${one.resource}/index/${json.IndexName}` } : one];
}

function transactAsks(item: JsonObject, ask: (action: string, table: string, items: JsonObject[]) => Ask): Ask[] {
  return Object.entries<JsonObject>(item).map(([kind, { TableName, Key, Item }]) =>
    ask(kind === "ConditionCheck" ? "ConditionCheckItem" : `${kind}Item`, TableName, [Key ?? Item]),
  );
}

function tableArn({ region }: Call, { partition, accountId }: Stored, name: string | undefined): string {
  if (name === undefined || name.startsWith("arn:")) return name ?? "*";
  return `arn:${partition}:dynamodb:${region}:${accountId}:table/${name}`;
}

function leadingKeys(items: readonly (JsonObject | undefined)[], { partitionKey }: Stored): string[] {
  if (partitionKey === undefined) return [];
  const values = items.map((item) => item?.[partitionKey]).filter((value) => value !== undefined);
  return values.map((value) => String(value.S ?? value.N ?? value.B));
}

/** The partition key that a query compares with `=`, which is the only comparison that it may use for it. */
function queriedKey(json: JsonObject, { partitionKey = "" }: Stored): JsonObject | undefined {
  const comparisons = String(json.KeyConditionExpression ?? "").matchAll(/([#\w.-]+)\s*=\s*(:\w+)/g);
  for (const [, name = "", value = ""] of comparisons) {
    if ((json.ExpressionAttributeNames?.[name] ?? name) === partitionKey) {
      return { [partitionKey]: json.ExpressionAttributeValues?.[value] };
    }
  }
  const legacy = json.KeyConditions?.[partitionKey]?.AttributeValueList?.[0];
  return legacy && { [partitionKey]: legacy };
}

// --- KMS ---

function kmsAsks({ operation = "", json, region }: Call, stored: Stored): Ask[] {
  const context = present({
    ...prefixed("kms:EncryptionContext:", json.EncryptionContext ?? {}),
    "kms:EncryptionContextKeys": Object.keys(json.EncryptionContext ?? {}),
    "kms:RequestAlias": String(json.KeyId ?? "").startsWith("alias/") ? json.KeyId : undefined,
    "kms:CallerAccount": stored.accountId,
  });
  const key = { action: `kms:${operation}`, resource: stored.keyArn ?? "*", context };
  const alias = `arn:${stored.partition}:kms:${region}:${stored.accountId}:${json.AliasName}`;
  // An alias and the key that it points to are both changed.
  return json.AliasName ? [key, { ...key, resource: alias }] : [key];
}
