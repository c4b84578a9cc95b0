import { displayed, isUnknown, same, type Value } from "../../plan/value";
import { grantsAdministrator } from "../../policy/administrator";
import { covers, coversArn } from "../../policy/containment";
import type { NormalizedStatement } from "../../policy/normal-form";
import { join, type RichText, richText } from "../rich-text";
import { type Document, type PlannedStatement, permits } from "./documents";
import { type AccessFinding, accessFinding } from "./finding";
import { unknownEffect } from "./trust";

/** Something that allows: a policy whose text is not in the plan, by its ARN, or a policy's document. */
export interface Grant {
  /** Where it stands, e.g. `inline policy publish`. */
  readonly source: RichText;
  readonly arn?: string;
  readonly document?: Document;
}

/**
 * What a subject may do afterwards that it could not before, and the reverse. A statement that only moves from one
 * policy to another is neither: all policies of the subject count together.
 */
export function permissionDelta(subject: string, before: readonly Grant[], after: readonly Grant[]): AccessFinding[] {
  return [
    ...managedDelta(subject, before, after),
    ...allowed(after, before).map((gained) =>
      accessFinding(subject, "permission-granted", richText`${gained.text} (${gained.source})`, {
        administrator: isAdministratorLike(gained),
      }),
    ),
    ...allowed(before, after).map(({ source, text }) =>
      accessFinding(subject, "permission-revoked", richText`${text} (${source})`),
    ),
    ...otherDelta(subject, before, after),
    ...unclearDelta(subject, before, after),
  ];
}

function managedDelta(subject: string, before: readonly Grant[], after: readonly Grant[]): AccessFinding[] {
  const missing = (from: readonly Grant[], of: readonly Grant[]) =>
    from.flatMap(({ arn }) => (arn !== undefined && !of.some((other) => other.arn === arn) ? [arn] : []));
  return [
    ...[...new Set(missing(after, before))].map((arn) =>
      accessFinding(subject, "permission-granted", richText`managed policy ${arn}`, {
        administrator: grantsAdministrator({ name: arn }) === "yes",
      }),
    ),
    ...[...new Set(missing(before, after))].map((arn) =>
      accessFinding(subject, "permission-revoked", richText`managed policy ${arn}`),
    ),
  ];
}

interface Sourced {
  readonly source: RichText;
  readonly document: Document;
  readonly statement: PlannedStatement;
}

const statementsOf = (grants: readonly Grant[]): Sourced[] =>
  grants.flatMap(({ source, document }) =>
    document === undefined ? [] : document.statements.map((statement) => ({ source, document, statement })),
  );

const isPlain = ({ Effect, notComparable }: PlannedStatement) => Effect === "Allow" && !notComparable;

/** What `some` allow and `others` do not, statement by statement, in words. */
function allowed(some: readonly Grant[], others: readonly Grant[]): (Sourced & { readonly text: RichText })[] {
  const rest = statementsOf(others).map(({ statement }) => statement);
  const known = new Set(rest.map(({ text }) => text));
  return statementsOf(some)
    .filter(({ statement }) => isPlain(statement) && !known.has(statement.text))
    .flatMap((sourced) => uncovered(sourced.statement, rest.filter(isPlain)).map((part) => ({ ...sourced, ...part })));
}

/** A resource policy may omit the resource: the policy applies to the resource that it is attached to. */
const resourcesOf = ({ Resource = [] }: PlannedStatement) => (Resource.length > 0 ? Resource : ["*"]);

/** The part of a statement that none of the others allows, actions with the same resources together. */
function uncovered(
  statement: PlannedStatement,
  others: readonly PlannedStatement[],
): { readonly statement: PlannedStatement; readonly text: RichText }[] {
  const rivals = others.filter(
    (other) => permits(other.conditions, statement.conditions) && same(other.Principal, statement.Principal),
  );
  const groups = new Map<string, { Action: string[]; Resource: readonly string[] }>();
  for (const action of statement.Action ?? []) {
    const able = rivals.filter(({ Action = [] }) =>
      Action.some((wide) => covers(wide.toLowerCase(), action.toLowerCase())),
    );
    const left = resourcesOf(statement).filter(
      (resource) => !able.some((other) => resourcesOf(other).some((wide) => coversArn(wide, resource))),
    );
    const group = groups.get(left.join("\n")) ?? { Action: [], Resource: left };
    group.Action.push(action);
    if (left.length > 0) groups.set(left.join("\n"), group);
  }
  return [...groups.values()].map((part) => ({
    statement: { ...statement, ...part },
    text: inWords({ ...statement, ...part }),
  }));
}

