import { evaluateCondition } from "./conditions";
import { covers, coversArn, overlapsArn } from "./containment";
import type { Context } from "./context";
import { every, not, some, type Verdict, verdictOf } from "./decision";
import type { PolicyDocument } from "./document";
import { ADMINISTRATOR_ROLES, ESCALATIONS, type Escalation } from "./escalations";
import { isWellFormed, type NormalizedCondition, type NormalizedStatement, normalizePolicy } from "./normal-form";
import { arnParts, matchesPattern, resourceParts } from "./pattern";

/** A policy of a role. */
export interface RolePolicy {
  /** The ARN of a managed policy, the name of an inline policy. */
  readonly name: string;
  /** Absent if only the ARN of a managed policy is known. */
  readonly document?: PolicyDocument;
}

/** Whether permissions are, or lead to, those of an administrator. */
export type AdministratorVerdict = "yes" | "no" | "unknown";

/**
 * Whether the roles that an ARN pattern matches are administrators, for a policy that allows an action on them; or whether
 * the permissions boundary of that ARN allows what makes an administrator.
 */
export type RoleKnowledge = (pattern: string, action?: string) => AdministratorVerdict;

const ADMINISTRATOR_POLICIES = ["AdministratorAccess", "IAMFullAccess", "PowerUserAccess"];
const ADMINISTRATOR_POLICY = new RegExp(`^arn:[\\w-]+:iam::aws:policy/(${ADMINISTRATOR_POLICIES.join("|")})$`);
const READ_ONLY_POLICY = /^arn:[\w-]+:iam::aws:policy\/.*(ReadOnly(Access)?|ViewOnlyAccess|SecurityAudit)$/;

/** AWS managed policies for compute that grant logs, traces, queues, images and the like. */
const COMPUTE_POLICIES = [
  "service-role/AWSLambda(Basic|VPCAccess|SQSQueue|Kinesis|DynamoDB|MSK)ExecutionRole",
  "service-role/AmazonECSTaskExecutionRolePolicy",
  "service-role/AmazonAPIGatewayPushToCloudWatchLogs",
  "AWSXRayDaemonWriteAccess",
  "AmazonSSMManagedInstanceCore",
  "CloudWatchAgentServerPolicy",
];
const COMPUTE_POLICY = new RegExp(`^arn:[\\w-]+:iam::aws:policy/(${COMPUTE_POLICIES.join("|")})$`);

/** Whether an ARN is that of an AWS managed policy that only reads. */
export function isReadOnlyPolicy(arn: string): boolean {
  return READ_ONLY_POLICY.test(arn);
}

/**
 * Whether a policy, or a list of statements, makes its holder an administrator of the account, or lets the holder become
 * one, by the actions of {@link ESCALATIONS}:
 * - `yes`: it allows to write, attach or version policies of any role, user or group, its own included, even a single
 *   one; to change trust or permissions boundaries; to obtain credentials of users; or to assume or pass a role that is
 *   an administrator, by its name or according to `roles`;
 * - `unknown`: it depends on a condition or on permissions that are not known: those of a role that it can assume or
 *   pass, of a policy that it can attach, or of the existing compute on which it can run code. The latter counts only if
 *   it is allowed on all instances, functions or projects, of a region or an account at least: a policy that names some
 *   is the usual policy of a deployment. Also if the document is malformed, or only the ARN of the policy is known;
 * - `no`: it allows none of these actions, or a Deny covers them, or each is limited: to principals with a permissions
 *   boundary by `iam:PermissionsBoundary`, unless `roles` knows that the boundary allows these actions too; to read-only
 *   policies by `iam:PolicyARN`; to some resources by their tags.
 *
 * All statements are judged together. A Deny with a condition, or for another account than the Allow, leaves `unknown`.
 * Statements with a principal belong to resource policies and are ignored. A role must trust its caller too, which is
 * not known here.
 *
 * @param roles what is known of roles and boundaries, of which it gets the ARN or pattern in the policy. Default: nothing
 */
export function grantsAdministrator(
  policy: RolePolicy | readonly NormalizedStatement[],
  roles: RoleKnowledge = () => "unknown",
): AdministratorVerdict {
  if ("name" in policy) {
    const { name, document } = policy;
    if (ADMINISTRATOR_POLICY.test(name)) return "yes";
    if (document === undefined) return isReadOnlyPolicy(name) || COMPUTE_POLICY.test(name) ? "no" : "unknown";
    const normalized = normalizePolicy(document);
    return isWellFormed(normalized) ? grantsAdministrator(normalized.statements, roles) : "unknown";
  }
  const identity = policy.filter(({ Principal, NotPrincipal }) => (Principal ?? NotPrincipal) === undefined);
  const verdicts = ESCALATIONS.flatMap((escalation) =>
    escalation.actions.map((action) => {
      const statements = identity.filter((statement) => appliesToAction(statement, action));
      return statements.some(({ Effect }) => Effect === "Allow")
        ? escalates(escalation, statements, (pattern) => roles(pattern, action))
        : "not-matched";
    }),
  );
  return answerOf(some(verdicts));
}

