import { displayed, isUnknown, same, type Value } from "../../plan/value";
import { covers, coversArn } from "../../policy/containment";
import { ESCALATING_ACTIONS, isAdministratorPolicy } from "../../policy/escalation";
import { join, type Words, words } from "../rich-text";
import { type Clause, type Document, permits } from "./documents";
import { type Finding, finding } from "./finding";
import { unclear } from "./trust";

/** Something that allows: a policy whose text is not in the plan, by its ARN, or a policy's document. */
export interface Grant {
  /** Where it stands, e.g. `inline policy publish`. */
  readonly source: Words;
  readonly arn?: string;
  readonly document?: Document;
}

/**
 * What a subject may do afterwards that it could not before, and the reverse. A statement that only moves from one
 * policy to another is neither: all policies of the subject count together.
 */
export function permissionDelta(subject: string, before: readonly Grant[], after: readonly Grant[]): Finding[] {
  return [
    ...managedDelta(subject, before, after),
    ...allowed(after, before).map(({ source, clause, text }) =>
      finding(subject, "permission gained", "gain", words`${text} (${source})`, {
        administrator: isAdministrator(clause),
      }),
    ),
    ...allowed(before, after).map(({ source, text }) =>
      finding(subject, "permission lost", "loss", words`${text} (${source})`),
    ),
    ...otherDelta(subject, before, after),
    ...unclearDelta(subject, before, after),
  ];
}

function managedDelta(subject: string, before: readonly Grant[], after: readonly Grant[]): Finding[] {
  const missing = (from: readonly Grant[], of: readonly Grant[]) =>
    from.flatMap(({ arn }) => (arn !== undefined && !of.some((other) => other.arn === arn) ? [arn] : []));
  return [
    ...[...new Set(missing(after, before))].map((arn) =>
      finding(subject, "permission gained", "gain", words`managed policy ${arn}`, {
        administrator: isAdministratorPolicy(arn),
      }),
    ),
    ...[...new Set(missing(before, after))].map((arn) =>
      finding(subject, "permission lost", "loss", words`managed policy ${arn}`),
    ),
  ];
}

interface Sourced {
  readonly source: Words;
  readonly clause: Clause;
}

const clausesOf = (grants: readonly Grant[]): Sourced[] =>
  grants.flatMap(({ source, document }) => (document?.clauses ?? []).map((clause) => ({ source, clause })));

const isPlain = ({ effect, opaque }: Clause) => effect === "Allow" && !opaque;

/** What `some` allow and `others` do not, statement by statement, in words. */
function allowed(some: readonly Grant[], others: readonly Grant[]): (Sourced & { readonly text: Words })[] {
  const rest = clausesOf(others).map(({ clause }) => clause);
  const known = new Set(rest.map(({ text }) => text));
  return clausesOf(some)
    .filter(({ clause }) => isPlain(clause) && !known.has(clause.text))
    .flatMap(({ source, clause }) => uncovered(clause, rest.filter(isPlain)).map((part) => ({ source, ...part })));
}

/** The part of a statement that none of the others allows, actions with the same resources together. */
function uncovered(clause: Clause, others: readonly Clause[]): { readonly clause: Clause; readonly text: Words }[] {
  const rivals = others.filter(
    (other) => permits(other.conditions, clause.conditions) && String(other.principals) === String(clause.principals),
  );
  const groups = new Map<string, { actions: string[]; resources: readonly string[] }>();
  // A resource's policy may leave the resource out: it is the one that the policy hangs on.
  const resources = clause.resources.length > 0 ? clause.resources : ["*"];
  for (const action of clause.actions) {
    const able = rivals.filter((other) =>
      other.actions.some((wide) => covers(wide.toLowerCase(), action.toLowerCase())),
    );
    const left = resources.filter(
      (resource) =>
        !able.some(({ resources: wides }) =>
          (wides.length > 0 ? wides : ["*"]).some((wide) => coversArn(wide, resource)),
        ),
    );
    const group = groups.get(left.join("\n")) ?? { actions: [], resources: left };
    group.actions.push(action);
    if (left.length > 0) groups.set(left.join("\n"), group);
  }
  return [...groups.values()].map((part) => ({
    clause: { ...clause, ...part },
    text: inWords({ ...clause, ...part }),
  }));
}

