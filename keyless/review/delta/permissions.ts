import { groupBy } from "../../group-by";
import { displayed, isUnknown, same } from "../../plan/value";
import { grantsAdministrator, type RoleKnowledge } from "../../policy/administrator";
import { covers, coversArn } from "../../policy/containment";
import { arnParts } from "../../policy/pattern";
import { accountOf } from "../../policy/principals";
import { join, type RichText, richText } from "../rich-text";
import {
  type Document,
  describeCondition,
  notIn,
  type PlannedPrincipal,
  type PlannedStatement,
  permits,
} from "./documents";
import { type AccessFinding, accessFinding, notAssessed } from "./finding";
import type { PlannedIdentity, PolicySource } from "./iam";

/**
 * The permissions that a subject gains and loses. All policies of the subject are compared together: moving a statement
 * from one policy to another changes nothing.
 *
 * @param roles which roles are administrators, for policies that assume or pass one. Default: unknown
 */
export function permissionDelta(
  subject: string,
  before: readonly PolicySource[],
  after: readonly PolicySource[],
  roles?: RoleKnowledge,
): AccessFinding[] {
  return [
    ...permissionFindings(subject, "permission-granted", after, before, roles),
    ...permissionFindings(subject, "permission-revoked", before, after, roles),
    ...detachedPolicies(before, after).map((arn) =>
      notAssessed(
        subject,
        richText`managed policy ${arn} is detached: its content, which can deny access, is not in the plan`,
      ),
    ),
    ...[...unreadablePolicies(after, before), ...unreadablePolicies(before, after)].map(({ source, document }) =>
      notAssessed(subject, richText`${source}: ${document?.unreadable ?? ""}`),
    ),
  ];
}

/** The AWS managed policies that only deny. */
const DENYING_POLICY = /^arn:[\w-]+:iam::aws:policy\/(AWSDenyAll|AWSCompromisedKeyQuarantine(V\d+)?)$/;
const AWS_MANAGED_POLICY = /^arn:[\w-]+:iam::aws:/;

/** The detached policies whose content AWS does not publish under their ARN and the plan does not contain. */
function detachedPolicies(before: readonly PolicySource[], after: readonly PolicySource[]): readonly string[] {
  return arnsNotIn(before, after).filter((arn) => !AWS_MANAGED_POLICY.test(arn));
}

function arnsNotIn(some: readonly PolicySource[], others: readonly PolicySource[]): readonly string[] {
  return [...new Set(some.flatMap(({ arn }) => arn ?? []))].filter((arn) => !others.some((other) => other.arn === arn));
}

