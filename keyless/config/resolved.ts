import { applyEnvironment } from "../permissions/environment";
import type { EnvironmentScope, StateLocation } from "../permissions/scope";
import type { PolicyDocument } from "../policy/document";
import { issuerOf, type TrustRule } from "../trust/circleci";
import type { AcceptedFindings, ConfigInput, EnvironmentInput, QuotasInput, RoleInput, Tags, TrustTest } from "./input";
import { partitionOf } from "./partition";

/** The configuration, checked, with every default filled in: what the stacks are made of. */
export interface Config {
  /** In the order of `config.ts`. */
  readonly environments: readonly Environment[];
  /** One for each bucket, named after the first environment that uses it. */
  readonly stateBackends: readonly StateBackend[];
  readonly trustTests: readonly TrustTest[];
}

/** An environment of the configuration, with everything filled in. */
export interface Environment extends EnvironmentScope {
  /** The environment's and its stack's name. */
  readonly name: string;
  readonly circleci: {
    readonly organizationId: string;
    /** The issuer without its `https://`. */
    readonly issuer: string;
    readonly audiences: readonly string[];
    readonly thumbprints: readonly string[];
  };
  readonly tags: Tags;
  readonly quotas: Required<QuotasInput>;
  readonly roles: readonly Role[];
}

/** A role of an environment, with everything filled in and its policies made. */
export interface Role {
  readonly name: string;
  readonly arn: string;
  readonly trust: readonly TrustRule[];
  readonly managedPolicyArns: readonly string[];
  readonly inlinePolicies: { readonly [name: string]: PolicyDocument };
  /** Whether `applyEnvironment` built one of the inline policies: the role deploys the environment. */
  readonly appliesEnvironment: boolean;
  readonly description?: string;
  readonly path: string;
  readonly permissionsBoundaryArn?: string;
  readonly maxSessionSeconds: number;
  /** The configuration's tags and the role's own, which win. */
  readonly tags: Tags;
  readonly deployedBy: "pipeline" | "administrator";
  readonly acceptedFindings: AcceptedFindings;
}

/** The bucket and the table that hold the state of one environment or more, and the place of their own state in it. */
export interface StateBackend {
  /** The stack's name: `<environment>-state`. */
  readonly name: string;
  /** The first environment that uses the bucket, which the stack is named after. */
  readonly environment: string;
  readonly accountId: string;
  readonly partition: string;
  readonly tags: Tags;
  readonly state: StateLocation;
  readonly keepOldVersionsDays: number | "forever";
}

/** Makes the policy that stands at a path by its function; undefined when that cannot be done, which it has noted. */
export type MakePolicy = (path: readonly string[], maker: () => PolicyDocument) => PolicyDocument | undefined;

/**
 * Fills in every default and works out what follows from the configuration: ARNs, state keys, and the policies that are
 * made by functions.
 */
export function resolve(input: ConfigInput, make: MakePolicy): Config {
  const environments = Object.entries(input.environments).map(([name, environment]) =>
    resolveEnvironment(input, name, environment, make),
  );
  return { environments, stateBackends: stateBackends(input, environments), trustTests: input.trustTests ?? [] };
}

function resolveEnvironment(
  input: ConfigInput,
  name: string,
  environment: EnvironmentInput,
  make: MakePolicy,
): Environment {
  const { circleci } = input;
  const { accountId, region } = environment;
  const { name: partition } = partitionOf(region);
  const issuer = issuerOf(circleci.organizationId, circleci.server);
  const rawRoles = Object.entries(environment.roles).map(([roleName, role]) => ({
    ...role,
    name: roleName,
    arn: `arn:${partition}:iam::${accountId}:role${role.path ?? "/"}${roleName}`,
    managedPolicyArns: role.managedPolicyArns ?? [],
    inlinePolicies: role.inlinePolicies ?? {},
    deployedBy: role.deployedBy ?? "pipeline",
  }));
  const scope: EnvironmentScope = {
    accountId,
    partition,
    region,
    state: stateOf(environment, `${name}/terraform.tfstate`),
    dnsSuffix: partitionOf(region).dnsSuffix,
    oidcProvider: {
      arn: `arn:${partition}:iam::${accountId}:oidc-provider/${issuer}`,
      mode: environment.oidcProvider ?? "create",
    },
    roles: rawRoles,
  };
  return {
    ...scope,
    name,
    circleci: {
      organizationId: circleci.organizationId,
      issuer,
      audiences: circleci.audiences ?? [circleci.organizationId],
      // Sorted, since Terraform takes another order for a change.
      thumbprints: (circleci.thumbprints ?? []).map((thumbprint) => thumbprint.toLowerCase()).sort(),
    },
    tags: input.tags ?? {},
    quotas: { trustPolicySize: 2048, managedPoliciesPerRole: 10, rolesPerAccount: 1000, ...environment.quotas },
    roles: rawRoles.map((role) => ({
      ...role,
      inlinePolicies: makePolicies(role, scope, (path, maker) =>
        make(["environments", name, "roles", role.name, "inlinePolicies", ...path], maker),
      ),
      appliesEnvironment: Object.values(role.inlinePolicies).includes(applyEnvironment),
      path: role.path ?? "/",
      maxSessionSeconds: role.maxSessionSeconds ?? 3600,
      tags: { ...input.tags, ...role.tags },
      acceptedFindings: role.acceptedFindings ?? {},
    })),
  };
}

function makePolicies(
  { name, inlinePolicies }: { name: string; inlinePolicies: NonNullable<RoleInput["inlinePolicies"]> },
  scope: EnvironmentScope,
  make: MakePolicy,
): Role["inlinePolicies"] {
  return Object.fromEntries(
    Object.entries(inlinePolicies).flatMap(([policy, given]) => {
      const document = typeof given === "function" ? make([policy], () => given(scope, name)) : given;
      return document === undefined ? [] : [[policy, document]];
    }),
  );
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

// Environments that name the same bucket share its backend; that they agree on all of it is one of the checks.
function stateBackends(input: ConfigInput, environments: readonly Environment[]): StateBackend[] {
  const firstOfBucket = new Map<string, Environment>();
  for (const environment of environments) {
    if (!firstOfBucket.has(environment.state.bucket)) firstOfBucket.set(environment.state.bucket, environment);
  }
  return [...firstOfBucket.values()].flatMap((environment) => {
    const given = input.environments[environment.name];
    if (given === undefined) return [];
    const name = `${environment.name}-state`;
    return {
      name,
      environment: environment.name,
      accountId: environment.accountId,
      partition: environment.partition,
      tags: environment.tags,
      state: stateOf(given, `${name}/terraform.tfstate`),
      keepOldVersionsDays: given.state.keepOldVersionsDays ?? 90,
    };
  });
}
