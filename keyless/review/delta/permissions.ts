import { displayed, isUnknown, same, type Value } from "../../plan/value";
import { grantsAdministrator } from "../../policy/administrator";
import { covers, coversArn } from "../../policy/containment";
import { join, type RichText, richText } from "../rich-text";
import { type Document, describeCondition, notIn, type PlannedStatement, permits } from "./documents";
import { type AccessFinding, accessFinding, notAssessed } from "./finding";
import type { PolicySource } from "./iam";

/**
 * The permissions that a subject gains and loses. All policies of the subject are compared together: moving a statement
 * from one policy to another changes nothing.
 */
export function permissionDelta(
  subject: string,
  before: readonly PolicySource[],
  after: readonly PolicySource[],
): AccessFinding[] {
  return [
    ...permissionFindings(subject, "permission-granted", after, before),
    ...permissionFindings(subject, "permission-revoked", before, after),
    ...[...unreadablePolicies(after, before), ...unreadablePolicies(before, after)].map(({ source, document }) =>
      notAssessed(subject, richText`${source}: ${document?.unreadable ?? ""}`),
    ),
  ];
}

/** A finding for everything that the policies `some` allow and the policies `others` do not. */
function permissionFindings(
  subject: string,
  kind: "permission-granted" | "permission-revoked",
  some: readonly PolicySource[],
  others: readonly PolicySource[],
): AccessFinding[] {
  const granted = kind === "permission-granted";
  const toFinding = (what: RichText, administrator = false) =>
    accessFinding(subject, kind, what, { administrator: granted && administrator });
  const arns = some.flatMap(({ arn }) => (others.some((other) => other.arn === arn) ? [] : (arn ?? [])));
  const [statements, otherStatements] = [sourcedStatements(some), sourcedStatements(others)];
  const added = notIn(statements, otherStatements);
  const removedDenies = notIn(otherStatements, statements).filter(({ Effect }) => Effect === "Deny");
  const denied = [granted ? "no longer denied" : "denied by a new statement"];
  const administrator = statements.some(isAdministratorLike) && !otherStatements.some(isAdministratorLike);
  return [
    ...[...new Set(arns)].map((arn) =>
      toFinding(richText`managed policy ${arn}`, grantsAdministrator({ name: arn }) === "yes"),
    ),
    ...added
      .filter(({ comparable }) => comparable)
      .flatMap((each) => remainder(each, otherStatements))
      .map((each) => toFinding(richText`${describePermission(each)} (${each.source})`, isAdministratorLike(each))),
    ...added
      .filter(({ comparable, Effect }) => !comparable && Effect === "Allow")
      .map((each) => toFinding(richText`${each.text} (${each.source})`, isAdministratorLike(each))),
    ...removedDenies.map(({ source, text }) => toFinding(richText`${denied}: ${text} (${source})`, administrator)),
  ];
}

interface SourcedStatement extends PlannedStatement {
  readonly source: RichText;
  readonly document: Document;
}

function sourcedStatements(policies: readonly PolicySource[]): SourcedStatement[] {
  return policies.flatMap(
    ({ source, document }) => document?.statements.map((statement) => ({ ...statement, source, document })) ?? [],
  );
}

/** A resource policy can omit the resource: then it is the resource that the policy is attached to. */
const resourcesOf = ({ Resource = [] }: PlannedStatement) => (Resource.length > 0 ? Resource : ["*"]);

/** What none of the others allows of a statement, as statements: actions with the same resources are in one. */
function remainder(statement: SourcedStatement, others: readonly PlannedStatement[]): SourcedStatement[] {
  const candidates = others.filter(
    ({ comparable, conditions, principals }) =>
      comparable && permits(conditions, statement.conditions) && same(principals, statement.principals),
  );
  const groups = new Map<string, { readonly Action: string[]; readonly Resource: readonly string[] }>();
  for (const action of statement.Action ?? []) {
    const covering = candidates.filter(({ Action = [] }) =>
      Action.some((wide) => covers(wide.toLowerCase(), action.toLowerCase())),
    );
    const rest = resourcesOf(statement).filter(
      (resource) => !covering.some((other) => resourcesOf(other).some((wide) => coversArn(wide, resource))),
    );
    const group = groups.get(JSON.stringify(rest)) ?? { Action: [], Resource: rest };
    group.Action.push(action);
    if (rest.length > 0) groups.set(JSON.stringify(rest), group);
  }
  return [...groups.values()].map((group) => ({ ...statement, ...group }));
}

function describePermission({ principals, Action = [], Resource = [], conditions }: PlannedStatement): RichText {
  const to = principals?.map(({ kind, id }) => `${kind} ${displayed(id)}`).join(", ");
  const when = conditions.map((condition) => richText` if ${describeCondition(condition)}`);
  return [
    ...(to === undefined ? [] : richText`to ${to}: `),
    ...richText`${Action.join(", ")} on ${Resource.join(", ")}`,
    ...join(when, " and"),
  ];
}

/** The policies that cannot be read, except those that are the same on the other side. */
function unreadablePolicies(some: readonly PolicySource[], others: readonly PolicySource[]): PolicySource[] {
  return some.filter(
    ({ source, document }) =>
      document?.unreadable !== undefined &&
      (isUnknown(document.source) ||
        !others.some((other) => same([other.source, other.document?.source], [source, document.source]))),
  );
}

/** A permissions boundary limits a role: to set the first one grants nothing; the effect of a change is unknown. */
export function boundaryDelta(subject: string, before: Value, after: Value): AccessFinding[] {
  if ((same(before, after) && !isUnknown(after)) || (!before && !after)) return [];
  if (!after) return [accessFinding(subject, "boundary-removed", richText`permissions boundary ${displayed(before)}`)];
  if (!before) return [accessFinding(subject, "boundary-set", richText`permissions boundary ${displayed(after)}`)];
  return [notAssessed(subject, richText`permissions boundary ${displayed(before)} → ${displayed(after)}`)];
}

/**
 * Whether a statement, with the Deny statements of its policy, grants an administrator's permissions. `unknown` counts
 * as yes: an escalating action is allowed, under a condition that cannot be evaluated.
 */
function isAdministratorLike(statement: SourcedStatement): boolean {
  const denies = statement.document.statements.filter(({ Effect }) => Effect === "Deny");
  return grantsAdministrator([statement, ...denies]) !== "no";
}
