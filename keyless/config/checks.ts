import { policySize } from "../policy/document";
import { evaluate } from "../policy/evaluate";
import { closestName, didYouMean } from "../text";
import { describeSubject, subjectPatterns, subjectPrefix, type TrustRule, UUID } from "../trust/circleci";
import type { ConfigInput, Tags } from "./input";
import { ACCOUNT_ID, REGION_NAME, terraformName } from "./names";
import { partitionOf } from "./partition";
import type { Problem, ProblemPath } from "./problem";
import { FIXED_QUOTAS, MAX_QUOTAS } from "./quotas";
import type { Config, Environment, Role } from "./resolved";
import { trustPolicyOf } from "./trust";

/** Checks fields against each other, against the quotas of AWS, and across environments. */
export function checkConfig(input: ConfigInput, config: Config): Problem[] {
  return [
    ...checkCircleCi(input),
    ...config.environments.flatMap((environment) => [
      ...checkState(environment),
      ...checkTerraformNames(environment),
      ...checkBoundary(environment),
      ...environment.roles.flatMap((role) => checkRole(environment, role)),
    ]),
    ...checkAccounts(config),
    ...checkSharedBuckets(input, config),
    ...checkSharedTables(config),
    ...checkStateKeys(config),
    ...checkStackNames(config),
    ...checkTrustTests(config),
  ];
}

function checkCircleCi({ circleci, tags = {} }: ConfigInput): Problem[] {
  const { audiences = [], thumbprints = [] } = circleci;
  return [
    ...atMost(FIXED_QUOTAS.audiences, audiences.length, ["circleci", "audiences"], "audiences"),
    ...atMost(FIXED_QUOTAS.thumbprints, thumbprints.length, ["circleci", "thumbprints"], "thumbprints"),
    ...atMost(FIXED_QUOTAS.tags, Object.keys(tags).length, ["tags"], "tags"),
    ...repeats(audiences, ["circleci", "audiences"]),
    ...repeats(thumbprints, ["circleci", "thumbprints"]),
    ...checkTagKeys(tags, ["tags"]),
  ];
}

function checkState({ name, accountId, partition, region, state }: Environment): Problem[] {
  const path = ["environments", name, "state"];
  const { lock, lockTable, kmsKeyArn } = state;
  const isKnown = ACCOUNT_ID.test(accountId) && REGION_NAME.test(region) && REGION_NAME.test(state.region);
  const keyPrefix = `arn:${partition}:kms:${state.region}:${accountId}:key/`;
  return [
    ...problemIf(
      lock !== "lockfile" && lockTable === undefined,
      [...path, "lockTable"],
      `is missing: lock "${lock}" requires a DynamoDB table; name one, or set lock: "lockfile"`,
    ),
    ...problemIf(
      isKnown && partitionOf(state.region).name !== partition,
      [...path, "region"],
      `is in another partition than ${region}: use a region of partition ${partition}`,
      state.region,
    ),
    ...problemIf(
      isKnown && kmsKeyArn !== undefined && !kmsKeyArn.startsWith(keyPrefix),
      [...path, "kmsKeyArn"],
      `is in another account or region than the bucket: use a key of account ${accountId} in ${state.region}`,
      kmsKeyArn,
    ),
  ];
}

function checkTerraformNames({ name, roles }: Environment): Problem[] {
  return collisions(
    roles,
    (role) => terraformName(role.name),
    (role, other) => ({
      path: ["environments", name, "roles", role.name],
      message: `has the same Terraform name as role "${other.name}", "${terraformName(role.name)}", because Terraform names do not contain +=,.@: rename one of them`,
    }),
  );
}

function checkBoundary({ name, permissionsBoundary }: Environment): Problem[] {
  const size = permissionsBoundary === undefined ? 0 : policySize(permissionsBoundary.document);
  return problemIf(
    size > FIXED_QUOTAS.managedPolicy,
    ["environments", name, "permissionsBoundary"],
    `has ${withSeparators(size)} characters, white space not counted; ${quotaText(FIXED_QUOTAS.managedPolicy)}: use wildcards, or list fewer resources`,
  );
}