/** A finding for everything that the policies `some` allow, or do not deny, unlike the policies `others`. */
function permissionFindings(
  subject: string,
  kind: "permission-granted" | "permission-revoked",
  some: readonly PolicySource[],
  others: readonly PolicySource[],
  roles?: RoleKnowledge,
): AccessFinding[] {
  const isAdministratorLike = (each: SourcedStatement) => mayGrantAdministrator(each, roles);
  const granted = kind === "permission-granted";
  const toFinding = (what: RichText, administrator = false, resources?: readonly string[]) =>
    accessFinding(subject, kind, what, { administrator: granted && administrator, ...(resources && { resources }) });
  const [statements, otherStatements] = [sourcedStatements(some), sourcedStatements(others)];
  const allowed = uncovered(statements, otherStatements, "Allow");
  const notDenied = uncovered(otherStatements, statements, "Deny");
  const denied = [granted ? "no longer denied" : "newly denied"];
  const isNew = notDenied.length > 0 && granted;
  const administrator = isNew && statements.some(isAdministratorLike) && !otherStatements.some(isAdministratorLike);
  return [
    ...arnsNotIn(some, others)
      .filter((arn) => !DENYING_POLICY.test(arn))
      .map((arn) => toFinding(richText`managed policy ${arn}`, grantsAdministrator({ name: arn }) === "yes")),
    ...allowed.map((each) =>
      toFinding(
        richText`${describePermission(each)} (${each.source})`,
        granted && isAdministratorLike(each),
        each.comparable ? each.Resource : undefined,
      ),
    ),
    ...notDenied.map((each) =>
      toFinding(richText`${denied}: ${describePermission(each)} (${each.source})`, administrator),
    ),
    ...arnsNotIn(others, some)
      .filter((arn) => DENYING_POLICY.test(arn))
      .map((arn) => toFinding(richText`${denied} by managed policy ${arn}`)),
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

/** What the statements of an effect apply to and the others do not: parts of comparable statements, or whole ones. */
export function uncovered<T extends PlannedStatement>(
  statements: readonly T[],
  others: readonly PlannedStatement[],
  effect: "Allow" | "Deny",
): T[] {
  const candidates = others.filter(({ Effect, comparable }) => Effect === effect && comparable);
  return notIn(statements, others)
    .filter(({ Effect }) => Effect === effect)
    .flatMap((each) => (each.comparable ? remainder(each, candidates) : [each]));
}

/** A resource policy can omit the resource: then it is the resource that the policy is attached to. */
const resourcesOf = ({ Resource = [] }: PlannedStatement) => (Resource.length > 0 ? Resource : ["*"]);

/** What none of the others covers of a statement, as statements: principals and actions with the same rest are in one. */
function remainder<T extends PlannedStatement>(statement: T, others: readonly PlannedStatement[]): T[] {
  const candidates = others.filter(({ conditions }) => permits(conditions, statement.conditions));
  const principals = statement.principals?.map((principal) => [principal]) ?? [undefined];
  const rests = principals.flatMap((principal) => {
    const covering = candidates.filter((other) => coversPrincipals(other.principals, principal));
    const rest = (statement.Action ?? []).map((action) => {
      const allowing = covering.filter(({ Action = [] }) =>
        Action.some((wide) => covers(wide.toLowerCase(), action.toLowerCase())),
      );
      const Resource = resourcesOf(statement).filter(
        (resource) => !allowing.some((other) => resourcesOf(other).some((wide) => coversArn(wide, resource))),
      );
      return { action, Resource };
    });
    return [...groupBy(rest, ({ Resource }) => JSON.stringify(Resource)).values()].map((group) => ({
      principals: principal,
      Action: group.map(({ action }) => action),
      Resource: group[0]?.Resource ?? [],
    }));
  });
  const remaining = rests.filter(({ Resource }) => Resource.length > 0);
  const groups = groupBy(remaining, ({ Action, Resource }) => JSON.stringify([Action, Resource]));
  return [...groups.values()].map((group) => ({
    ...statement,
    ...group[0],
    principals: statement.principals && group.flatMap((each) => each.principals ?? []),
  }));
}

/** Whether a statement for the principals `wide` applies to each of the principals `narrow`. */
function coversPrincipals(
  wide: readonly PlannedPrincipal[] | undefined,
  narrow: readonly PlannedPrincipal[] | undefined,
): boolean {
  if (wide === undefined || narrow === undefined) return wide === narrow;
  return narrow.every((each) => wide.some((other) => coversPrincipal(other, each)));
}

/**
 * An account as a principal covers the users, roles and sessions of that account.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
export function coversPrincipal(wide: PlannedPrincipal, narrow: PlannedPrincipal): boolean {
  if (same(wide, narrow)) return true;
  if (wide.kind !== "AWS" || narrow.kind !== "AWS" || typeof wide.id !== "string") return false;
  if (wide.id === "*") return true;
  if (typeof narrow.id !== "string" || !/^arn:[\w-]+:iam::\d{12}:root$/.test(wide.id)) return false;
  return arnParts(wide.id)[1] === arnParts(narrow.id)[1] && accountOf(wide.id) === accountOf(narrow.id);
}

/** A statement in one line; as JSON if it is not comparable. */
function describePermission({
  principals,
  Action = [],
  Resource = [],
  conditions,
  comparable,
  text,
}: PlannedStatement): RichText {
  if (!comparable) return richText`${text}`;
  const when = conditions.map((condition) => richText` if ${describeCondition(condition)}`);
  return [
    ...(principals === undefined ? [] : richText`to ${join(principals.map(describeGrantee), ", ")}: `),
    ...richText`${Action.join(", ")} on ${Resource.join(", ")}`,
    ...join(when, " and"),
  ];
}

/** The length at which a principal that is a document, e.g. SAML metadata, is cut. */
const MAX_TEXT = 200;

function describeGrantee({ kind, id }: PlannedPrincipal): RichText {
  if (kind === "AWS" && id === "*") return ["anyone"];
  const text = displayed(id);
  return richText`${kind} ${text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text}`;
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

/**
 * A permissions boundary limits a role or a user: to set the first one grants nothing. Another one is compared by its
 * document.
 */
export function boundaryDelta(subject: string, before: PlannedIdentity, after: PlannedIdentity): AccessFinding[] {
  const [was, is] = [before.boundary, after.boundary];
  if ((same(was, is) && !isUnknown(is)) || (!was && !is)) return [];
  if (!is) return [accessFinding(subject, "boundary-removed", richText`permissions boundary ${displayed(was)}`)];
  if (!was) return [accessFinding(subject, "boundary-set", richText`permissions boundary ${displayed(is)}`)];
  const [wasPolicy, isPolicy] = [before.boundaryPolicy, after.boundaryPolicy];
  if (wasPolicy?.document && isPolicy?.document) return permissionDelta(subject, [wasPolicy], [isPolicy]);
  return [notAssessed(subject, richText`permissions boundary ${displayed(was)} → ${displayed(is)}`)];
}

/** Whether a policy grants an administrator's permissions. */
export function isAdministratorPolicy({ arn, document }: PolicySource, roles?: RoleKnowledge): boolean {
  if (document === undefined) return arn !== undefined && grantsAdministrator({ name: arn }) === "yes";
  return sourcedStatements([{ source: [], document }]).some(
    (each) => each.Effect === "Allow" && mayGrantAdministrator(each, roles),
  );
}

/**
 * Whether a statement, with the Deny statements of its policy, grants an administrator's permissions. `unknown` counts
 * as yes: an escalating action is allowed, under a condition that cannot be evaluated.
 */
function mayGrantAdministrator(statement: SourcedStatement, roles?: RoleKnowledge): boolean {
  const denies = statement.document.statements.filter(({ Effect }) => Effect === "Deny");
  return grantsAdministrator([statement, ...denies], roles) !== "no";
}
