import type { NamedPolicy } from "../../policy/evaluate";
import type { Account } from "../../trust/provider";
import type { Call, RequiredPermission, ResourceState } from "./call";
import { indexOf, tablesOf } from "./services/dynamodb";
import { iamResourceKind } from "./services/iam";
import { kmsKeyId } from "./services/kms";
import { s3Address } from "./services/s3";
import type { Store } from "./store";

/** Reads the state that determines which permissions a request requires. */
export async function lookUp(call: Call, account: Account, store: Store): Promise<ResourceState> {
  const { service, region, form, operation, json } = call;
  const { accountId, partition } = account;
  const state = { accountId, partition };
  const keyArn = async (keyId: string | undefined) => (keyId ? store.keyArn(account, region, keyId) : undefined);
  switch (service) {
    case "iam": {
      const kind = iamResourceKind(operation)?.kind;
      const user = form.get("UserName");
      const role = form.get("RoleName");
      if (kind === "user" && user) return { ...state, path: await store.userPath(account, user) };
      // AddRoleToInstanceProfile has a role too.
      const isAboutRole = kind === "role" || kind === "instance-profile";
      return { ...state, ...(isAboutRole && role ? await store.role(account, role) : {}) };
    }
    case "dynamodb":
      return { ...state, partitionKeys: await partitionKeys(call, account, store) };
    case "kms": {
      const destinationKeyId = operation === "ReEncrypt" ? json.DestinationKeyId : undefined;
      return {
        ...state,
        keyArn: await keyArn(kmsKeyId(call)),
        destinationKeyArn: await keyArn(destinationKeyId),
        aliasKeyArn: await keyArn(operation === "UpdateAlias" ? json.AliasName : undefined),
      };
    }
    case "s3":
      return { ...state, keyArn: await keyArn(await s3KeyId(call, account, store)) };
    default:
      return state;
  }
}

async function partitionKeys(call: Call, account: Account, store: Store): Promise<Record<string, string>> {
  const keys = await Promise.all(
    tablesOf(call).map(async (table) => {
      const name = table.replace(/^arn:.*:table\//, "");
      return [table, await store.partitionKey(account, call.region, name, indexOf(call))] as const;
    }),
  );
  return Object.fromEntries(keys.filter((key): key is readonly [string, string] => key[1] !== undefined));
}

/** The KMS key that S3 uses for a request: the key of the object that is read, or for the object that is written. */
async function s3KeyId(call: Call, account: Account, store: Store): Promise<string | undefined> {
  const { bucket, key } = s3Address(call);
  if (!bucket || !key) return undefined;
  const { method, headers, url } = call.http;
  if (method === "GET" || method === "HEAD") return store.objectKey(account, call.region, url);
  if (method === "DELETE" || headers["x-amz-server-side-encryption"] === "AES256") return undefined;
  return headers["x-amz-server-side-encryption-aws-kms-key-id"] ?? store.bucketKey(account, call.region, bucket);
}

/** The resource-based policy: of a bucket or a KMS key, or the trust policy of a role that is assumed. */
export async function resourcePolicy(
  { action, resource }: RequiredPermission,
  { region }: Call,
  account: Account,
  store: Store,
): Promise<NamedPolicy | undefined> {
  const [, partition = "", service, , accountId = "", ...rest] = resource.split(":");
  const name = rest.join(":");
  if (service === "s3") return store.bucketPolicy(account, name.split("/")[0] ?? "");
  if (service === "kms" && name.startsWith("key/")) return store.keyPolicy(account, region, resource);
  if (!/^sts:(AssumeRole|TagSession|SetSourceIdentity)$/.test(action)) return undefined;
  return (await store.role({ partition, accountId }, name.split("/").at(-1) ?? ""))?.trust;
}
