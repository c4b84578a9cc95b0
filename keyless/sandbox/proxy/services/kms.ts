import { AwsError } from "../aws-error";
import {
  type Call,
  type JsonObject,
  prefixed,
  presentKeys,
  type RequiredPermission,
  type ResourceState,
} from "../call";

/**
 * Requires that a ciphertext is base64 as every parser reads it: the key that decrypts it is read from it.
 *
 * @throws {AwsError} if it is not
 */
export function requireBase64(operation: string, { CiphertextBlob: blob }: JsonObject): void {
  if (!/^(Decrypt|ReEncrypt)$/.test(operation)) return;
  if (typeof blob !== "string" || Buffer.from(blob, "base64").toString("base64") !== blob) {
    throw new AwsError("InvalidCiphertextException", "The ciphertext is not base64.");
  }
}

/** The KMS key of a request, from the parameter that the operation reads. */
export function kmsKeyId({ operation = "", json }: Call): string | undefined {
  if (/^(ListKeys|ListAliases|ListRetirableGrants|CreateKey|GenerateRandom)$|CustomKeyStore/.test(operation))
    return undefined;
  // moto finds a grant by its token among the grants of all keys.
  if (operation === "RetireGrant" && json.GrantToken !== undefined) return undefined;
  if (/^(Create|Update)Alias$/.test(operation)) return json.TargetKeyId;
  if (operation === "DeleteAlias") return json.AliasName;
  // moto's ciphertexts begin with the key id.
  if (/^(Decrypt|ReEncrypt)$/.test(operation)) {
    const bytes = Buffer.from(String(json.CiphertextBlob ?? ""), "base64");
    return bytes.subarray(0, 36).toString() || undefined;
  }
  return json.KeyId;
}

/**
 * The permissions that a request to KMS requires.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
 */
export function kmsPermissions({ operation = "", json, region }: Call, state: ResourceState): RequiredPermission[] {
  const { accountId, partition, keyArn = "*", destinationKeyArn = "*", aliasKeyArn } = state;
  // Only these operations use an encryption context. Others ignore it.
  const isCryptographic = /^(Encrypt|Decrypt|ReEncrypt|GenerateDataKey\w*)$/.test(operation);
  const context = (given: Record<string, string> = {}) => {
    const encryptionContext = isCryptographic ? given : {};
    return presentKeys({
      ...prefixed("kms:EncryptionContext:", encryptionContext),
      "kms:EncryptionContextKeys": Object.keys(encryptionContext),
      "kms:RequestAlias": /(?:^|:)(alias\/.+)$/.exec(String(json.KeyId ?? ""))?.[1],
      "kms:CallerAccount": accountId,
    });
  };
  if (operation === "ReEncrypt") {
    return [
      { action: "kms:ReEncryptFrom", resource: keyArn, context: context(json.SourceEncryptionContext) },
      { action: "kms:ReEncryptTo", resource: destinationKeyArn, context: context(json.DestinationEncryptionContext) },
    ];
  }
  const key = { action: `kms:${operation}`, resource: keyArn, context: context(json.EncryptionContext) };
  const alias = `arn:${partition}:kms:${region}:${accountId}:${json.AliasName}`;
  // Operations on an alias require the permission for both the key and the alias.
  const former = operation === "UpdateAlias" && aliasKeyArn ? [{ ...key, resource: aliasKeyArn }] : [];
  return json.AliasName ? [key, ...former, { ...key, resource: alias }] : [key];
}