/** Whether the pipeline can deploy a role safely, and whether the boundary of the environment suits the role. */
function checkDeployer(environment: Environment, role: Role, path: ProblemPath): Problem[] {
  const { permissionsBoundaryArn: boundaryArn, deployedBy } = role;
  const hasApplyRole = () =>
    environment.roles.some(({ policyBuilders }) => buildersIn(policyBuilders).includes("applyEnvironment"));
  const usesState = buildersIn(role.policyBuilders).some((builder) => builder !== "other");
  return [
    ...problemIf(
      deployedBy === "pipeline" && boundaryArn === undefined && hasApplyRole(),
      [...path, "deployedBy"],
      `requires a permissions boundary, because the role with applyEnvironment can otherwise grant this role any permission: set permissionsBoundary of environments.${environment.name}, e.g. allowServices(["s3"]), or permissionsBoundaryArn of the role; or set deployedBy: "administrator"; or, to make the role with applyEnvironment an administrator of the account, deployedBy: "pipeline-as-administrator"`,
      deployedBy,
    ),
    ...problemIf(
      deployedBy === "pipeline-as-administrator" && boundaryArn !== undefined,
      [...path, "deployedBy"],
      'contradicts permissionsBoundaryArn: set deployedBy: "pipeline", or remove the boundary',
      deployedBy,
    ),
    ...problemIf(
      usesState && boundaryArn === environment.permissionsBoundary?.arn && !boundaryAllowsState(environment, role),
      path,
      'uses the state of the environment, which the permissions boundary of the environment denies: set deployedBy: "administrator"',
    ),
  ];
}

const buildersIn = (policyBuilders: Role["policyBuilders"]) => Object.values(policyBuilders);

function boundaryAllowsState({ permissionsBoundary: boundary, partition, state }: Environment, role: Role): boolean {
  if (boundary === undefined) return true;
  const principal = { kind: "AWS", id: role.arn } as const;
  const resource = `arn:${partition}:s3:::${state.bucket}/${state.key}`;
  const everything = { Statement: { Effect: "Allow", Action: "*", Resource: "*" } } as const;
  const policies = { identity: [{ name: role.name, document: everything }], boundary };
  return evaluate(policies, { principal, action: "s3:GetObject", resource, context: {} }).outcome === "allowed";
}

function checkRole(environment: Environment, role: Role): Problem[] {
  const path = ["environments", environment.name, "roles", role.name];
  const { managedPolicyArns, permissionsBoundaryArn, tags } = role;
  const inlineSize = Object.values(role.inlinePolicies).reduce((sum, document) => sum + policySize(document), 0);
  return [
    ...role.trust.flatMap((rule, index) => checkSubject(environment, rule, [...path, "trust", index, "subject"])),
    ...checkTrustSize(environment, role, [...path, "trust"]),
    ...checkDeployer(environment, role, path),
    ...atMost(
      environment.quotas.managedPoliciesPerRole,
      managedPolicyArns.length,
      [...path, "managedPolicyArns"],
      "managed policies",
      { environment, quota: "managedPoliciesPerRole" },
    ),
    ...repeats(managedPolicyArns, [...path, "managedPolicyArns"]),
    ...managedPolicyArns.flatMap((arn, index) =>
      checkPolicyArn(environment, arn, [...path, "managedPolicyArns", index]),
    ),
    ...checkPolicyArn(environment, permissionsBoundaryArn, [...path, "permissionsBoundaryArn"]),
    ...problemIf(
      inlineSize > FIXED_QUOTAS.inlinePolicies,
      [...path, "inlinePolicies"],
      `have ${withSeparators(inlineSize)} characters in total, white space not counted; ${quotaText(FIXED_QUOTAS.inlinePolicies)}: move some permissions to a managed policy and list it in managedPolicyArns`,
    ),
    ...(Object.keys(environment.tags).length > FIXED_QUOTAS.tags
      ? []
      : atMost(
          FIXED_QUOTAS.tags,
          Object.keys(tags).length,
          [...path, "tags"],
          "tags including those of the configuration",
        )),
    ...checkTagKeys(tags, [...path, "tags"]),
  ];
}

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules */
function checkTagKeys(tags: Tags, path: ProblemPath): Problem[] {
  return collisions(
    Object.keys(tags),
    (key) => key.toLowerCase(),
    (key, other) => ({
      path: [...path, key],
      message: `differs only in case from the tag "${other}", which IAM treats as the same key: use one spelling, or remove one`,
    }),
  );
}

