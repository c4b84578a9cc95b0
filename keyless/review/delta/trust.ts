import { canonical, UNKNOWN } from "../../plan/value";
import { covers } from "../../policy/containment";
import type { NormalizedCondition } from "../../policy/normal-form";
import { parseIssuer, parseSubject } from "../../trust/circleci";
import { issuerOfArn } from "../../trust/provider";
import { join, principalInWords, type RichText, richText, split, subjectInWords } from "../rich-text";
import { type Document, type PlannedStatement, patterns, permits, sameDocument } from "./documents";
import { type AccessFinding, accessFinding } from "./finding";

/** Something that a trust policy lets in: one principal, action, subject and audience. */
interface Entry {
  readonly principal: string;
  readonly action: string;
  /** Patterns; `*` where the policy does not ask. */
  readonly subject: string;
  readonly audience: string;
  /** All other conditions. */
  readonly conditions: readonly NormalizedCondition[];
  /** All of that as one text: two entries are the same exactly if their keys are. */
  readonly key: string;
}

/** Who gains and who loses a role when its trust policy changes. An absent policy trusts nobody. */
export function trustDelta(role: string, before: Document | undefined, after: Document | undefined): AccessFinding[] {
  if (sameDocument(before, after)) return [];
  const [old, young] = [entriesOf(before), entriesOf(after)];
  const gained = uncovered(young, old);
  const lost = uncovered(old, young);
  return [
    ...gained.map((entry) => {
      const from = old.filter((other) => includes(entry, other));
      return from.length === 0
        ? accessFinding(role, "newly-trusted", inWords(entry), tokens(entry))
        : accessFinding(role, "trust-broadened", richText`${listed(from)} → ${inWords(entry)}`, tokens(entry));
    }),
    ...lost.map((entry) => {
      const to = young.filter((other) => includes(entry, other));
      return to.length === 0
        ? accessFinding(role, "no-longer-trusted", inWords(entry), tokens(entry))
        : accessFinding(role, "trust-narrowed", richText`${inWords(entry)} → ${listed(to)}`, tokens(entry, ...to));
    }),
    ...opaqueDelta(role, before, after),
    ...(after?.unclear === undefined ? [] : [unknownEffect(role, richText`the trust policy is ${after.unclear}`)]),
    ...(before?.unclear === undefined
      ? []
      : [unknownEffect(role, richText`the previous trust policy is ${before.unclear}`)]),
  ];
}

/** Statements that are no plain Allow cannot be compared as sets: one that comes or goes is said as it stands. */
function opaqueDelta(role: string, before: Document | undefined, after: Document | undefined): AccessFinding[] {
  const of = (document: Document | undefined) => document?.statements.filter((each) => !isPlain(each)) ?? [];
  const added = of(after).filter((each) => !of(before).some(({ text }) => text === each.text));
  const removed = of(before).filter((each) => !of(after).some(({ text }) => text === each.text));
  return [
    ...added.map((each) =>
      each.Effect === "Deny"
        ? accessFinding(role, "trust-narrowed", richText`principals denied by a new statement: ${each.text}`)
        : unknownEffect(role, richText`principals of a new statement: ${each.text}`),
    ),
    // When nothing is left that allows, a Deny that goes lets nobody in.
    ...removed.flatMap((each) => {
      if (each.Effect === "Allow")
        return [accessFinding(role, "no-longer-trusted", richText`principals of a removed statement: ${each.text}`)];
      return after?.statements.some(({ Effect }) => Effect === "Allow") || after?.unclear
        ? [unknownEffect(role, richText`principals of a removed Deny statement: ${each.text}`)]
        : [];
    }),
  ];
}

/** A finding about a change whose effect is unknown. */
export function unknownEffect(subject: string, what: RichText): AccessFinding {
  return accessFinding(subject, "unknown-effect", what);
}

function isPlain(statement: PlannedStatement): boolean {
  return statement.Effect === "Allow" && !statement.notComparable && statement.Principal !== undefined;
}

function entriesOf(document: Document | undefined): Entry[] {
  const entries = (document?.statements ?? [])
    .filter(isPlain)
    .flatMap((statement) =>
      (statement.Principal ?? []).flatMap(({ kind, id }) =>
        entriesFor(withIssuer(`${kind} ${id}`, statement), statement),
      ),
    );
  return [...new Map(entries.map((entry) => [entry.key, entry])).values()];
}

