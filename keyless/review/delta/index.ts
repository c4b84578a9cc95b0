import { References } from "../../plan/references";
import type { Plan, ResourceChange } from "../../plan/schema";
import { displayed, elements, Hidden, same, type Value } from "../../plan/value";
import type { RoleKnowledge } from "../../policy/administrator";
import { richText } from "../rich-text";
import { type AccessFinding, accessFinding, notAssessed } from "./finding";
import { GUARDRAIL_ATTACHMENT, guardrailDelta } from "./guardrails";
import { IamChanges, isIamType, type PlannedIam, type PlannedIdentity, type PlannedProvider } from "./iam";
import { boundaryDelta, isAdministratorPolicy, permissionDelta } from "./permissions";
import { accountsOf, destroyedResources, resourceDelta, sessionDelta } from "./resources";
import { trustDelta } from "./trust";

/** The access that a plan grants and revokes. What the plan leaves open is not assessed. */
export function accessDelta(plan: Plan): AccessFinding[] {
  const { deferred, actionInvocations, errored, complete } = plan;
  const isIncomplete = !complete && deferred.length === 0;
  const canGrant = deferredAssessment(plan);
  return [
    ...changesDelta(plan, plan.changes),
    ...deferred
      .filter(({ change }) => canGrant(change))
      .map(({ reason, change }) => notAssessed(change.address, richText`${[change.action]} deferred: ${reason}`)),
    ...actionInvocations.map(({ address }) => notAssessed(address, ["an action that is invoked during apply"])),
    ...(errored ? [notAssessed("the plan", ["Terraform failed while planning: changes can be missing"])] : []),
    ...(isIncomplete && !errored
      ? [notAssessed("the plan", ["it is incomplete: another one has further changes"])]
      : []),
  ];
}

/** The access that changes outside Terraform granted and revoked. */
export function driftDelta(plan: Plan, drift: readonly ResourceChange[]): AccessFinding[] {
  return changesDelta(plan, drift);
}

function changesDelta(plan: Plan, changes: readonly ResourceChange[]): AccessFinding[] {
  const references = new References(plan);
  const iam = new IamChanges(changes, plan, references);
  const [before, after] = [iam.read("before"), iam.read("after")];
  const roles = iam.roleKnowledge(after);
  const destroyed = destroyedResources(changes, plan.severalAccounts);
  const accounts = accountsOf(plan.changes);
  const findings = [
    ...compareEach(before.providers, after.providers, providerDelta),
    ...compareEach(before.identities, after.identities, (name, was, is) =>
      identityDelta(name, [before, was], [after, is], roles),
    ),
    // The policies that are attached to an identity are compared with it.
    ...iam.detachedPolicies(before, after).flatMap((key) => {
      const [was, is] = [before.policies.get(key), after.policies.get(key)].map(
        (document) => document && [{ source: richText`its policy`, document }],
      );
      return was && is ? permissionDelta(`policy ${key}`, was, is, roles) : [];
    }),
    ...changes.flatMap((change) =>
      change.type === GUARDRAIL_ATTACHMENT
        ? guardrailDelta(change, plan, references)
        : resourceDelta(change, references, {
            readDocument: iam.document.bind(iam),
            destroyed,
            severalAccounts: plan.severalAccounts,
            accounts,
            roles,
            isAdministrator: (role) =>
              after.identities.get(`role ${role}`)?.policies.some((each) => isAdministratorPolicy(each, roles)) ===
              true,
          }),
    ),
  ];
  return [...new Map(findings.map((each) => [JSON.stringify(each), each])).values()];
}

/** Tells whether a deferred change, of which only some arguments are known, can grant access. */
function deferredAssessment(plan: Plan): (change: ResourceChange) => boolean {
  const references = new References(plan);
  const changes = plan.deferred.map(({ change }) => change);
  const iam = new IamChanges(changes, plan, references);
  const surroundings = {
    readDocument: iam.document.bind(iam),
    destroyed: destroyedResources([], true),
    severalAccounts: plan.severalAccounts,
    accounts: accountsOf(plan.changes),
    isAdministrator: () => false,
  };
  return (change) =>
    isIamType(change.type) || resourceDelta(change, references, surroundings).some(({ effect }) => effect !== "loss");
}

/** The names of the roles that a plan changes, their policies and attachments included. */
export function changedRoles(plan: Plan): ReadonlySet<string> {
  const iam = new IamChanges(plan.changes, plan, new References(plan));
  const changes = plan.changes.filter(({ action, mode }) => mode === "managed" && action !== "no-op");
  return new Set(changes.flatMap((each) => iam.rolesOf(each)));
}

/** The policy that is the boundary of an environment, or a role that exists and gets another boundary or loses it. */
export interface BoundaryChange {
  readonly kind: "policy" | "role";
  readonly name: string;
}