function checkSubject({ circleci }: Environment, rule: TrustRule, path: ProblemPath): Problem[] {
  if (!("subject" in rule)) return [];
  const scope = describeSubject(rule.subject);
  const pinned = "project" in scope && scope.organization === circleci.organizationId && UUID.test(scope.project);
  return problemIf(
    !pinned,
    path,
    `does not pin organization and project: it must begin with the literal ${subjectPrefix(circleci.organizationId)}`,
    rule.subject,
  );
}

function checkTrustSize(environment: Environment, role: Role, path: ProblemPath): Problem[] {
  const { circleci, quotas } = environment;
  const rules = role.trust.filter((rule) => subjectPatterns(rule, circleci.organizationId).length > 0);
  if (rules.length === 0 || circleci.audiences.length === 0) return [];
  const size = policySize(trustPolicyOf(environment, rules));
  const quota = quotaText(quotas.trustPolicySize, { environment, quota: "trustPolicySize" });
  return problemIf(
    size > quotas.trustPolicySize,
    path,
    `results in a trust policy of ${withSeparators(size)} characters, white space not counted; ${quota}: list fewer refs, use a * at the end of names, or split the role`,
  );
}

function checkPolicyArn(
  { accountId, partition, region }: Environment,
  arn: string | undefined,
  path: ProblemPath,
): Problem[] {
  // An account or a region of another form is a problem of its own.
  if (arn === undefined || !ACCOUNT_ID.test(accountId) || !REGION_NAME.test(region)) return [];
  const [, arnPartition, , , owner] = arn.split(":");
  const other = arnPartition !== partition ? "partition" : "account";
  return problemIf(
    arnPartition !== partition || (owner !== "aws" && owner !== accountId),
    path,
    `is in another ${other}: use an AWS managed policy (arn:${partition}:iam::aws:policy/…) or one of account ${accountId}`,
    arn,
  );
}

function checkAccounts({ environments }: Config): Problem[] {
  return [...new Set(environments.map(({ accountId }) => accountId))].flatMap((accountId) => {
    const ofAccount = environments.filter((environment) => environment.accountId === accountId);
    const roles = ofAccount.flatMap((environment) => environment.roles.map((role) => ({ environment, role })));
    const [first] = ofAccount;
    return [
      ...collisions(
        ofAccount.filter(({ oidcProvider }) => oidcProvider.mode === "create"),
        () => accountId,
        (environment, other) => ({
          path: ["environments", environment.name, "oidcProvider"],
          value: "create",
          message: `would create the provider of account ${accountId}, which environment "${other.name}" already creates: set oidcProvider: "existing"`,
        }),
      ),
      ...collisions(
        roles,
        ({ role }) => role.name.toLowerCase(),
        ({ environment, role }, other) => ({
          path: ["environments", environment.name, "roles", role.name],
          message: `has the same name as role "${other.role.name}" of environment "${other.environment.name}" in account ${accountId}; role names are unique without regard to case: rename one of them`,
        }),
      ),
      ...atMost(
        Math.max(...ofAccount.map(({ quotas }) => quotas.rolesPerAccount)),
        roles.length,
        ["environments", first?.name ?? "", "roles"],
        `roles in account ${accountId}`,
        first && { environment: first, quota: "rolesPerAccount" },
      ),
    ];
  });
}

function checkSharedBuckets(input: ConfigInput, { environments, stateBackends }: Config): Problem[] {
  return environments.flatMap(({ name, accountId, state, keepOldVersionsDays }) => {
    const backend = stateBackends.find((other) => other.state.bucket === state.bucket);
    if (backend === undefined) return [];
    const path = ["environments", name, "state"];
    const first = backend.environment;
    if (backend.accountId !== accountId) {
      const message = `is the bucket of environment "${first}" in account ${backend.accountId}; a bucket belongs to one account: use another bucket`;
      return [{ path: [...path, "bucket"], value: state.bucket, message }];
    }
    const own = { ...state, keepOldVersionsDays };
    const shared = { ...backend.state, keepOldVersionsDays: backend.keepOldVersionsDays };
    const written = input.environments[name]?.state;
    return (["region", "lock", "lockTable", "kmsKeyArn", "keepOldVersionsDays"] as const).flatMap((field) => {
      const difference = `differs from ${JSON.stringify(shared[field]) ?? "none"} in environment "${first}", which uses the same bucket: make them equal, or use another bucket`;
      // The path of a default is that of the value that determines it.
      return written?.[field] !== undefined
        ? problemIf(shared[field] !== own[field], [...path, field], difference, own[field])
        : problemIf(
            shared[field] !== own[field],
            path,
            `has no ${field}: ${own[field] === undefined ? "this" : `the default, ${JSON.stringify(own[field])},`} ${difference}`,
          );
    });
  });
}