function entriesFor(principal: string, statement: PlannedStatement): Entry[] {
  const [kind, issuer] = split(principal);
  const asks = (claim: string) => {
    const found = statement.conditions.filter(
      (each) => kind === "Federated" && each.key === `${issuer}:${claim}`.toLowerCase(),
    );
    // Two conditions on one claim must both hold, which is no list of patterns: they are compared as conditions.
    const condition = found.length === 1 ? found[0] : undefined;
    const asked = condition && patterns(condition);
    return { condition: asked && condition, values: asked ?? ["*"] };
  };
  const [subjects, audiences] = [asks("sub"), asks("aud")];
  const conditions = statement.conditions.filter((each) => each !== subjects.condition && each !== audiences.condition);
  const rest = canonical(conditions);
  return (statement.Action ?? []).flatMap((each) => {
    const action = each.toLowerCase();
    return subjects.values.flatMap((subject) =>
      audiences.values.map((audience) => {
        const key = [principal, action, subject, audience, rest].join("\n");
        return { principal, action, subject, audience, conditions, key };
      }),
    );
  });
}

/**
 * A provider's principal as `Federated <issuer>`. Where its ARN is known only after apply, the conditions give it
 * away: a key `<issuer>:sub` exists for tokens of that issuer alone.
 */
function withIssuer(principal: string, statement: PlannedStatement): string {
  if (principal === `Federated ${UNKNOWN.text}`) {
    const key = statement.conditions.find((each) => /:(sub|aud)$/.test(each.key) && patterns(each) !== undefined)?.key;
    return key === undefined ? principal : `Federated ${key.replace(/:(sub|aud)$/, "")}`;
  }
  const [kind, id] = split(principal);
  return kind === "Federated" ? `Federated ${issuerOfArn(id)}` : principal;
}

/** Those of the entries that none of the others includes. */
function uncovered(entries: readonly Entry[], others: readonly Entry[]): Entry[] {
  const known = new Set(others.map(({ key }) => key));
  return entries.filter((entry) => !known.has(entry.key) && !others.some((other) => includes(other, entry)));
}

function includes(wide: Entry, narrow: Entry): boolean {
  return (
    (wide.principal === narrow.principal || (wide.principal === "AWS *" && narrow.principal.startsWith("AWS "))) &&
    covers(wide.action, narrow.action) &&
    covers(wide.subject, narrow.subject) &&
    covers(wide.audience, narrow.audience) &&
    permits(wide.conditions, narrow.conditions)
  );
}

const USUAL_ACTIONS = new Set([
  "Federated sts:assumerolewithwebidentity",
  "AWS sts:assumerole",
  "Service sts:assumerole",
]);

function inWords(entry: Entry): RichText {
  const [kind, issuer] = split(entry.principal);
  const asksSubject = entry.subject !== "*";
  const organization = asksSubject ? parseSubject(entry.subject)?.organization : undefined;
  const who = asksSubject ? subjectInWords(entry.subject) : principalInWords(entry.principal);
  // CircleCI's audience is by default the organization's id, which is the end of its issuer.
  const usualAudience = issuer.endsWith(`/${entry.audience}`);
  const extras = [
    ...(asksSubject && organization === undefined ? [richText`from ${issuer}`] : []),
    ...(organization !== undefined && organization.split("/")[0] !== parseIssuer(issuer)?.organization
      ? [richText`from ${issuer}`]
      : []),
    ...(kind !== "Federated" || usualAudience ? [] : [audienceInWords(entry.audience)]),
    ...(USUAL_ACTIONS.has(`${kind} ${entry.action}`) ? [] : [richText`by ${entry.action}`]),
    ...entry.conditions.map(({ operator, key, values }) => richText`if ${`${operator} ${key} ${values.join(", ")}`}`),
  ];
  return join([who, ...extras], ", ");
}

function tokens(...entries: readonly Entry[]) {
  return { tokens: entries.map(({ subject }) => subject) };
}

function audienceInWords(audience: string): RichText {
  return audience === "*" ? ["whatever the audience"] : richText`audience ${audience}`;
}

function listed(entries: readonly Entry[]): RichText {
  return join(entries.map(inWords), "; ");
}