function inWords({ principals, actions, resources, conditions }: Clause): Words {
  const who = principals === undefined ? [] : words`to ${principals.join(", ")}: `;
  const when = conditions.map(({ operator, key, values }) => words` if ${`${operator} ${key} ${values.join(", ")}`}`);
  return [...who, ...words`${actions.join(", ")} on ${resources.join(", ")}`, ...join(when, " and")];
}

/** Statements that are no plain Allow: said as they stand. */
function otherDelta(subject: string, before: readonly Grant[], after: readonly Grant[]): Finding[] {
  const others = (grants: readonly Grant[]) => clausesOf(grants).filter(({ clause }) => !isPlain(clause));
  const missing = (from: Sourced[], of: Sourced[]) =>
    from.filter(({ clause }) => !of.some((other) => other.clause.text === clause.text));
  return [
    ...missing(others(after), others(before)).map(({ source, clause }) =>
      clause.effect === "Deny"
        ? finding(subject, "permission lost", "loss", words`denied from now on: ${clause.text} (${source})`)
        : finding(subject, "permission gained", "gain", words`${clause.text} (${source})`, {
            administrator: isAdministrator(clause),
          }),
    ),
    ...missing(others(before), others(after)).map(({ source, clause }) =>
      clause.effect === "Deny"
        ? finding(subject, "permission gained", "gain", words`denied no longer: ${clause.text} (${source})`)
        : finding(subject, "permission lost", "loss", words`${clause.text} (${source})`),
    ),
  ];
}

function unclearDelta(subject: string, before: readonly Grant[], after: readonly Grant[]): Finding[] {
  const hidden = (grants: readonly Grant[]) =>
    grants.filter(({ document }) => document?.unclear !== undefined).map((grant) => ({ grant, key: key(grant) }));
  const missing = (from: readonly Grant[], of: readonly Grant[]) =>
    hidden(from).filter(
      (one) => isUnknown(one.grant.document?.source) || !hidden(of).some((other) => other.key === one.key),
    );
  return [...missing(after, before), ...missing(before, after)].map(({ grant }) =>
    unclear(subject, words`${grant.source}: ${grant.document?.unclear ?? ""}`),
  );
}

const key = ({ source, document }: Grant) => JSON.stringify([source, document?.source]);

/** A permissions boundary caps what a role may do: only one that comes where none was is certainly no gain. */
export function boundaryDelta(subject: string, before: Value, after: Value): Finding[] {
  if (same(before, after) && !isUnknown(after)) return [];
  if (!after)
    return before
      ? [finding(subject, "boundary lifted", "gain", words`permissions boundary ${displayed(before)} removed`)]
      : [];
  if (!before) return [finding(subject, "boundary set", "loss", words`permissions boundary ${displayed(after)}`)];
  return [unclear(subject, words`permissions boundary ${displayed(before)} → ${displayed(after)}`)];
}

/** Whether an Allow, of `NotAction` even, lets its holder escalate on whatever resource. */
function isAdministrator({ effect, actions, resources, principals }: Clause): boolean {
  if (effect !== "Allow" || principals !== undefined) return false;
  const escalating =
    actions.length === 0 ||
    actions.some((each) => ESCALATING_ACTIONS.some((other) => covers(each.toLowerCase(), other.toLowerCase())));
  return escalating && (resources.length === 0 || resources.some(isWholeAccount));
}

/** Whether a resource means every role, user, group or policy of an account. */
function isWholeAccount(resource: string): boolean {
  const anyAccount = resource
    .replace(/^arn:aws[\w-]*:/, "arn:aws:")
    .replace(/^arn:aws:iam::\d{12}:/, "arn:aws:iam::*:");
  return ["role", "user", "group", "policy"].some((kind) => covers(anyAccount, `arn:aws:iam::*:${kind}/*`));
}
