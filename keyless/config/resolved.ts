import { isDeepStrictEqual } from "node:util";
import { applyEnvironment, planEnvironment } from "../permissions/environment";
import type {
  BoundaryBuilder,
  Deployer,
  EnvironmentScope,
  PolicyBuilder,
  ScopedRole,
  StateLocation,
} from "../permissions/scope";
import { readState, writeStatements } from "../permissions/state";
import { type PolicyDocument, type Statement, statements } from "../policy/document";
import { formatIssuer, type TrustRule } from "../trust/circleci";
import { providerArn } from "../trust/provider";
import type { AcceptedFindings, ConfigInput, EnvironmentInput, QuotasInput, RoleInput, Tags, TrustTest } from "./input";
import { boundaryPolicyName } from "./names";
import { partitionOf } from "./partition";
import { DEFAULT_QUOTAS } from "./quotas";

/** The configuration, checked, with every default filled in: the input of the stacks. */
export interface Config {
  /** In the order of `config.ts`. */
  readonly environments: readonly Environment[];
  /** One for each bucket, named after the first environment that uses it. */
  readonly stateBackends: readonly StateBackend[];
  readonly trustTests: readonly TrustTest[];
  /** What is most likely a mistake: a line each, with path, value and fix. */
  readonly warnings: readonly string[];
}

/** An environment of the configuration, with all defaults filled in. */
export interface Environment extends EnvironmentScope {
  /** The name of the environment and of its stack. */
  readonly name: string;
  readonly circleci: {
    readonly organizationId: string;
    /** The issuer without `https://`. */
    readonly issuer: string;
    readonly audiences: readonly string[];
    readonly thumbprints: readonly string[];
  };
  readonly tags: Tags;
  /** How long S3 keeps noncurrent versions of the state. */
  readonly keepOldVersionsDays: number | "forever";
  readonly quotas: Required<QuotasInput>;
  readonly permissionsBoundary?: ManagedPolicy;
  readonly roles: readonly Role[];
}

/** A customer managed policy that a stack creates. */
export interface ManagedPolicy {
  readonly name: string;
  readonly arn: string;
  readonly document: PolicyDocument;
}

const BUILDERS = { applyEnvironment, planEnvironment, readState };

/** The function of this project that built a policy; `other` for documents and for a team's own functions. */
export type BuilderName = keyof typeof BUILDERS | "other";

/** A role of an environment, with all defaults filled in and its policies built. */
export interface Role extends ScopedRole {
  readonly trust: readonly TrustRule[];
  readonly inlinePolicies: { readonly [name: string]: PolicyDocument };
  /** The function that built each inline policy, by the policy's name. */
  readonly policyBuilders: { readonly [name: string]: BuilderName };
  readonly description?: string;
  readonly path: string;
  readonly maxSessionSeconds: number;
  /** The configuration's tags, overridden by the role's own. */
  readonly tags: Tags;
  readonly acceptedFindings: AcceptedFindings;
}

/** The bucket and table for the state of one or more environments, and the location of their own state in the bucket. */
export interface StateBackend
  extends Pick<Environment, "accountId" | "partition" | "tags" | "state" | "keepOldVersionsDays"> {
  /** The stack's name: `<environment>-state`. */
  readonly name: string;
  /** The first environment that uses the bucket. */
  readonly environment: string;
}

/** Calls the function that builds the policy at `path`; records a problem and returns undefined if it throws. */
export type BuildPolicy = (path: readonly string[], builder: () => PolicyDocument) => PolicyDocument | undefined;

/** Fills in the defaults and derives ARNs, state keys, state backends, and the policies that functions build. */
export function resolve(input: ConfigInput, build: BuildPolicy): Config {
  const environments = Object.entries(input.environments).map(([name, environment]) =>
    resolveEnvironment(input, name, environment, build),
  );
  return {
    environments,
    stateBackends: stateBackends(input, environments),
    trustTests: input.trustTests ?? [],
    warnings: [],
  };
}

function resolveEnvironment(
  input: ConfigInput,
  name: string,
  environment: EnvironmentInput,
  build: BuildPolicy,
): Environment {
  const { circleci } = input;
  const { accountId, region } = environment;
  const { name: partition, dnsSuffix } = partitionOf(region);
  const issuer = formatIssuer({ host: circleci.server, organization: circleci.organizationId });
  const boundary = environment.permissionsBoundary && {
    name: boundaryPolicyName(name),
    arn: `arn:${partition}:iam::${accountId}:policy/${boundaryPolicyName(name)}`,
    given: environment.permissionsBoundary,
  };
  const rawRoles = Object.entries(environment.roles).map(([roleName, role]) => ({
    ...role,
    ...deploymentOf(role, boundary?.arn),
    name: roleName,
    arn: `arn:${partition}:iam::${accountId}:role${role.path ?? "/"}${roleName}`,
    managedPolicyArns: role.managedPolicyArns ?? [],
    inlinePolicies: role.inlinePolicies ?? {},
  }));
  const scope: EnvironmentScope = {
    accountId,
    partition,
    dnsSuffix,
    region,
    state: stateOf(environment, `${name}/terraform.tfstate`),
    oidcProvider: {
      arn: providerArn(issuer, { accountId, partition }),
      mode: environment.oidcProvider ?? "create",
    },
    ...(boundary && { permissionsBoundary: { arn: boundary.arn } }),
    roles: rawRoles,
    accountStates: Object.entries(input.environments)
      .filter(([, other]) => other.accountId === accountId)
      .map(([other, given]) => stateOf(given, `${other}/terraform.tfstate`)),
  };
  return {
    ...scope,
    name,
    permissionsBoundary:
      boundary &&
      buildBoundary(boundary, scope, (builder) => build(["environments", name, "permissionsBoundary"], builder)),
    circleci: {
      organizationId: circleci.organizationId,
      issuer,
      audiences: circleci.audiences ?? [circleci.organizationId],
      // Sorted: to Terraform, another order is a change.
      thumbprints: (circleci.thumbprints ?? []).map((thumbprint) => thumbprint.toLowerCase()).sort(),
    },
    tags: input.tags ?? {},
    keepOldVersionsDays: environment.state.keepOldVersionsDays ?? 90,
    quotas: { ...DEFAULT_QUOTAS, ...environment.quotas },
    roles: rawRoles.map((role) => ({
      ...role,
      ...buildPolicies(role, scope, (path, builder) =>
        build(["environments", name, "roles", role.name, "inlinePolicies", ...path], builder),
      ),
      path: role.path ?? "/",
      maxSessionSeconds: role.maxSessionSeconds ?? 3600,
      tags: { ...input.tags, ...role.tags },
      acceptedFindings: role.acceptedFindings ?? {},
    })),
  };
}

