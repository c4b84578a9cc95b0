import type { Plan, ResourceChange } from "../../plan/schema";
import { displayed, elements, Hidden, type Value } from "../../plan/value";
import { richText } from "../rich-text";
import { type AccessFinding, accessFinding, notAssessed } from "./finding";
import { IamChanges, type PlannedProvider, type PlannedRole, type ResourcePolicy } from "./iam";
import { boundaryDelta, permissionDelta } from "./permissions";
import { trustDelta } from "./trust";

/** The access that a list of changes grants and revokes: a plan's own changes, or its drift. */
export function accessDelta(plan: Plan, changes: readonly ResourceChange[]): AccessFinding[] {
  const iam = new IamChanges(changes, plan);
  const [before, after] = [iam.read("before"), iam.read("after")];
  const findings = [
    ...compareEach(before.providers, after.providers, providerDelta),
    ...compareEach(before.roles, after.roles, roleDelta),
    // The policies that are attached to a role are compared with the role.
    ...iam.detachedPolicies(before, after).flatMap((key) => {
      const [was, is] = [before.policies.get(key), after.policies.get(key)].map(
        (document) => document && [{ source: richText`its policy`, document }],
      );
      return was && is ? permissionDelta(`policy ${key}`, was, is) : [];
    }),
    ...compareEach(before.resourcePolicies, after.resourcePolicies, resourcePolicyDelta),
    ...changes
      .filter(isNotEvaluated)
      .map(({ address, action }) =>
        notAssessed(address, richText`${[action]} of a resource that this review does not evaluate`),
      ),
  ];
  return [...new Map(findings.map((each) => [JSON.stringify(each), each])).values()];
}

/** The names of the roles that a plan changes, their policies and attachments included. */
export function changedRoles(plan: Plan): ReadonlySet<string> {
  const iam = new IamChanges(plan.changes, plan);
  const changes = plan.changes.filter(({ action, mode }) => mode === "managed" && action !== "no-op");
  return new Set(changes.flatMap((each) => iam.rolesOf(each)));
}

function compareEach<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
  compare: (key: string, before?: T, after?: T) => AccessFinding[],
): AccessFinding[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].flatMap((key) => compare(key, before.get(key), after.get(key)));
}

function roleDelta(name: string, before?: PlannedRole, after?: PlannedRole): AccessFinding[] {
  const role = `role ${name}`;
  const findings = [
    ...trustDelta(role, before?.trust, after?.trust),
    ...permissionDelta(role, before?.policies ?? [], after?.policies ?? []),
    ...(before?.trust && after?.trust ? boundaryDelta(role, before.boundary, after.boundary) : []),
  ];
  // Destroying a role with a Deny grants nothing; creating one with a Deny revokes nothing.
  const impossible = before?.trust && !after?.trust ? "gain" : !before?.trust && after?.trust ? "loss" : undefined;
  return findings.filter(({ effect }) => effect !== impossible);
}

function resourcePolicyDelta(address: string, before?: ResourcePolicy, after?: ResourcePolicy): AccessFinding[] {
  const [was, is] = [before, after].map((policy) =>
    policy ? [{ source: richText`its policy`, document: policy.document }] : [],
  );
  const findings = permissionDelta(address, was ?? [], is ?? []);
  // Destroying a bucket together with its policy grants nothing; destroying only the policy can remove a Deny.
  return after || before?.type.endsWith("_policy") ? findings : findings.filter(({ effect }) => effect !== "gain");
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

/** Resources that can grant access in ways that this review does not evaluate. */
const NOT_EVALUATED = new RegExp(
  `^aws_(${[
    "iam_(user|group|access_key|saml_provider|instance_profile|policy_attachment|service_linked_role)",
    "lambda_permission|kms_grant|organizations_policy|ram_|ssoadmin_|rolesanywhere_|eks_access_|eks_pod_identity",
  ].join("|")})`,
);

function isNotEvaluated({ type, mode, action, before, after }: ResourceChange): boolean {
  if (mode !== "managed" || !NOT_EVALUATED.test(type) || !["create", "update", "replace"].includes(action))
    return false;
  // Such an attachment is evaluated for roles, but not for users and groups.
  if (type === "aws_iam_policy_attachment")
    return [before, after].some((side) => elements(side?.users).length + elements(side?.groups).length > 0);
  // The inline policies of users and groups are evaluated as policies of a resource.
  return !/_(user|group)_policy$/.test(type);
}
