import type { BoundaryBuilder, Deployer, PolicyBuilder } from "../permissions/scope";
import type { PolicyDocument } from "../policy/document";
import type { TrustRule } from "../trust/circleci";
import type { FindingName } from "../trust/lint/findings";

/** The configuration in `config.ts`: which CircleCI jobs AWS trusts, in which accounts, and with which permissions. */
export interface ConfigInput {
  /** The CircleCI organization whose tokens AWS accepts. */
  readonly circleci: CircleCiInput;
  /** Tags of every resource; a tag of a role overrides them. Up to 50; keys of 1–128, values of 0–256 characters. Default: none. */
  readonly tags?: Tags;
  /**
   * The environments by name, at least one. A name is also the stack's: `cdktf deploy <name>`. Up to 60 lower-case
   * letters, digits, `-` and `_`, beginning with a letter.
   */
  readonly environments: { readonly [name: string]: EnvironmentInput };
  /**
   * Jobs that roles must trust or refuse. `keyless test` and `npm test` evaluate each as AWS does, so that a trust rule
   * that allows too much or too little fails before it is deployed. Default: none.
   */
  readonly trustTests?: readonly TrustTest[];
}

/** Tags by key. Keys that differ only in case are refused: IAM treats them as the same key. */
export type Tags = { readonly [key: string]: string };

/** The CircleCI organization whose tokens AWS accepts, and how AWS verifies them. */
export interface CircleCiInput {
  /** A lower-case UUID: CircleCI → Organization Settings → Overview, `CIRCLE_ORGANIZATION_ID` in a job. */
  readonly organizationId: string;
  /**
   * The values of a token's `aud` that AWS accepts: 1–100, each of 1–255 characters without white space. Default:
   * `[organizationId]`, the audience that CircleCI gives to every job's token.
   */
  readonly audiences?: readonly string[];
  /**
   * SHA-1 thumbprints of the issuer's certificate authority: up to 5, each 40 hex digits. Default: none, AWS verifies
   * circleci.com by its own list of trusted authorities. Required for a CircleCI server with a private authority.
   */
  readonly thumbprints?: readonly string[];
  /** The host of a CircleCI server, without `https://`. Default: `oidc.circleci.com`, the issuer of circleci.com. */
  readonly server?: string;
}

/** One environment: an AWS account, the location of its state, and its roles. */
export interface EnvironmentInput {
  /** The AWS account, 12 digits. Nothing is ever planned or changed in another one. */
  readonly accountId: string;
  /** The AWS region, e.g. `us-east-1`; it determines the partition (`aws`, `aws-cn`, `aws-us-gov`, …). */
  readonly region: string;
  /** The location of Terraform's state. */
  readonly state: StateInput;
  /**
   * `create`: this environment creates the IAM OpenID Connect provider. `existing`: the account already has it. An
   * account has one for each issuer, so only one of the environments in an account may create it. Default: `create`.
   */
  readonly oidcProvider?: "create" | "existing";
  /** The account's IAM quotas, where AWS has raised them. Default: the quotas of a new account. */
  readonly quotas?: QuotasInput;
  /**
   * The permissions boundary of the roles that the pipeline deploys: the most that they can do, whatever their policies
   * allow. A policy document, or a function that builds it, e.g. `allowServices(["s3"])`; up to 6,144 characters without
   * white space. The stack creates it as the managed policy `circleci-boundary-<environment>`, which only an
   * administrator deploys. Roles with a `permissionsBoundaryArn` of their own do not get it, nor do roles that only an
   * administrator deploys. Default: none.
   *
   * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
   */
  readonly permissionsBoundary?: PolicyDocument | BoundaryBuilder;
  /** The roles by name: 1–64 letters, digits and `_+=,.@-`; unique in the account without regard to case. */
  readonly roles: { readonly [name: string]: RoleInput };
}

/**
 * IAM quotas that can be raised, up to the limit that AWS sets.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export interface QuotasInput {
  /** Characters of a role's trust policy, without white space: 2,048–4,096. Default: 2,048. */
  readonly trustPolicySize?: number;
  /** Managed policies of one role: 10–20. Default: 10. */
  readonly managedPoliciesPerRole?: number;
  /** Roles of the account: 1,000–5,000. Default: 1,000. */
  readonly rolesPerAccount?: number;
}

/** How a run locks the state: by an item in the table, by an object next to the state, or by both. */
export type Lock = "dynamodb" | "lockfile" | "both";

