import { canonical, displayed, Hidden, isUnknown } from "../../plan/value";
import { covers } from "../../policy/containment";
import type { NormalizedCondition } from "../../policy/normal-form";
import { parseIssuer, parseSubject } from "../../trust/circleci";
import { issuerOfArn } from "../../trust/provider";
import { describeJobs, describePrincipal, join, type RichText, richText } from "../rich-text";
import {
  type Document,
  describeCondition,
  notIn,
  type PlannedPrincipal,
  type PlannedStatement,
  patterns,
  permits,
  sameDocument,
} from "./documents";
import { type AccessFinding, accessFinding, type FindingKind, notAssessed } from "./finding";
import { coversPrincipal, uncovered } from "./permissions";

/** One combination of principal, action, subject and audience that a trust policy allows. */
interface TrustEntry {
  /** For `Federated`, the id is the issuer. */
  readonly principal: PlannedPrincipal;
  readonly action: string;
  /** Patterns; `*` if the policy has no condition on them. */
  readonly subject: string;
  readonly audience: string;
  /** All other conditions. */
  readonly conditions: readonly NormalizedCondition[];
  /** Equal for entries that are known to be equal. */
  readonly key: string | symbol;
}

/** The changes to who can assume a role. Without a trust policy, nothing can. */
export function trustDelta(role: string, before: Document | undefined, after: Document | undefined): AccessFinding[] {
  if (sameDocument(before, after)) return [];
  const [entriesBefore, entriesAfter] = [entriesOf(before), entriesOf(after)];
  const toFinding = (kind: FindingKind, from: TrustEntry[], to: TrustEntry[], about: TrustEntry[]) => {
    const sides = [from, to].filter(({ length }) => length > 0);
    const what = join(
      sides.map((entries) => join(entries.map(describeEntry), "; ")),
      " → ",
    );
    return accessFinding(role, kind, what, { tokens: about.map(({ subject }) => subject) });
  };
  return [
    ...notCovered(entriesAfter, entriesBefore).map(({ entry, covered }) =>
      toFinding(covered.length === 0 ? "newly-trusted" : "trust-broadened", covered, [entry], [entry]),
    ),
    ...notCovered(entriesBefore, entriesAfter).map(({ entry, covered }) =>
      toFinding(covered.length === 0 ? "no-longer-trusted" : "trust-narrowed", [entry], covered, [entry, ...covered]),
    ),
    ...statementDelta(role, before, after),
    ...(["the trust policy", "the previous trust policy"] as const).flatMap((name, index) => {
      const { unreadable } = [after, before][index] ?? {};
      return unreadable === undefined ? [] : [notAssessed(role, richText`${[name]} is ${unreadable}`)];
    }),
  ];
}

/** The added and removed statements that cannot be compared as sets. */
function statementDelta(role: string, before: Document | undefined, after: Document | undefined): AccessFinding[] {
  const [was, is] = [before, after].map(
    (document) => document?.statements.filter((each) => each.Effect === "Deny" || !isEntry(each)) ?? [],
  ) as [PlannedStatement[], PlannedStatement[]];
  const trustsAny = after?.statements.some(({ Effect }) => Effect === "Allow") || after?.unreadable !== undefined;
  return [
    ...uncovered(is, was, "Deny").map(({ text }) =>
      accessFinding(role, "trust-narrowed", richText`principals denied by a new statement: ${text}`),
    ),
    ...notIn(is, was)
      .filter(({ Effect }) => Effect === "Allow")
      .map(({ text }) => notAssessed(role, richText`principals of a new statement: ${text}`)),
    ...notIn(was, is)
      .filter(({ Effect }) => Effect === "Allow")
      .map(({ text }) =>
        accessFinding(role, "no-longer-trusted", richText`principals of a removed statement: ${text}`),
      ),
    // Without an Allow, removing a Deny grants nothing.
    ...(trustsAny ? uncovered(was, is, "Deny") : []).map(({ text }) =>
      notAssessed(role, richText`principals of a removed Deny statement: ${text}`),
    ),
  ];
}

/** Whether a statement can be compared as a set of entries. */
const isEntry = ({ Effect, comparable, principals }: PlannedStatement) =>
  Effect === "Allow" && comparable && principals !== undefined;

