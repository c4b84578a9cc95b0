import type { PolicyDocument } from "../policy/document";

/** The place of one stack's state: an object of a bucket, and how runs are kept from each other. */
export interface StateLocation {
  readonly bucket: string;
  /** The state's key in the bucket. */
  readonly key: string;
  /** The region of bucket, table and key. */
  readonly region: string;
  readonly lock: "dynamodb" | "lockfile" | "both";
  /** Present unless the lock is the lock file alone. */
  readonly lockTable?: string;
  /** The ARN of the KMS key that encrypts bucket and table, if it is one of the account's own. */
  readonly kmsKeyArn?: string;
}

/** A role of an environment, as far as permissions to manage it need to know. */
export interface ScopedRole {
  readonly name: string;
  readonly arn: string;
  readonly managedPolicyArns: readonly string[];
  /** By name; what they say does not matter here. */
  readonly inlinePolicies: { readonly [name: string]: unknown };
  readonly permissionsBoundaryArn?: string;
  readonly deployedBy: "pipeline" | "administrator";
}

/** The environment for which permissions are made: its account, its state, its provider and its roles. */
export interface EnvironmentScope {
  readonly accountId: string;
  readonly partition: string;
  /** The end of the names of the partition's service endpoints, e.g. `amazonaws.com`. */
  readonly dnsSuffix: string;
  readonly region: string;
  readonly state: StateLocation;
  readonly oidcProvider: {
    readonly arn: string;
    /** Whether the environment creates the provider or finds it in the account. */
    readonly mode: "create" | "existing";
  };
  readonly roles: readonly ScopedRole[];
}

/** Makes the policy document of one of the environment's roles, named `role`, from the environment. */
export type PolicyBuilder = (scope: EnvironmentScope, role: string) => PolicyDocument;