/** What a plan changes about permissions boundaries, of which `policy` is the name of the environment's. */
export function changedBoundaries(plan: Plan, policy: string): readonly BoundaryChange[] {
  const changes = plan.changes.filter(({ action, mode }) => mode === "managed" && action !== "no-op");
  const changesPolicy = changes.some(
    ({ type, before, after }) => type === "aws_iam_policy" && [before?.name, after?.name].includes(policy),
  );
  const roles = changes.flatMap(({ type, before, after }) =>
    type === "aws_iam_role" &&
    before &&
    after &&
    !same(before.permissions_boundary || null, after.permissions_boundary || null)
      ? [displayed(before.name ?? null)]
      : [],
  );
  return [
    ...(changesPolicy ? [{ kind: "policy" as const, name: policy }] : []),
    ...roles.map((name) => ({ kind: "role" as const, name })),
  ];
}

function compareEach<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
  compare: (key: string, before?: T, after?: T) => AccessFinding[],
): AccessFinding[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].flatMap((key) => compare(key, before.get(key), after.get(key)));
}

type IdentityInPlan = readonly [iam: PlannedIam, identity: PlannedIdentity | undefined];

function identityDelta(
  name: string,
  [iamBefore, before]: IdentityInPlan,
  [iamAfter, after]: IdentityInPlan,
  roles: RoleKnowledge,
) {
  const [left, joined] = [groupsNotIn(before, after), groupsNotIn(after, before)];
  const findings = [
    ...trustDelta(name, before?.trust, after?.trust),
    ...permissionDelta(
      name,
      [...(before?.policies ?? []), ...policiesOfGroups(iamBefore, left)],
      [...(after?.policies ?? []), ...policiesOfGroups(iamAfter, joined)],
      roles,
    ),
    ...joined
      .filter((group) => !hasPolicies(iamAfter, group))
      .map((group) => accessFinding(name, "permission-granted", richText`the policies of group ${group}`)),
    ...left
      .filter((group) => !hasPolicies(iamBefore, group))
      .flatMap((group) => [
        accessFinding(name, "permission-revoked", richText`the policies of group ${group}`),
        notAssessed(name, richText`the policies of group ${group}, which can deny access, are not in the plan`),
      ]),
    ...(before?.exists && after?.exists
      ? [...boundaryDelta(name, before, after), ...sessionDelta(name, before.session, after.session)]
      : []),
  ];
  // Destroying an identity with a Deny grants nothing; creating one with a Deny revokes nothing.
  if (before?.exists && !after?.exists) return findings.filter(({ effect }) => effect === "loss");
  return !before?.exists && after?.exists ? findings.filter(({ effect }) => effect !== "loss") : findings;
}

function groupsNotIn(some: PlannedIdentity | undefined, others: PlannedIdentity | undefined): readonly string[] {
  return [...(some?.groups ?? [])].filter((group) => !others?.groups.has(group));
}

const hasPolicies = (iam: PlannedIam, group: string) => policiesOfGroups(iam, [group]).length > 0;

function policiesOfGroups({ identities }: PlannedIam, groups: readonly string[]) {
  return groups.flatMap((group) =>
    (identities.get(`group ${group}`)?.policies ?? []).map((policy) => ({
      ...policy,
      source: richText`${policy.source} of group ${group}`,
    })),
  );
}

function providerDelta(url: string, before?: PlannedProvider, after?: PlannedProvider): AccessFinding[] {
  const provider = `provider ${url}`;
  if (after === undefined) return [accessFinding(provider, "provider-narrowed", ["AWS no longer accepts its tokens"])];
  if (before === undefined) {
    const audiences = elements(after.audiences).map(displayed).join(", ");
    const what = richText`AWS accepts its tokens for audience ${audiences}`;
    return [accessFinding(provider, "provider-broadened", what)];
  }
  return [
    ...listDelta(provider, "audience", before.audiences, after.audiences),
    ...listDelta(provider, "thumbprint", before.thumbprints, after.thumbprints),
  ];
}

function listDelta(provider: string, noun: string, before: Value, after: Value): AccessFinding[] {
  if (after instanceof Hidden) return [notAssessed(provider, richText`its ${[noun]}s: ${after.text}`)];
  const [was, is] = [new Set(elements(before).map(displayed)), new Set(elements(after).map(displayed))];
  const added = [...is].filter((each) => !was.has(each));
  const removed = [...was].filter((each) => !is.has(each));
  return [
    ...added.map((each) => accessFinding(provider, "provider-broadened", richText`${[noun]} ${each} added`)),
    ...removed.map((each) => accessFinding(provider, "provider-narrowed", richText`${[noun]} ${each} removed`)),
  ];
}
