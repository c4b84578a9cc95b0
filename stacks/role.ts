import { DataAwsIamPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePoliciesExclusive } from "@cdktf/provider-aws/lib/iam-role-policies-exclusive";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { IamRolePolicyAttachment } from "@cdktf/provider-aws/lib/iam-role-policy-attachment";
import { IamRolePolicyAttachmentsExclusive } from "@cdktf/provider-aws/lib/iam-role-policy-attachments-exclusive";
import { type ITerraformDependable, TerraformIterator } from "cdktf";
import { Construct } from "constructs";
import { terraformName } from "../keyless/config/names";
import type { Environment, Role } from "../keyless/config/resolved";
import { trustConditions } from "../keyless/trust/policy";
import { ASSUME } from "../keyless/trust/statement";
import { escapeTemplates } from "./settings";

/**
 * A role that CircleCI jobs assume: its trust policy, managed policies and inline policies. The Terraform name of every
 * resource is the role's; policies are keyed by their names, so that a change of one does not affect the others.
 */
export class CircleCiRole extends Construct {
  readonly arn: string;

  constructor(scope: Construct, environment: Environment, dependsOn: ITerraformDependable[], role: Role) {
    super(scope, role.name);
    const terraformId = terraformName(role.name);
    const trust = new DataAwsIamPolicyDocument(this, "trust", {
      statement: trustConditions({ ...environment.circleci, rules: role.trust }).map((conditions) => ({
        actions: [ASSUME],
        // The ARN instead of the provider's attribute: otherwise a plan that creates or changes the provider shows
        // "known after apply" for every trust policy.
        principals: [{ type: "Federated", identifiers: [environment.oidcProvider.arn] }],
        condition: conditions.map((condition) => ({ ...condition, values: [...condition.values] })),
      })),
    });
    trust.overrideLogicalId(terraformId);
    const iamRole = new IamRole(this, "role", {
      name: role.name,
      assumeRolePolicy: trust.json,
      description: role.description === undefined ? undefined : escapeTemplates(role.description),
      path: role.path === "/" ? undefined : role.path,
      // The ARN for the same reason as in the trust policy.
      permissionsBoundary: role.permissionsBoundaryArn,
      maxSessionDuration: role.maxSessionSeconds === 3600 ? undefined : role.maxSessionSeconds,
      tags: Object.keys(role.tags).length > 0 ? { ...role.tags } : undefined,
      dependsOn,
    });
    // Before an attribute is read: references contain the id.
    iamRole.overrideLogicalId(terraformId);
    this.arn = iamRole.arn;

    const policies: IamRolePolicy[] = [];
    const inline = Object.entries(role.inlinePolicies);
    if (inline.length > 0) {
      const byName = inline.map(([name, document]) => [name, escapeTemplates(JSON.stringify(document))]);
      const forEach = TerraformIterator.fromMap(Object.fromEntries(byName));
      const policy = { forEach, name: forEach.key, policy: forEach.value, role: iamRole.name };
      policies.push(new IamRolePolicy(this, "inline", policy));
    }
    const attachments: IamRolePolicyAttachment[] = [];
    if (role.managedPolicyArns.length > 0) {
      const byKey = Object.fromEntries(role.managedPolicyArns.map((arn) => [attachmentKey(arn), arn]));
      const forEach = TerraformIterator.fromMap(byKey);
      const attachment = { forEach, policyArn: forEach.value, role: iamRole.name };
      attachments.push(new IamRolePolicyAttachment(this, "managed", attachment));
    }
    // The role has no other policies: a plan shows one that was added outside Terraform, and a deployment removes it.
    const exclusive = [
      new IamRolePoliciesExclusive(this, "inline_exclusive", {
        roleName: iamRole.name,
        policyNames: Object.keys(role.inlinePolicies).sort(),
        dependsOn: policies,
      }),
      new IamRolePolicyAttachmentsExclusive(this, "managed_exclusive", {
        roleName: iamRole.name,
        policyArns: [...role.managedPolicyArns].sort(),
        dependsOn: attachments,
      }),
    ];
    for (const resource of [...policies, ...attachments, ...exclusive]) resource.overrideLogicalId(terraformId);
  }
}

/**
 * The key of an attachment: the policy's path and name, e.g. `AmazonS3ReadOnlyAccess` or `service-role/AWSConfigRole`;
 * for a policy of the account, with the account in front: `123456789012:team/deploy`.
 */
export function attachmentKey(policyArn: string): string {
  const [, , , , owner, resource = ""] = policyArn.split(":");
  const name = resource.slice("policy/".length);
  return owner === "aws" ? name : `${owner}:${name}`;
}