/** The location of an environment's Terraform state, and its lock. */
export interface StateInput {
  /** The S3 bucket: 3–63 lower-case letters, digits, `-` and `.`; no other AWS account may have one of that name. `keyless bootstrap` creates it. */
  readonly bucket: string;
  /** The DynamoDB table of the locks: 3–255 letters, digits and `_.-`. Required, and created, unless `lock` is `lockfile`. */
  readonly lockTable?: string;
  /**
   * `dynamodb`: an item of `lockTable`. `lockfile`: an object next to the state, no table. `both`: use both locks
   * while migrating from one to the other. Default: `dynamodb`.
   */
  readonly lock?: Lock;
  /**
   * The ARN of a KMS key (not an alias) in the bucket's account and region that encrypts bucket and table. Default: S3's
   * and DynamoDB's own keys.
   */
  readonly kmsKeyArn?: string;
  /** A folder in the bucket for the state, ending with `/`, e.g. `platform/`. Default: none; the state's key is `<environment>/terraform.tfstate`. */
  readonly keyPrefix?: string;
  /** The region of bucket, table and key. Default: the environment's. */
  readonly region?: string;
  /** How many days S3 keeps noncurrent versions of the state: 1–36,500, or `forever`. Default: 90. */
  readonly keepOldVersionsDays?: number | "forever";
}

/** A role that CircleCI jobs assume: the jobs that it trusts, and its permissions. */
export interface RoleInput {
  /** The role trusts jobs that match one of these rules. At least one rule. */
  readonly trust: readonly TrustRule[];
  /** The ARNs of managed policies, AWS's or the account's own: up to 10, or `quotas.managedPoliciesPerRole`. Default: none. */
  readonly managedPolicyArns?: readonly string[];
  /**
   * Inline policies by name, 1–128 letters, digits and `_+=,.@-`: a policy document, or a function that builds it from
   * the environment, e.g. `planEnvironment`, `applyEnvironment` or `readState`. Together up to 10,240 characters.
   * Default: none.
   */
  readonly inlinePolicies?: { readonly [name: string]: PolicyDocument | PolicyBuilder };
  /** The description of the role in IAM: up to 1,000 Latin characters. Default: none. */
  readonly description?: string;
  /** The role's path, which begins and ends with `/`: up to 512 characters. Default: `/`. */
  readonly path?: string;
  /**
   * The ARN of the managed policy that is the role's permissions boundary. Default: the boundary of the environment if
   * the pipeline deploys the role, else none.
   */
  readonly permissionsBoundaryArn?: string;
  /** The longest session, in seconds: 3,600–43,200. Default: 3,600. */
  readonly maxSessionSeconds?: number;
  /** Tags of this role; they override those of the configuration. Up to 50 together. Default: none. */
  readonly tags?: Tags;
  /**
   * Who deploys changes to this role. `pipeline`: the role with `applyEnvironment` may, only while the role has its
   * permissions boundary. `administrator`: only a person with credentials of their own may.
   * `pipeline-as-administrator`: the role with `applyEnvironment` may, and the role has no permissions boundary; this
   * makes the role with `applyEnvironment` an administrator of the account. The role with `applyEnvironment` itself is
   * always deployed by an administrator. Default: `pipeline` if the role has a permissions boundary, its own or that of
   * the environment; otherwise `administrator`.
   */
  readonly deployedBy?: Deployer;
  /**
   * Lint findings of this role that you accept: the reason by the finding's name. An error that is not accepted stops the
   * synthesis; an acceptance of a finding that does not occur is a warning. Default: none.
   */
  readonly acceptedFindings?: AcceptedFindings;
}

/** A role, `environment/role`, or every role of an environment, `environment/*`. */
export type RolePattern = `${string}/${string}`;

/** A job, the roles that must trust it, and the roles that must refuse it. */
export interface TrustTest {
  /** Name of the test. Default: generated from the job and the roles. */
  readonly name?: string;
  /** The job; its organization is the configuration's. */
  readonly job: TestJob;
  /** The roles that must trust it: its V2 token, which the AWS CLI orb sends, or V1 if it has no repository. `[]`: none. */
  readonly admitted: readonly RolePattern[];
  /** The roles that must refuse it, both its V1 and its V2 token. Default: every role that `admitted` does not name. */
  readonly refused?: readonly RolePattern[];
}

/** The claims that CircleCI writes into the tokens of a job. */
export interface TestJob {
  /** The project's id, a lower-case UUID. */
  readonly project: string;
  /** The repository as tokens contain it: host/owner/name; for a fork's pipeline, the fork. Default: the job has only a V1 token, as after a custom webhook. */
  readonly repository?: string;
  /** The branch, without `refs/heads/`. With a repository, either this or `tag`. */
  readonly branch?: string;
  /** The tag, without `refs/tags/`. */
  readonly tag?: string;
  /** The user who started the pipeline, a lower-case UUID. Default: a user id that no rule lists. */
  readonly user?: string;
  /** The token's `aud`. Default: the first of the configuration's audiences. */
  readonly audience?: string;
}

/** The reason by the finding's name: `{ "administrator-any-ref": "a sandbox, emptied every night" }`. */
export type AcceptedFindings = { readonly [finding in FindingName]?: string };
