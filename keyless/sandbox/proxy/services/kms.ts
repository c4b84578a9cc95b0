import { type Call, prefixed, present, type RequiredPermission, type ResourceState } from "../call";

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
export function kmsPermissions(
  { operation = "", json = {}, region }: Call,
  state: ResourceState,
): RequiredPermission[] {
  const { accountId, partition, keyArn = "*", destinationKeyArn = "*" } = state;
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
