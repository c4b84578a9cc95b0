import type { PolicyDocument } from "../policy/document";

/** The location of a stack's state, and its lock. */
export interface StateLocation {
  readonly bucket: string;
  /** The state's key in the bucket. */
  readonly key: string;
  /** The region of bucket, table and key. */
  readonly region: string;
  readonly lock: "dynamodb" | "lockfile" | "both";
  /** Absent if `lock` is `lockfile`. */
  readonly lockTable?: string;
  /** The ARN of the KMS key that encrypts bucket and table. Absent: keys owned by AWS. */
  readonly kmsKeyArn?: string;
}

/** A role of an environment: the fields that determine the permissions to manage it. */
export interface ScopedRole {
  readonly name: string;
  readonly arn: string;
  readonly managedPolicyArns: readonly string[];
  /** By name; the content is not used. */
  readonly inlinePolicies: { readonly [name: string]: unknown };
  /** The role's own permissions boundary, else that of the environment. Absent: none. */
  readonly permissionsBoundaryArn?: string;
  readonly deployedBy: Deployer;
}

/**
 * Who deploys a role. `pipeline`: the role with `applyEnvironment`, only while the role has its permissions boundary.
 * `administrator`: only a person with credentials of their own. `pipeline-as-administrator`: the role with
 * `applyEnvironment`, without a boundary, which makes that role an administrator of the account.
 */
export type Deployer = "pipeline" | "administrator" | "pipeline-as-administrator";

/** An environment: the fields that determine the permissions to manage it. */
export interface EnvironmentScope {
  readonly accountId: string;
  readonly partition: string;
  /** The DNS suffix of the partition's service endpoints, e.g. `amazonaws.com`. */
  readonly dnsSuffix: string;
  readonly region: string;
  readonly state: StateLocation;
  readonly oidcProvider: {
    readonly arn: string;
    /** `existing`: the account already has the provider. */
    readonly mode: "create" | "existing";
  };
  /** The permissions boundary that the environment's stack creates. Absent: none. */
  readonly permissionsBoundary?: { readonly arn: string };
  readonly roles: readonly ScopedRole[];
  /** The states of all environments of the account, this one included. */
  readonly accountStates: readonly StateLocation[];
}

/** Builds a policy document for an environment's role, named `role`. */
export type PolicyBuilder = (scope: EnvironmentScope, role: string) => PolicyDocument;

/** Builds the permissions boundary of an environment. */
export type BoundaryBuilder = (scope: EnvironmentScope) => PolicyDocument;
