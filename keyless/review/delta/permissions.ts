import { displayed, isUnknown, same, type Value } from "../../plan/value";
import { grantsAdministrator } from "../../policy/administrator";
import { covers, coversArn } from "../../policy/containment";
import type { NormalizedStatement } from "../../policy/normal-form";
import { join, type RichText, richText } from "../rich-text";
import { type Document, describeCondition, type PlannedStatement, permits } from "./documents";
import { type AccessFinding, accessFinding, unknownEffect } from "./finding";
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
      unknownEffect(subject, richText`${source}: ${document?.unreadable ?? ""}`),
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
  const statements = sourcedStatements(some);
  const otherStatements = sourcedStatements(others);
  const arns = some.flatMap(({ arn }) => (others.some((other) => other.arn === arn) ? [] : (arn ?? [])));
  const denied = richText`${[granted ? "no longer denied" : "denied by a new statement"]}`;
  const administrator = statements.some(isAdministratorLike) && !otherStatements.some(isAdministratorLike);
  return [
    ...[...new Set(arns)].map((arn) =>
      toFinding(richText`managed policy ${arn}`, grantsAdministrator({ name: arn }) === "yes"),
    ),
    ...notAllowed(statements, otherStatements).map((each) =>
      toFinding(richText`${describePermission(each.statement)} (${each.source})`, isAdministratorLike(each)),
    ),
    ...withoutTwin(statements, otherStatements)
      .filter(({ statement }) => statement.Effect === "Allow")
      .map((each) => toFinding(richText`${each.statement.text} (${each.source})`, isAdministratorLike(each))),
    ...withoutTwin(otherStatements, statements)
      .filter(({ statement }) => statement.Effect === "Deny")
      .map(({ source, statement }) => toFinding(richText`${denied}: ${statement.text} (${source})`, administrator)),
  ];
}

interface SourcedStatement {
  readonly source: RichText;
  readonly document: Document;
  readonly statement: PlannedStatement;
}

function sourcedStatements(policies: readonly PolicySource[]): SourcedStatement[] {
  return policies.flatMap(({ source, document }) =>
    document === undefined ? [] : document.statements.map((statement) => ({ source, document, statement })),
  );
}

/** The statements that cannot be compared as sets and that `others` does not contain. */
function withoutTwin(some: readonly SourcedStatement[], others: readonly SourcedStatement[]): SourcedStatement[] {
  const texts = new Set(others.map(({ statement }) => statement.text));
  return some.filter(({ statement }) => !statement.comparable && !texts.has(statement.text));
}

/** The parts of `some` that no statement of `others` allows. */
function notAllowed(some: readonly SourcedStatement[], others: readonly SourcedStatement[]): SourcedStatement[] {
  const statements = others.map(({ statement }) => statement);
  const texts = new Set(statements.map(({ text }) => text));
  return some
    .filter(({ statement }) => statement.comparable && !texts.has(statement.text))
    .flatMap((each) => remainder(each.statement, statements).map((statement) => ({ ...each, statement })));
}

/** A resource policy can omit the resource: then it is the resource that the policy is attached to. */
const resourcesOf = ({ Resource = [] }: PlannedStatement) => (Resource.length > 0 ? Resource : ["*"]);

/** What none of the others allows of a statement, as statements: actions with the same resources are in one. */
function remainder(statement: PlannedStatement, others: readonly PlannedStatement[]): PlannedStatement[] {
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
  return [unknownEffect(subject, richText`permissions boundary ${displayed(before)} → ${displayed(after)}`)];
}

/**
 * Whether a statement, with the Deny statements of its policy, grants an administrator's permissions. `unknown` counts
 * as yes: an escalating action is allowed, under a condition that cannot be evaluated.
 */
function isAdministratorLike({ document, statement }: SourcedStatement): boolean {
  const denies: readonly NormalizedStatement[] = document.statements.filter(({ Effect }) => Effect === "Deny");
  return grantsAdministrator([statement, ...denies]) !== "no";
}
