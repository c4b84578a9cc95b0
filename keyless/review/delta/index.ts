import type { Plan, ResourceChange } from "../../plan/schema";
import { displayed, elements, Hidden, type Value } from "../../plan/value";
import { richText } from "../rich-text";
import type { Document } from "./documents";
import { type AccessFinding, accessFinding } from "./finding";
import { type Iam, IamReader, type Provider } from "./iam";
import { boundaryDelta, permissionDelta } from "./permissions";
import { trustDelta, unknownEffect } from "./trust";

/** Who gains and who loses by a list of changes: the plan's own, or its drift. */
export function accessDelta(plan: Plan, changes: readonly ResourceChange[]): AccessFinding[] {
  const reader = new IamReader(changes, plan);
  const [before, after] = [reader.read("before"), reader.read("after")];
  const detached = reader.detachedPolicies(before, after);
  const findings = [
    ...keys(before.providers, after.providers).flatMap((url) =>
      providerDelta(url, before.providers.get(url), after.providers.get(url)),
    ),
    ...keys(before.roles, after.roles).flatMap((name) => roleDelta(name, before, after)),
    ...detached.flatMap((key) => policyDelta(key, before, after)),
    ...keys(before.others, after.others).flatMap((address) => otherDelta(address, before, after)),
    ...changes
      .filter(isOtherAccess)
      .map((change) =>
        unknownEffect(change.address, richText`${[change.action]} of a resource that this review does not evaluate`),
      ),
  ];
  return [...new Map(findings.map((each) => [JSON.stringify(each), each])).values()];
}

/** The roles that the changes are about, for those that a plan changes at all. */
export function changedRoles(plan: Plan): ReadonlySet<string> {
  const reader = new IamReader(plan.changes, plan);
  return new Set(
    plan.changes
      .filter(({ action, mode }) => mode === "managed" && action !== "no-op")
      .flatMap((each) => reader.rolesOf(each)),
  );
}

function roleDelta(name: string, before: Iam, after: Iam): AccessFinding[] {
  const role = `role ${name}`;
  const [old, young] = [before.roles.get(name), after.roles.get(name)];
  const findings = [
    ...trustDelta(role, old?.trust, young?.trust),
    ...permissionDelta(role, old?.grants ?? [], young?.grants ?? []),
    ...(old?.trust && young?.trust ? boundaryDelta(role, old.boundary, young.boundary) : []),
  ];
  // A role that goes takes its Deny statements with it, and one that comes has nothing to lose by its own.
  const impossible = old?.trust && !young?.trust ? "gain" : !old?.trust && young?.trust ? "loss" : undefined;
  return findings.filter(({ effect }) => effect !== impossible);
}

/** A managed policy that nobody has yet, or that nobody can have any more, gives and takes nothing by itself. */
function policyDelta(key: string, before: Iam, after: Iam): AccessFinding[] {
  const [old, young] = [before.policies.get(key), after.policies.get(key)];
  return old && young ? permissionDelta(`policy ${key}`, grantOf(old), grantOf(young)) : [];
}

function otherDelta(address: string, before: Iam, after: Iam): AccessFinding[] {
  const [old, young] = [before.others.get(address), after.others.get(address)];
  const findings = permissionDelta(address, grantOf(old), grantOf(young));
  // With a key or a queue goes whatever its policy kept out.
  return young || /policy\b/.test(address) ? findings : findings.filter(({ effect }) => effect !== "gain");
}

const grantOf = (document: Document | undefined) => (document ? [{ source: richText`its policy`, document }] : []);

function providerDelta(url: string, before: Provider | undefined, after: Provider | undefined): AccessFinding[] {
  const provider = `provider ${url}`;
  if (after === undefined)
    return [accessFinding(provider, "provider-narrowed", ["removed: AWS no longer accepts its tokens"])];
  if (before === undefined) {
    const audiences = elements(after.audiences).map(displayed).join(", ");
    return [
      accessFinding(
        provider,
        "provider-broadened",
        richText`created: AWS accepts its tokens for audience ${audiences}`,
      ),
    ];
  }
  return [
    ...listDelta(provider, "audience", before.audiences, after.audiences),
    ...listDelta(provider, "thumbprint", before.thumbprints, after.thumbprints),
  ];
}

function listDelta(provider: string, noun: string, before: Value, after: Value): AccessFinding[] {
  const [from, to] = [elements(before).map(displayed), elements(after).map(displayed)];
  if (after instanceof Hidden) return [unknownEffect(provider, richText`its ${[noun]}s: ${after.text}`)];
  return [
    ...to
      .filter((each) => !from.includes(each))
      .map((each) => accessFinding(provider, "provider-broadened", richText`${[noun]} ${each} added`)),
    ...from
      .filter((each) => !to.includes(each))
      .map((each) => accessFinding(provider, "provider-narrowed", richText`${[noun]} ${each} removed`)),
  ];
}

/** Resources that give access in ways of their own, which this review does not weigh. */
const OTHER_ACCESS = new RegExp(
  `^aws_(${[
    "iam_(user|group|access_key|saml_provider|instance_profile|policy_attachment|service_linked_role)",
    "lambda_permission|kms_grant|organizations_policy|ram_|ssoadmin_|rolesanywhere_|eks_access_|eks_pod_identity",
  ].join("|")})`,
);

function isOtherAccess({ type, mode, action, before, after }: ResourceChange): boolean {
  if (mode !== "managed" || !OTHER_ACCESS.test(type)) return false;
  // The roles of such an attachment are weighed as roles; its users and groups are not.
  const people = [before, after].some((side) => elements(side?.users).length + elements(side?.groups).length > 0);
  if (type === "aws_iam_policy_attachment" && !people) return false;
  // A user's inline policy is weighed as a policy.
  if (/_(user|group)_policy$/.test(type)) return false;
  return action === "create" || action === "update" || action === "replace";
}

function keys(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): readonly string[] {
  return [...new Set([...before.keys(), ...after.keys()])];
}
