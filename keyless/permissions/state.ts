import type { PolicyDocument, Statement } from "../policy/document";
import type { EnvironmentScope } from "./scope";
import { allow, policy } from "./statement";

type Stated = Pick<EnvironmentScope, "partition" | "dnsSuffix" | "accountId" | "state">;

/**
 * What it takes to read the environment's state, as the `terraform_remote_state` of another configuration does: it
 * takes no lock and writes nothing.
 */
export function readState(scope: Stated): PolicyDocument {
  return policy(readStatements(scope));
}

/**
 * What reading the state and holding its lock take, and nothing that writes the state: a plan.
 *
 * @see https://developer.hashicorp.com/terraform/language/backend/s3#permissions-required
 */
export function lockStatements(scope: Stated): Statement[] {
  const { state } = scope;
  return [
    ...readStatements(scope),
    ...(state.lock === "lockfile"
      ? []
      : [
          allow("DescribeLocks", ["dynamodb:DescribeTable"], [lockTable(scope)]),
          onLockItems("HoldLock", ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"], scope, [
            lockItem(scope),
          ]),
        ]),
    ...(state.lock === "dynamodb"
      ? []
      : [allow("HoldLockFile", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [`${stateObject(scope)}.tflock`])]),
    ...encryption(scope, "EncryptLock", ["kms:Encrypt", "kms:GenerateDataKey"]),
  ];
}

/** What reading and writing the state under its lock take: an apply. */
export function writeStatements(scope: Stated): Statement[] {
  return [
    ...lockStatements(scope),
    allow("WriteState", ["s3:PutObject"], [stateObject(scope)]),
    ...(scope.state.lock === "lockfile"
      ? []
      : [onLockItems("WriteDigest", ["dynamodb:PutItem", "dynamodb:DeleteItem"], scope, [digestItem(scope)])]),
  ];
}

function readStatements(scope: Stated): Statement[] {
  return [
    // Not narrowed to the state's key: without it, S3 answers 403 and not 404 for a state that does not exist yet.
    allow("ListState", ["s3:ListBucket"], [`arn:${scope.partition}:s3:::${scope.state.bucket}`]),
    allow("ReadState", ["s3:GetObject"], [stateObject(scope)]),
    ...(scope.state.lock === "lockfile"
      ? []
      : [onLockItems("ReadDigest", ["dynamodb:GetItem"], scope, [digestItem(scope)])]),
    ...encryption(scope, "DecryptState", ["kms:Decrypt"]),
  ];
}

// Of all items, since a transaction may name several, and of at least one, since "all of none" holds too.
function onLockItems(sid: string, actions: string[], scope: Stated, items: string[]): Statement {
  return allow(sid, actions, [lockTable(scope)], {
    "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": items },
    Null: { "dynamodb:LeadingKeys": "false" },
  });
}

function encryption({ dnsSuffix, state }: Stated, sid: string, actions: string[]): Statement[] {
  if (state.kmsKeyArn === undefined) return [];
  const services = [`s3.${state.region}.${dnsSuffix}`, `dynamodb.${state.region}.${dnsSuffix}`];
  return [allow(sid, actions, [state.kmsKeyArn], { StringEquals: { "kms:ViaService": services } })];
}

function stateObject({ partition, state }: Stated): string {
  return `arn:${partition}:s3:::${state.bucket}/${state.key}`;
}

function lockTable({ partition, accountId, state }: Stated): string {
  return `arn:${partition}:dynamodb:${state.region}:${accountId}:table/${state.lockTable}`;
}

/** The item that is the lock while it exists; Terraform names it after the state. */
function lockItem({ state }: Stated): string {
  return `${state.bucket}/${state.key}`;
}

/** The item that holds the digest of the state, by which Terraform knows that it has read the newest. */
function digestItem(scope: Stated): string {
  return `${lockItem(scope)}-md5`;
}
