import type { PolicyDocument, Statement } from "../policy/document";
import type { EnvironmentScope } from "./scope";
import { allow, compact, policy } from "./statement";

type StateScope = Pick<EnvironmentScope, "partition" | "dnsSuffix" | "accountId" | "state">;

/**
 * Permissions to read the environment's state without its lock, e.g. for `terraform_remote_state` in another
 * configuration.
 */
export function readState(scope: StateScope): PolicyDocument {
  return policy(planStatements(scope));
}

/** Permissions to read the state: `terraform init`, and `terraform plan -lock=false`. */
export function planStatements(scope: StateScope): Statement[] {
  return compact([
    // Not limited to the state's key: without s3:ListBucket, S3 returns 403 instead of 404 for a state that does not exist.
    allow("ListState", ["s3:ListBucket"], [`arn:${scope.partition}:s3:::${scope.state.bucket}`]),
    allow("ReadState", ["s3:GetObject"], [stateObject(scope)]),
    scope.state.lock !== "lockfile" && onLockItem("ReadDigest", ["dynamodb:GetItem"], scope, digestItem(scope)),
    encryption(scope, "DecryptState", ["kms:Decrypt"]),
  ]);
}

/**
 * Permissions to read and write the state and hold its lock: an apply.
 *
 * @see https://developer.hashicorp.com/terraform/language/backend/s3#permissions-required
 */
export function writeStatements(scope: StateScope): Statement[] {
  const { lock } = scope.state;
  const holdLock = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"];
  const writeDigest = ["dynamodb:PutItem", "dynamodb:DeleteItem"];
  const lockFile = `${stateObject(scope)}.tflock`;
  return compact([
    ...planStatements(scope),
    lock !== "lockfile" && allow("DescribeLocks", ["dynamodb:DescribeTable"], [lockTable(scope)]),
    lock !== "lockfile" && onLockItem("HoldLock", holdLock, scope, lockItem(scope)),
    lock !== "dynamodb" && allow("HoldLockFile", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [lockFile]),
    encryption(scope, "EncryptLock", ["kms:Encrypt", "kms:GenerateDataKey"]),
    allow("WriteState", ["s3:PutObject"], [stateObject(scope)]),
    lock !== "lockfile" && onLockItem("WriteDigest", writeDigest, scope, digestItem(scope)),
  ]);
}

// A request can name several items, hence ForAllValues, which is also true for none, hence Null.
function onLockItem(sid: string, actions: string[], scope: StateScope, item: string): Statement {
  return allow(sid, actions, [lockTable(scope)], {
    "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": [item] },
    Null: { "dynamodb:LeadingKeys": "false" },
  });
}

function encryption({ dnsSuffix, state }: StateScope, sid: string, actions: string[]): Statement | false {
  if (state.kmsKeyArn === undefined) return false;
  const services = [`s3.${state.region}.${dnsSuffix}`, `dynamodb.${state.region}.${dnsSuffix}`];
  return allow(sid, actions, [state.kmsKeyArn], { StringEquals: { "kms:ViaService": services } });
}

function stateObject({ partition, state }: StateScope): string {
  return `arn:${partition}:s3:::${state.bucket}/${state.key}`;
}

function lockTable({ partition, accountId, state }: StateScope): string {
  return `arn:${partition}:dynamodb:${state.region}:${accountId}:table/${state.lockTable}`;
}

/** The item that is the lock; Terraform creates and deletes it. */
function lockItem({ state }: StateScope): string {
  return `${state.bucket}/${state.key}`;
}

/** The item with the digest of the state; Terraform compares it to detect an outdated state. */
function digestItem(scope: StateScope): string {
  return `${lockItem(scope)}-md5`;
}
