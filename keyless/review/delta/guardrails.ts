import type { References } from "../../plan/references";
import type { Plan, ResourceChange } from "../../plan/schema";
import { displayed, type Value } from "../../plan/value";
import { richText } from "../rich-text";
import { type Document, readDocument } from "./documents";
import { type AccessFinding, accessFinding, notAssessed } from "./finding";
import { type Attributes, attributesOf, type Side } from "./identities";

/** The type whose resources attach service control policies and resource control policies. */
export const GUARDRAIL_ATTACHMENT = "aws_organizations_policy_attachment";

/** Whether a policy of AWS Organizations concerns access; others are about tags, backups and the like. */
export function isGuardrail({ type = null }: Attributes): boolean {
  return type === null || /^(SERVICE|RESOURCE)_CONTROL_POLICY$/.test(displayed(type));
}

/**
 * What attaching or detaching a policy of AWS Organizations does. A Deny restricts access. A service control policy with
 * an Allow can grant access, since what no policy of a target allows is denied.
 *
 * @see https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
 */
export function guardrailDelta(change: ResourceChange, plan: Plan, references: References): AccessFinding[] {
  if (change.mode !== "managed" || change.action === "no-op") return [];
  const [before, after] = [attributesOf(change, "before"), attributesOf(change, "after")];
  const { address } = change;
  return [
    ...(change.provisioners ? [notAssessed(address, ["its provisioners run commands"])] : []),
    ...(before && change.action !== "forget" ? detached(address, before, policyOf("before", before)) : []),
    ...(after && change.action !== "forget" ? attached(address, after, policyOf("after", after)) : []),
  ];

  function policyOf(side: Side, { policy_id: id = null }: Attributes): Attributes | undefined {
    const policies = plan.changes.filter(({ type }) => type === "aws_organizations_policy");
    const named = policies.filter((each) => typeof id === "string" && each[side]?.id === id);
    const [policy, ...others] = named.length > 0 ? named : references.resolve(change, "policy_id").candidates;
    return others.length === 0 ? (policy?.[side] ?? undefined) : undefined;
  }
}

const FULL_ACCESS = "p-FullAWSAccess";
/** AWS attaches it to every target, and it cannot be detached. */
const RESOURCE_FULL_ACCESS = "p-RCPFullAWSAccess";

const describeAttachment = ({ policy_id: id = null, target_id: target = null }: Attributes) =>
  richText`policy ${displayed(id)} of target ${displayed(target)}`;

function detached(address: string, attachment: Attributes, policy: Attributes | undefined): AccessFinding[] {
  const { policy_id: id } = attachment;
  if (id === RESOURCE_FULL_ACCESS || (policy && !isGuardrail(policy))) return [];
  const content = readDocument(policy?.content);
  const isAllowList = id === FULL_ACCESS || (content && !canDeny(content));
  return [
    accessFinding(address, isAllowList ? "permission-revoked" : "guardrail-removed", describeAttachment(attachment)),
  ];
}

function attached(address: string, attachment: Attributes, policy: Attributes | undefined): AccessFinding[] {
  const { policy_id: id } = attachment;
  if (id === RESOURCE_FULL_ACCESS || (policy && !isGuardrail(policy))) return [];
  if (id === FULL_ACCESS) return [accessFinding(address, "permission-granted", describeAttachment(attachment))];
  const content = readDocument(policy?.content);
  if (isResourceControl(policy?.type) || (content && !canAllow(content)))
    return [accessFinding(address, "guardrail-set", describeAttachment(attachment))];
  const why = content ? "it also allows" : "its content is not in the plan";
  return [notAssessed(address, richText`${describeAttachment(attachment)}: ${[why]}`)];
}

const isResourceControl = (type: Value | undefined) => type === "RESOURCE_CONTROL_POLICY";
const canDeny = ({ statements, unreadable }: Document) =>
  unreadable !== undefined || statements.some(({ Effect }) => Effect === "Deny");
const canAllow = ({ statements, unreadable }: Document) =>
  unreadable !== undefined || statements.some(({ Effect }) => Effect === "Allow");