function entriesOf(document: Document | undefined): TrustEntry[] {
  const entries = (document?.statements ?? [])
    .filter(isEntry)
    .flatMap((statement) =>
      (statement.principals ?? []).flatMap((principal) => entriesFor(withIssuer(principal, statement), statement)),
    );
  return [...new Map(entries.map((entry) => [entry.key, entry])).values()];
}

function entriesFor(principal: PlannedPrincipal, statement: PlannedStatement): TrustEntry[] {
  const { kind, id } = principal;
  const claim = (name: string) => {
    const key = kind === "Federated" && typeof id === "string" ? `${id}:${name}`.toLowerCase() : undefined;
    const found = statement.conditions.filter((each) => each.key === key);
    // Two conditions on one claim must both hold: they are compared as conditions, not as patterns.
    const condition = found.length === 1 ? found[0] : undefined;
    const values = condition && patterns(condition);
    return { condition: values && condition, values: values ?? ["*"] };
  };
  const [subjects, audiences] = [claim("sub"), claim("aud")];
  const conditions = statement.conditions.filter((each) => each !== subjects.condition && each !== audiences.condition);
  return (statement.Action ?? []).flatMap((action) =>
    subjects.values.flatMap((subject) =>
      audiences.values.map((audience) => {
        const entry = { principal, action: action.toLowerCase(), subject, audience, conditions };
        // Different hidden principals look alike.
        return { ...entry, key: id instanceof Hidden ? Symbol() : canonical(entry) };
      }),
    ),
  );
}

/**
 * The principal with the issuer as its id, if it is a provider. While the provider's ARN is unknown, the issuer is read
 * from a condition key `<issuer>:sub` or `<issuer>:aud`: only tokens of that issuer have it.
 */
function withIssuer({ kind, id }: PlannedPrincipal, { conditions }: PlannedStatement): PlannedPrincipal {
  if (kind !== "Federated") return { kind, id };
  if (!(id instanceof Hidden)) return { kind, id: issuerOfArn(id) };
  const keys = conditions.flatMap((each) => (patterns(each) ? (/^(.*):(sub|aud)$/.exec(each.key)?.[1] ?? []) : []));
  return { kind, id: isUnknown(id) ? (keys[0] ?? id) : id };
}

/** The entries that no single one of the others covers, each with the others that it covers. */
function notCovered(entries: readonly TrustEntry[], others: readonly TrustEntry[]) {
  const known = new Set(others.map(({ key }) => key));
  return entries
    .filter((entry) => !known.has(entry.key) && !others.some((other) => coversEntry(other, entry)))
    .map((entry) => ({ entry, covered: others.filter((other) => coversEntry(entry, other)) }));
}

function coversEntry(wide: TrustEntry, narrow: TrustEntry): boolean {
  return (
    coversPrincipal(wide.principal, narrow.principal) &&
    covers(wide.action, narrow.action) &&
    covers(wide.subject, narrow.subject) &&
    covers(wide.audience, narrow.audience) &&
    permits(wide.conditions, narrow.conditions)
  );
}

/** The action by which a kind of principal usually assumes a role: it is not mentioned. */
const USUAL_ACTIONS = new Map([
  ["Federated", "sts:assumerolewithwebidentity"],
  ["AWS", "sts:assumerole"],
  ["Service", "sts:assumerole"],
]);

function describeEntry({ principal, action, subject, audience, conditions }: TrustEntry): RichText {
  const { kind } = principal;
  const id = displayed(principal.id);
  const organization = parseSubject(subject)?.organization.split("/")[0];
  const isOfIssuer = organization !== undefined && organization === parseIssuer(id)?.organization;
  // CircleCI's default audience is the id of the organization, with which its issuer ends.
  const isUsualAudience = kind !== "Federated" || id.endsWith(`/${audience}`);
  const audienceText = audience === "*" ? ["any audience"] : richText`audience ${audience}`;
  return join(
    [
      subject === "*" ? describePrincipal(kind, id) : describeJobs(subject),
      ...(subject === "*" || isOfIssuer ? [] : [richText`from ${id}`]),
      ...(isUsualAudience ? [] : [audienceText]),
      ...(USUAL_ACTIONS.get(kind) === action ? [] : [richText`by ${action}`]),
      ...conditions.map((condition) => richText`if ${describeCondition(condition)}`),
    ],
    ", ",
  );
}