/** {@link RoleKnowledge} of roles and boundaries whose policies are known. Others are `unknown`. */
export function knownRoles(
  roles: readonly {
    readonly arn: string;
    readonly policies: readonly (RolePolicy | readonly NormalizedStatement[])[];
  }[],
): RoleKnowledge {
  let verdicts: ReadonlyMap<string, Verdict> | undefined;
  return (pattern) => answerOf(known().get(pattern) ?? "unsupported");

  // Roles can assume each other, so the verdicts are increased until none changes.
  function known() {
    for (let next = new Map<string, Verdict>(roles.map(({ arn }) => [arn, "not-matched"])); verdicts !== next; ) {
      verdicts = next;
      const judged = roles.map(({ arn, policies }) => [arn, some(policies.map(judge))] as const);
      if (judged.some(([arn, verdict]) => verdict !== verdicts?.get(arn))) next = new Map(judged);
    }
    return verdicts;
  }

  function judge(policy: RolePolicy | readonly NormalizedStatement[]): Verdict {
    return grantingVerdict(grantsAdministrator(policy, (pattern) => answerOf(verdicts?.get(pattern) ?? "unsupported")));
  }
}

/** AWS does not accept a wildcard in the service of an action. */
function appliesToAction({ Action, NotAction }: NormalizedStatement, action: string): boolean {
  const [service] = action.split(":", 1);
  const matches = (pattern: string) => {
    const [wanted = ""] = pattern.split(":", 1);
    return (
      (wanted.includes("*") || wanted.toLowerCase() === service) &&
      matchesPattern(pattern.toLowerCase(), action.toLowerCase())
    );
  };
  return Action ? Action.some(matches) : NotAction !== undefined && !NotAction.some(matches);
}

/** Whether the statements, all of which apply to an action of the escalation, allow it in a request that escalates. */
function escalates(
  escalation: Escalation,
  statements: readonly NormalizedStatement[],
  roles: (pattern: string) => AdministratorVerdict,
): Verdict {
  const denies = statements.filter(({ Effect }) => Effect === "Deny");
  const allows = statements.filter(({ Effect }) => Effect === "Allow");
  const requests = requestsOf(escalation, statements, roles);
  return some(
    allows.flatMap((allow) =>
      targetsOf(allow, escalation).flatMap(({ target, verdict }) => {
        const granted = escalation.grants === "role" ? roleVerdict(target, roles) : grantingVerdict(escalation.grants);
        const covering = denies.map((deny) => ({ deny, covered: coversTarget(deny, target) }));
        return requests.map(({ context, attached }) => {
          const conditions = (statement: NormalizedStatement) => conditionsOf(statement, escalation, context);
          const denied = covering.map(({ deny, covered }) => every([covered, conditions(deny)]));
          return every([verdict, granted, attached, conditions(allow), not(some(denied))]);
        });
      }),
    ),
  );
}

const LIMITS = new Set<string>(ESCALATIONS.flatMap(({ limits = [] }) => limits));
const OTHER_PARTITIONS = ["aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"];
const ANY_POLICY = "arn:aws:iam::000000000000:policy/any";

/** The requests to judge: with each boundary and attached policy that can make a difference to the conditions. */
function requestsOf({ limits = [] }: Escalation, statements: readonly NormalizedStatement[], roles: RoleKnowledge) {
  // Conditions can be met by the policies that they name.
  const named = statements
    .flatMap(({ conditions }) => conditions.filter(({ key }) => LIMITS.has(key.toLowerCase())))
    .flatMap(({ values }) => values.map((value) => value.replace(/[*?]/g, "x")));
  const partitions = [
    "aws",
    ...OTHER_PARTITIONS.filter((partition) => named.some((arn) => arn.startsWith(`arn:${partition}:`))),
  ];
  const administrators = ADMINISTRATOR_POLICIES.flatMap((name) =>
    partitions.map((partition) => `arn:${partition}:iam::aws:policy/${name}`),
  );
  const unlimiting = [...administrators, ...named.filter((arn) => roles(arn) === "yes")];
  const boundaries = limits.includes("iam:permissionsboundary") ? [undefined, ...unlimiting] : [undefined];
  const policies = limits.includes("iam:policyarn") ? [...administrators, ANY_POLICY, ...named] : [undefined];
  return boundaries.flatMap((boundary) =>
    [...new Set(policies)].map((arn) => ({
      context: new Map([
        ...(boundary === undefined ? [] : [["iam:permissionsboundary", [boundary]] as const]),
        ...(arn === undefined ? [] : [["iam:policyarn", [arn]] as const]),
      ]),
      attached: arn === undefined ? ("matched" as const) : grantingVerdict(grantsAdministrator({ name: arn })),
    })),
  );
}