function inWords({ Principal, Action = [], Resource = [], conditions }: PlannedStatement): RichText {
  const who = Principal && richText`to ${Principal.map(({ kind, id }) => `${kind} ${id}`).join(", ")}: `;
  const when = conditions.map(
    ({ operator, key, values }) => richText` if ${`${operator} ${key} ${values.join(", ")}`}`,
  );
  return [...(who ?? []), ...richText`${Action.join(", ")} on ${Resource.join(", ")}`, ...join(when, " and")];
}

/** Statements that are no plain Allow: said as they stand. */
function otherDelta(subject: string, before: readonly Grant[], after: readonly Grant[]): AccessFinding[] {
  const others = (grants: readonly Grant[]) => statementsOf(grants).filter(({ statement }) => !isPlain(statement));
  const missing = (from: Sourced[], of: Sourced[]) =>
    from.filter(({ statement }) => !of.some((other) => other.statement.text === statement.text));
  const [is, was] = [after, before].map((grants) => statementsOf(grants).some(isAdministratorLike));
  return [
    ...missing(others(after), others(before)).map((added) =>
      added.statement.Effect === "Deny"
        ? accessFinding(
            subject,
            "permission-revoked",
            richText`denied by a new statement: ${added.statement.text} (${added.source})`,
          )
        : accessFinding(subject, "permission-granted", richText`${added.statement.text} (${added.source})`, {
            administrator: isAdministratorLike(added),
          }),
    ),
    ...missing(others(before), others(after)).map(({ source, statement }) =>
      statement.Effect === "Deny"
        ? accessFinding(subject, "permission-granted", richText`no longer denied: ${statement.text} (${source})`, {
            administrator: is && !was,
          })
        : accessFinding(subject, "permission-revoked", richText`${statement.text} (${source})`),
    ),
  ];
}

function unclearDelta(subject: string, before: readonly Grant[], after: readonly Grant[]): AccessFinding[] {
  const hidden = (grants: readonly Grant[]) =>
    grants.filter(({ document }) => document?.unclear !== undefined).map((grant) => ({ grant, key: key(grant) }));
  const missing = (from: readonly Grant[], of: readonly Grant[]) =>
    hidden(from).filter(
      (one) => isUnknown(one.grant.document?.source) || !hidden(of).some((other) => other.key === one.key),
    );
  return [...missing(after, before), ...missing(before, after)].map(({ grant }) =>
    unknownEffect(subject, richText`${grant.source}: ${grant.document?.unclear ?? ""}`),
  );
}

const key = ({ source, document }: Grant) => JSON.stringify([source, document?.source]);

/** A permissions boundary caps what a role may do: only one that comes where none was is certainly no gain. */
export function boundaryDelta(subject: string, before: Value, after: Value): AccessFinding[] {
  if (same(before, after) && !isUnknown(after)) return [];
  if (!after)
    return before
      ? [accessFinding(subject, "boundary-removed", richText`permissions boundary ${displayed(before)} removed`)]
      : [];
  if (!before) return [accessFinding(subject, "boundary-set", richText`permissions boundary ${displayed(after)}`)];
  return [unknownEffect(subject, richText`permissions boundary ${displayed(before)} → ${displayed(after)}`)];
}

/**
 * Whether an allowed statement, with the Deny statements of its policy, makes its holder an administrator. `unknown`
 * counts as yes: the statement allows an escalating action, under a condition that the review cannot evaluate.
 */
function isAdministratorLike({ document, statement }: Sourced): boolean {
  const denies: readonly NormalizedStatement[] = document.statements.filter(({ Effect }) => Effect === "Deny");
  return grantsAdministrator([statement, ...denies]) !== "no";
}
