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
  readonly permissionsBoundaryArn?: string;
  readonly deployedBy: "pipeline" | "administrator";
}

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
  readonly roles: readonly ScopedRole[];
}

/** Builds a policy document for an environment's role, named `role`. */
export type PolicyBuilder = (scope: EnvironmentScope, role: string) => PolicyDocument;
