import type { NamedPolicy } from "../policy/evaluate";
import type { Stored } from "./asks";
import type { Ask, Call } from "./call";
import { s3Address } from "./s3-asks";
import type { Account, Store } from "./store";

/** What has to be read from the local AWS before it can be said what a request asks for. */
export async function lookUp(call: Call, account: Account, store: Store): Promise<Stored> {
  const { accountId, partition } = account;
  return { accountId, partition, ...(await lookUpNamed(call, account, store)) };
}

async function lookUpNamed(call: Call, account: Account, store: Store): Promise<Partial<Stored>> {
  const { service, region, form, json } = call;
  switch (service) {
    case "iam": {
      const role = form.get("RoleName");
      const user = form.get("UserName");
      if (role) return (await store.role(account, role)) ?? {};
      return user ? { path: await store.userPath(account, user) } : {};
    }
    case "dynamodb":
      return json.TableName ? { partitionKey: await store.partitionKey(account, region, json.TableName) } : {};
    case "kms":
    case "s3": {
      const keyId = service === "kms" ? kmsKeyId(json) : await s3KeyId(call, account, store);
      return keyId ? { keyArn: await store.keyArn(account, region, keyId) } : {};
    }
    default:
      return {};
  }
}

/** The key that a KMS request names; a ciphertext of moto's begins with the id of its key. */
function kmsKeyId({ KeyId, TargetKeyId, CiphertextBlob }: Call["json"]): string | undefined {
  if (KeyId ?? TargetKeyId) return KeyId ?? TargetKeyId;
  return CiphertextBlob && Buffer.from(CiphertextBlob, "base64").subarray(0, 36).toString();
}

/** The KMS key that S3 will use for a request: that of the object which is read, or of the one that is written. */
async function s3KeyId(call: Call, account: Account, store: Store): Promise<string | undefined> {
  const { bucket, key } = s3Address(call);
  if (!bucket || !key) return undefined;
  const { method, headers, url } = call.http;
  if (method === "GET" || method === "HEAD") return store.objectKey(account, call.region, url);
  if (method === "DELETE" || headers["x-amz-server-side-encryption"] === "AES256") return undefined;
  return headers["x-amz-server-side-encryption-aws-kms-key-id"] ?? store.bucketKey(account, call.region, bucket);
}

/** The policy of the resource itself: a bucket's, a KMS key's, or the trust policy of a role that is to be assumed. */
export async function resourcePolicy(
  { action, resource }: Ask,
  { region }: Call,
  account: Account,
  store: Store,
): Promise<NamedPolicy | undefined> {
  const [, partition = "", service, , accountId = "", ...rest] = resource.split(":");
  const name = rest.join(":");
  if (service === "s3") return store.bucketPolicy(account, name.split("/")[0] ?? "");
  if (service === "kms" && name.startsWith("key/")) return store.keyPolicy(account, region, resource);
  if (!/^sts:(AssumeRole|TagSession)$/.test(action)) return undefined;
  return (await store.role({ partition, accountId }, name.split("/").at(-1) ?? ""))?.trust;
}