/** Who deploys a role, and its permissions boundary; `environmentBoundary` is that of the environment. */
function deploymentOf(
  { permissionsBoundaryArn: own, deployedBy, inlinePolicies = {} }: RoleInput,
  environmentBoundary: string | undefined,
): Pick<ScopedRole, "deployedBy" | "permissionsBoundaryArn"> {
  const hasBoundary = (own ?? environmentBoundary) !== undefined;
  const byDefault: Deployer = hasBoundary ? "pipeline" : "administrator";
  const deployer = Object.values(inlinePolicies).includes(applyEnvironment)
    ? "administrator"
    : (deployedBy ?? byDefault);
  const permissionsBoundaryArn = own ?? (deployer === "pipeline" ? environmentBoundary : undefined);
  return { deployedBy: deployer, ...(permissionsBoundaryArn !== undefined && { permissionsBoundaryArn }) };
}

function buildBoundary(
  { name, arn, given }: Omit<ManagedPolicy, "document"> & { readonly given: PolicyDocument | BoundaryBuilder },
  scope: EnvironmentScope,
  build: (builder: () => PolicyDocument) => PolicyDocument | undefined,
): ManagedPolicy | undefined {
  const document = typeof given === "function" ? build(() => given(scope)) : given;
  return document && { name, arn, document };
}

function buildPolicies(
  { name, inlinePolicies }: { name: string; inlinePolicies: NonNullable<RoleInput["inlinePolicies"]> },
  scope: EnvironmentScope,
  build: BuildPolicy,
): Pick<Role, "inlinePolicies" | "policyBuilders"> {
  const built = Object.entries(inlinePolicies).flatMap(([policy, given]) => {
    const document = typeof given === "function" ? build([policy], () => given(scope, name)) : given;
    return document === undefined ? [] : [{ policy, document, builder: builderOf(given, document, scope, name) }];
  });
  return {
    inlinePolicies: Object.fromEntries(built.map(({ policy, document }) => [policy, document])),
    policyBuilders: Object.fromEntries(built.map(({ policy, builder }) => [policy, builder])),
  };
}

// A policy that adds statements to those of applyEnvironment still deploys the environment.
function builderOf(
  given: PolicyDocument | PolicyBuilder,
  document: PolicyDocument,
  scope: EnvironmentScope,
  role: string,
): BuilderName {
  const names = Object.keys(BUILDERS) as (keyof typeof BUILDERS)[];
  const named = names.find((name) => BUILDERS[name] === given);
  if (named !== undefined) return named;
  const found = statements(document);
  const includes = (expected: readonly Statement[]) =>
    expected.every((statement) => found.some((other) => isDeepStrictEqual(other, statement)));
  // The first check is cheap: applyEnvironment visits every role of the environment.
  const applies = includes(writeStatements(scope)) && includes(statements(applyEnvironment(scope, role)));
  return applies ? "applyEnvironment" : "other";
}

function stateOf({ region, state }: EnvironmentInput, name: string): StateLocation {
  const lock = state.lock ?? "dynamodb";
  return {
    bucket: state.bucket,
    key: `${state.keyPrefix ?? ""}${name}`,
    region: state.region ?? region,
    lock,
    ...(lock !== "lockfile" && { lockTable: state.lockTable }),
    ...(state.kmsKeyArn !== undefined && { kmsKeyArn: state.kmsKeyArn }),
  };
}

// Environments with the same bucket share a backend; checks.ts verifies that their settings are equal.
function stateBackends(input: ConfigInput, environments: readonly Environment[]): StateBackend[] {
  const buckets = environments.map(({ state }) => state.bucket);
  return environments.flatMap(({ name: environment, accountId, partition, tags, keepOldVersionsDays }, index) => {
    const given = input.environments[environment];
    if (given === undefined || buckets.indexOf(given.state.bucket) < index) return [];
    const name = `${environment}-state`;
    const state = stateOf(given, `${name}/terraform.tfstate`);
    return [{ name, environment, accountId, partition, tags, state, keepOldVersionsDays }];
  });
}
