import { policySize } from "../policy/size";
import { describeSubject, subjectPatterns, subjectPrefix, type TrustRule, UUID } from "../trust/circleci";
import { trustPolicy } from "../trust/policy";
import type { ConfigInput, Tags } from "./input";
import { terraformName } from "./names";
import { partitionOf } from "./partition";
import { FIXED_QUOTAS, MAX_QUOTAS } from "./quotas";
import type { Config, Environment, Role } from "./resolved";

/** One thing that is wrong in a configuration. */
export interface Problem {
  /** Where: the keys and indexes that lead to the value. */
  readonly path: readonly (string | number)[];
  /** What was given there, if showing it helps. */
  readonly value?: unknown;
  /** What is wrong and what to do; completes the sentence that begins with path and value. */
  readonly message: string;
}

type Path = Problem["path"];

/** What must hold between fields, against the quotas of AWS, and across environments. */
export function check(input: ConfigInput, config: Config): Problem[] {
  return [
    ...checkCircleCi(input),
    ...config.environments.flatMap((environment) => [
      ...checkState(environment),
      ...checkTerraformNames(environment),
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

function checkState(environment: Environment): Problem[] {
  const { accountId, partition, state } = environment;
  const path = ["environments", environment.name, "state"];
  return [
    ...problemIf(state.lock !== "lockfile" && state.lockTable === undefined, {
      path: [...path, "lockTable"],
      message: `is missing: lock "${state.lock}" needs the name of a DynamoDB table; name one, or set lock: "lockfile"`,
    }),
    ...problemIf(partitionOf(state.region).name !== partition, {
      path: [...path, "region"],
      value: state.region,
      message: `is not in the partition of ${environment.region}, ${partition}: name a region of that partition`,
    }),
    ...problemIf(
      state.kmsKeyArn !== undefined &&
        !state.kmsKeyArn.startsWith(`arn:${partition}:kms:${state.region}:${accountId}:key/`),
      {
        path: [...path, "kmsKeyArn"],
        value: state.kmsKeyArn,
        message: `is not a key beside the bucket: name a key of account ${accountId} in ${state.region}`,
      },
    ),
  ];
}

function checkTerraformNames(environment: Environment): Problem[] {
  return collisions(
    environment.roles,
    (role) => terraformName(role.name),
    (role, other) => ({
      path: ["environments", environment.name, "roles", role.name],
      message:
        `would have the same Terraform name as role "${other.name}", "${terraformName(role.name)}", ` +
        "since Terraform's names have no +=,.@: rename one of them",
    }),
  );
}

function checkRole(environment: Environment, role: Role): Problem[] {
  const path = ["environments", environment.name, "roles", role.name];
  const { quotas } = environment;
  const quotaPath = `environments.${environment.name}.quotas`;
  const arns = role.managedPolicyArns;
  const inlineSize = Object.values(role.inlinePolicies).reduce((sum, document) => sum + policySize(document), 0);
  return [
    ...role.trust.flatMap((rule, index) => checkSubject(environment, rule, [...path, "trust", index, "subject"])),
    ...checkTrustSize(environment, role, [...path, "trust"], quotaPath),
    ...atMost(
      quotas.managedPoliciesPerRole,
      arns.length,
      [...path, "managedPolicyArns"],
      "managed policies of a role",
      {
        to: MAX_QUOTAS.managedPoliciesPerRole,
        at: `${quotaPath}.managedPoliciesPerRole`,
      },
    ),
    ...repeats(arns, [...path, "managedPolicyArns"]),
    ...arns.flatMap((arn, index) => checkPolicyArn(environment, arn, [...path, "managedPolicyArns", index])),
    ...(role.permissionsBoundaryArn === undefined
      ? []
      : checkPolicyArn(environment, role.permissionsBoundaryArn, [...path, "permissionsBoundaryArn"])),
    ...problemIf(inlineSize > FIXED_QUOTAS.inlinePolicies, {
      path: [...path, "inlinePolicies"],
      message:
        `have ${format(inlineSize)} characters together, white space not counted; AWS takes ` +
        `${format(FIXED_QUOTAS.inlinePolicies)} and does not raise it: move some to a managed policy and name that in managedPolicyArns`,
    }),
    ...(Object.keys(environment.tags).length > FIXED_QUOTAS.tags
      ? []
      : atMost(
          FIXED_QUOTAS.tags,
          Object.keys(role.tags).length,
          [...path, "tags"],
          "tags, the configuration's included",
        )),
    ...checkTagKeys(role.tags, [...path, "tags"]),
  ];
}

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules */
function checkTagKeys(tags: Tags, path: Path): Problem[] {
  return collisions(
    Object.keys(tags),
    (key) => key.toLowerCase(),
    (key, other) => ({
      path: [...path, key],
      message: `differs only in case from the tag "${other}"; IAM takes one for the other: spell both alike, or remove one`,
    }),
  );
}

function checkSubject({ circleci }: Environment, rule: TrustRule, path: Path): Problem[] {
  if (!("subject" in rule)) return [];
  const scope = describeSubject(rule.subject);
  const pinned = "project" in scope && scope.organization === circleci.organizationId && UUID.test(scope.project);
  return problemIf(!pinned, {
    path,
    value: rule.subject,
    message: `does not pin organization and project: begin it with ${subjectPrefix(circleci.organizationId)}, spelled out`,
  });
}

function checkTrustSize(environment: Environment, role: Role, path: Path, quotaPath: string): Problem[] {
  const { circleci, oidcProvider } = environment;
  const rules = role.trust.filter((rule) => subjectPatterns(rule, circleci.organizationId).length > 0);
  if (rules.length === 0 || circleci.audiences.length === 0) return [];
  const size = policySize(trustPolicy({ ...circleci, providerArn: oidcProvider.arn, rules }));
  const quota = environment.quotas.trustPolicySize;
  return problemIf(size > quota, {
    path,
    message:
      `makes a trust policy of ${format(size)} characters, white space not counted; AWS takes ${format(quota)}` +
      `${raisable(quota, { to: MAX_QUOTAS.trustPolicySize, at: `${quotaPath}.trustPolicySize` })}: ` +
      "name fewer refs or end them with a *, or split the role",
  });
}

function checkPolicyArn({ accountId, partition }: Environment, arn: string, path: Path): Problem[] {
  const [, arnPartition, , , owner] = arn.split(":");
  return problemIf(arnPartition !== partition || (owner !== "aws" && owner !== accountId), {
    path,
    value: arn,
    message: `is not a policy that roles of account ${accountId} can have: name one of arn:${partition}:iam::aws or arn:${partition}:iam::${accountId}`,
  });
}

function checkAccounts({ environments }: Config): Problem[] {
  return [...new Set(environments.map(({ accountId }) => accountId))].flatMap((accountId) => {
    const ofAccount = environments.filter((environment) => environment.accountId === accountId);
    const roles = ofAccount.flatMap((environment) => environment.roles.map((role) => ({ environment, role })));
    const quota = Math.max(...ofAccount.map(({ quotas }) => quotas.rolesPerAccount));
    return [
      ...collisions(
        ofAccount.filter(({ oidcProvider }) => oidcProvider.mode === "create"),
        () => accountId,
        (environment, other) => ({
          path: ["environments", environment.name, "oidcProvider"],
          value: "create",
          message: `would make the provider of account ${accountId} a second time, after environment "${other.name}": set oidcProvider: "existing"`,
        }),
      ),
      ...collisions(
        roles,
        ({ role }) => role.name.toLowerCase(),
        ({ environment, role }, other) => ({
          path: ["environments", environment.name, "roles", role.name],
          message:
            `is also a role of environment "${other.environment.name}", "${other.role.name}", in the same account ${accountId}, ` +
            "where names are unique without regard to case: rename one of them",
        }),
      ),
      ...atMost(
        quota,
        roles.length,
        ["environments", ofAccount[0]?.name ?? "", "roles"],
        `roles of account ${accountId}`,
        {
          to: MAX_QUOTAS.rolesPerAccount,
          at: `environments.${ofAccount[0]?.name}.quotas.rolesPerAccount`,
        },
      ),
    ];
  });
}

function checkSharedBuckets(input: ConfigInput, { environments, stateBackends }: Config): Problem[] {
  return environments.flatMap((environment) => {
    const backend = stateBackends.find(({ state }) => state.bucket === environment.state.bucket);
    if (backend === undefined) return [];
    const path = ["environments", environment.name, "state"];
    const first = backend.environment;
    if (backend.accountId !== environment.accountId) {
      return [
        {
          path: [...path, "bucket"],
          value: environment.state.bucket,
          message: `is the bucket of environment "${first}" in account ${backend.accountId}; a bucket belongs to one account: name another`,
        },
      ];
    }
    const keepOldVersionsDays = input.environments[environment.name]?.state.keepOldVersionsDays ?? 90;
    const state = { ...environment.state, keepOldVersionsDays };
    const shared = { ...backend.state, keepOldVersionsDays: backend.keepOldVersionsDays };
    return (["region", "lock", "lockTable", "kmsKeyArn", "keepOldVersionsDays"] as const).flatMap((field) =>
      problemIf(shared[field] !== state[field], {
        path: [...path, field],
        value: state[field],
        message: `differs from environment "${first}", which has the same bucket and ${JSON.stringify(shared[field])} here: make them equal, or use a bucket of its own`,
      }),
    );
  });
}

function checkSharedTables({ stateBackends }: Config): Problem[] {
  return collisions(
    stateBackends.filter(({ state }) => state.lockTable !== undefined),
    ({ accountId, state }) => `${accountId}/${state.region}/${state.lockTable}`,
    (backend, other) => ({
      path: ["environments", backend.environment, "state", "lockTable"],
      value: backend.state.lockTable,
      message: `is also made for bucket ${other.state.bucket}, by environment "${other.environment}": name another table, or the same bucket`,
    }),
  );
}

function checkStateKeys({ environments, stateBackends }: Config): Problem[] {
  return collisions(
    [...environments.map(({ name, state }) => ({ name, state, environment: name })), ...stateBackends],
    ({ state }) => `${state.bucket}/${state.key}`,
    (stack, other) => ({
      path: ["environments", stack.environment, "state", "keyPrefix"],
      message: `puts the state of stack "${stack.name}" where that of stack "${other.name}" is, at ${stack.state.key} in ${stack.state.bucket}: rename the environment or use another keyPrefix`,
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
        ...problemIf(!known.has(pattern), {
          path: ["trustTests", index, field, at],
          value: pattern,
          message:
            'names no role of this configuration: write "environment/role", or "environment/*" for all of its roles',
        }),
        ...problemIf(field === "refused" && admitted.includes(pattern), {
          path: ["trustTests", index, field, at],
          value: pattern,
          message: "must both trust and refuse the job: remove it from admitted or from refused",
        }),
      ]),
    ),
  );
}

function problemIf(wrong: boolean, problem: Problem): Problem[] {
  return wrong ? [problem] : [];
}

function atMost(quota: number, size: number, path: Path, what: string, raised?: { to: number; at: string }): Problem[] {
  return problemIf(size > quota, {
    path,
    message: `has ${format(size)} ${what}; AWS takes ${format(quota)}${raised === undefined ? " and does not raise it" : raisable(quota, raised)}: remove some`,
  });
}

function raisable(quota: number, raised: { to: number; at: string }): string {
  return quota < raised.to
    ? ` and raises it to ${format(raised.to)} on request (then say so in ${raised.at})`
    : " and no more";
}

function repeats(values: readonly string[], path: Path): Problem[] {
  return values.flatMap((value, index) =>
    problemIf(values.indexOf(value) < index, {
      path: [...path, index],
      value,
      message: "is listed twice: remove one",
    }),
  );
}

function collisions<T>(
  items: readonly T[],
  key: (item: T) => string,
  problem: (item: T, other: T) => Problem,
): Problem[] {
  const first = new Map<string, T>();
  return items.flatMap((item) => {
    const other = first.get(key(item));
    if (other === undefined) first.set(key(item), item);
    return other === undefined ? [] : [problem(item, other)];
  });
}

/** A number with thousands separators. */
function format(value: number): string {
  return value.toLocaleString("en-US");
}
