import { type Ask, type Call, prefixed, present, type Stored } from "../call";
import { cloudFrontAsks } from "./cloudfront";
import { dynamoDbAsks } from "./dynamodb";
import { iamAsks, stsAsks } from "./iam";
import { s3Asks } from "./s3";

/**
 * The permissions that a request asks for, named as in AWS's service authorization reference. Services that this
 * project does not use are known by the name of the action alone.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
export function asksOf(call: Call, stored: Stored): Ask[] {
  const asks = services.get(call.service)?.(call, stored) ?? [];
  // A request that names nothing, or in a way that is not understood here, is not one that needs no permission.
  return asks.length > 0 ? asks : unknownAsks(call);
}

const services = new Map<string, (call: Call, stored: Stored) => Ask[]>([
  ["iam", iamAsks],
  ["sts", stsAsks],
  ["s3", s3Asks],
  ["dynamodb", dynamoDbAsks],
  ["kms", kmsAsks],
  ["cloudfront", cloudFrontAsks],
]);

/** Services whose name in a signature is not their prefix in a policy. */
const prefixes = new Map([
  ["monitoring", "cloudwatch"],
  ["email", "ses"],
  ["tagging", "tag"],
]);

function unknownAsks({ service, operation, http, path }: Call): Ask[] {
  // A REST service does not say the name: what stands here is matched by a wildcard only.
  const action = operation ?? `${http.method} ${path}`;
  return [{ action: `${prefixes.get(service) ?? service}:${action}`, resource: "*", context: {} }];
}

/** The key that a KMS request is about, by the parameter that its operation reads. */
export function kmsKeyId({ operation = "", json = {} }: Call): string | undefined {
  if (/^(ListKeys|ListAliases|CreateKey|GenerateRandom)$|CustomKeyStore/.test(operation)) return undefined;
  if (/^(Create|Update)Alias$/.test(operation)) return json.TargetKeyId;
  // A ciphertext of moto's begins with the id of its key.
  if (/^(Decrypt|ReEncrypt)$/.test(operation)) {
    return (
      Buffer.from(String(json.CiphertextBlob ?? ""), "base64")
        .subarray(0, 36)
        .toString() || undefined
    );
  }
  return json.KeyId;
}

/**
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
 */
function kmsAsks({ operation = "", json = {}, region }: Call, stored: Stored): Ask[] {
  const { accountId, partition, keyArn = "*", destinationKeyArn = "*" } = stored;
  const context = (encryptionContext: Record<string, string> = {}) =>
    present({
      ...prefixed("kms:EncryptionContext:", encryptionContext),
      "kms:EncryptionContextKeys": Object.keys(encryptionContext),
      "kms:RequestAlias": String(json.KeyId ?? "").startsWith("alias/") ? json.KeyId : undefined,
      "kms:CallerAccount": accountId,
    });
  if (operation === "ReEncrypt") {
    return [
      { action: "kms:ReEncryptFrom", resource: keyArn, context: context(json.SourceEncryptionContext) },
      { action: "kms:ReEncryptTo", resource: destinationKeyArn, context: context(json.DestinationEncryptionContext) },
    ];
  }
  const key = { action: `kms:${operation}`, resource: keyArn, context: context(json.EncryptionContext) };
  const alias = `arn:${partition}:kms:${region}:${accountId}:${json.AliasName}`;
  // An alias and the key that it points to are both changed.
  return json.AliasName ? [key, { ...key, resource: alias }] : [key];
}