/**
 * Whether the conditions of a statement are true in a request. A condition on another key is unknown, unless it is true in
 * every request; where all resources are required, they do not all have a tag.
 */
function conditionsOf({ Effect, conditions }: NormalizedStatement, escalation: Escalation, context: Context): Verdict {
  const isLimit = (key: string) =>
    escalation.limits?.some((limit) => limit === key) ||
    (escalation.breadth === "all" && key.includes(":resourcetag/"));
  return every(
    conditions.map((condition) => {
      if (isAlwaysTrue(condition)) return "matched";
      const isKnown = isLimit(condition.key.toLowerCase()) && !condition.values.some((value) => value.includes("${"));
      if (!isKnown) return "unsupported";
      const scope = { context, effect: Effect, variables: false, unknownKey: () => undefined };
      return evaluateCondition(condition, scope).verdict;
    }),
  );
}

/** The resources of an escalation to which an Allow applies, as ARN patterns, and whether it does. */
function targetsOf({ Resource, NotResource }: NormalizedStatement, { on, breadth, exceptSelf }: Escalation) {
  const targets = on.flatMap((all): { readonly target: string; readonly verdict: Verdict }[] => {
    if (Resource === undefined) {
      return [
        { target: all, verdict: NotResource ? not(coversTarget({ Resource: NotResource }, all)) : "unsupported" },
      ];
    }
    return Resource.filter((pattern) => !exceptSelf || !pattern.endsWith(":user/${aws:username}")).map((pattern) => ({
      target: narrowed(pattern, all),
      verdict: breadth === "one" ? overlapsArn(pattern, all) : verdictOf(coversArn(withAny(REGION, pattern), all)),
    }));
  });
  return targets.filter(({ verdict }) => verdict !== "not-matched");
}

/** Whether a statement applies to all resources that a pattern matches. */
function coversTarget(
  { Resource, NotResource }: Pick<NormalizedStatement, "Resource" | "NotResource">,
  target: string,
): Verdict {
  if (Resource === undefined) {
    const excepts = (pattern: string) => {
      const overlap = overlapsArn(pattern, target);
      // The value of a policy variable is not known.
      return overlap === "matched" && /\$\{[^*?$]/.test(pattern + target) ? "unsupported" : overlap;
    };
    return NotResource ? not(some(NotResource.map(excepts))) : "unsupported";
  }
  // If the target has a wildcard there, whether a statement for one account or region covers it depends on the holder's.
  const uncertain = REGION.filter((index) => /[*?]/.test(arnParts(target)[index] ?? ""));
  return some(
    Resource.map((pattern) => {
      if (coversArn(withAny(PARTITION, pattern), target)) return "matched";
      return coversArn(withAny(uncertain, pattern), withAny(uncertain, target)) ? "unsupported" : "not-matched";
    }),
  );
}

const PARTITION = [1];
/** Partition, region and account. */
const REGION = [1, 3, 4];

/** An ARN pattern with these parts replaced by `*`. */
function withAny(replaced: readonly number[], pattern: string): string {
  return arnParts(pattern)
    .map((part, index) => (replaced.includes(index) ? "*" : part))
    .join(":");
}

/** The ARNs that both patterns match, if the first matches a part of the second. */
function narrowed(pattern: string, all: string): string {
  if (pattern === "*" || all === "*" || !pattern.startsWith("arn:")) return pattern === "*" ? all : pattern;
  const alls = arnParts(all);
  return resourceParts(pattern)
    .map((part, index) => (covers(part, alls[index] ?? "") ? alls[index] : part))
    .join(":");
}

/** Whether the roles that a pattern matches are administrators: by the name of at least one, or as far as is known. */
function roleVerdict(pattern: string, roles: (pattern: string) => AdministratorVerdict): Verdict {
  const resource = arnParts(pattern)[5] ?? "";
  const isAdministrator = ADMINISTRATOR_ROLES.map((name) => `role/${name}`).some(
    (name) => covers(resource, name) || covers(name, resource),
  );
  return isAdministrator ? "matched" : grantingVerdict(roles(pattern));
}

/** Whether a condition is true for every request: it has a pattern for any value, and is true if the key is absent. */
function isAlwaysTrue({ operator, values }: NormalizedCondition): boolean {
  return (
    /^(ForAllValues:StringLike(IfExists)?|StringLikeIfExists)$/.test(operator) &&
    values.some((value) => /^\*+$/.test(value))
  );
}

function answerOf(verdict: Verdict): AdministratorVerdict {
  return verdict === "matched" ? "yes" : verdict === "not-matched" ? "no" : "unknown";
}

function grantingVerdict(answer: AdministratorVerdict): Verdict {
  return answer === "yes" ? "matched" : answer === "no" ? "not-matched" : "unsupported";
}