function checkSharedTables({ stateBackends }: Config): Problem[] {
  return collisions(
    stateBackends.filter(({ state }) => state.lockTable !== undefined),
    ({ accountId, state }) => `${accountId}/${state.region}/${state.lockTable}`,
    (backend, other) => ({
      path: ["environments", backend.environment, "state", "lockTable"],
      value: backend.state.lockTable,
      message: `is the table of bucket ${other.state.bucket} in environment "${other.environment}": use another table, or the same bucket`,
    }),
  );
}

function checkStateKeys({ environments, stateBackends }: Config): Problem[] {
  return collisions(
    [...environments.map(({ name, state }) => ({ name, state, environment: name })), ...stateBackends],
    ({ state }) => `${state.bucket}/${state.key}`,
    (stack, other) => ({
      path: ["environments", stack.environment, "state", "keyPrefix"],
      message: `gives stack "${stack.name}" the state key of stack "${other.name}", ${stack.state.key} in ${stack.state.bucket}: rename the environment or use another keyPrefix`,
    }),
  );
}

function checkStackNames({ environments, stateBackends }: Config): Problem[] {
  return stateBackends
    .filter((backend) => environments.some(({ name }) => name === backend.name))
    .map(({ name, environment }) => ({
      path: ["environments", name],
      message: `has the name of the state backend of environment "${environment}": rename it`,
    }));
}

function checkTrustTests({ environments, trustTests }: Config): Problem[] {
  const known = new Set(
    environments.flatMap(({ name, roles }) => [`${name}/*`, ...roles.map((role) => `${name}/${role.name}`)]),
  );
  return trustTests.flatMap(({ admitted, refused = [] }, index) =>
    Object.entries({ admitted, refused }).flatMap(([field, patterns]) =>
      patterns.flatMap((pattern, at) => [
        ...problemIf(
          !known.has(pattern),
          ["trustTests", index, field, at],
          `is not a role of this configuration: write "environment/role", or "environment/*" for all of its roles${didYouMean(closestName(pattern, [...known]))}`,
          pattern,
        ),
        ...problemIf(
          field === "refused" && admitted.includes(pattern),
          ["trustTests", index, field, at],
          "must both trust and refuse the job: remove it from admitted or from refused",
          pattern,
        ),
      ]),
    ),
  );
}

function problemIf(wrong: boolean, path: ProblemPath, message: string, value?: unknown): Problem[] {
  return wrong ? [{ path, value, message }] : [];
}

/** An adjustable quota of an environment's account. */
interface AdjustableQuota {
  readonly environment: Environment;
  readonly quota: keyof Environment["quotas"];
}

function atMost(limit: number, size: number, path: ProblemPath, what: string, adjustable?: AdjustableQuota): Problem[] {
  const message = `has ${withSeparators(size)} ${what}; ${quotaText(limit, adjustable)}: remove some`;
  return problemIf(size > limit, path, message);
}

function quotaText(limit: number, adjustable?: AdjustableQuota): string {
  const text = `the AWS quota is ${withSeparators(limit)}`;
  if (adjustable === undefined) return `${text} and cannot be raised`;
  const { environment, quota } = adjustable;
  if (limit >= MAX_QUOTAS[quota]) return `${text}, the maximum`;
  return `${text}; AWS raises it to up to ${withSeparators(MAX_QUOTAS[quota])} on request (then set environments.${environment.name}.quotas.${quota})`;
}

function repeats(values: readonly string[], path: ProblemPath): Problem[] {
  return values.flatMap((value, index) =>
    problemIf(values.indexOf(value) < index, [...path, index], "is listed twice: remove one", value),
  );
}

/** A problem for every item that has the same key as an earlier one. */
function collisions<T>(
  items: readonly T[],
  key: (item: T) => string,
  problem: (item: T, earlier: T) => Problem,
): Problem[] {
  const first = new Map<string, T>();
  return items.flatMap((item) => {
    const earlier = first.get(key(item));
    if (earlier === undefined) first.set(key(item), item);
    return earlier === undefined ? [] : [problem(item, earlier)];
  });
}

/** An integer with thousands separators. `toLocaleString` takes 10 ms in every synthesis, to load its data. */
function withSeparators(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}
