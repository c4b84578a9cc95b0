import { DataAwsIamPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { IamRolePolicyAttachment } from "@cdktf/provider-aws/lib/iam-role-policy-attachment";
import { type ITerraformDependable, type TerraformElement, TerraformIterator } from "cdktf";
import { Construct } from "constructs";
import { terraformName } from "../keyless/config/names";
import type { Environment, Role } from "../keyless/config/resolved";
import { trustConditions } from "../keyless/trust/policy";
import { escapeTemplates } from "./settings";

/**
 * A role that CircleCI's jobs assume: its trust policy, its managed policies and its inline policies. Every resource
 * has the role's name in Terraform; a policy is keyed by its own name, so that a change affects no other policy.
 */
export class CircleCiRole extends Construct {
  readonly arn: string;

  constructor(scope: Construct, environment: Environment, provider: ITerraformDependable, role: Role) {
    super(scope, role.name);
    const named = <T extends TerraformElement>(element: T): T => {
      element.overrideLogicalId(terraformName(role.name));
      return element;
    };

    const trust = named(
      new DataAwsIamPolicyDocument(this, "trust", {
        statement: [
          {
            actions: ["sts:AssumeRoleWithWebIdentity"],
            // The ARN in its final form, not the provider's attribute: a plan then shows the trust policy before the provider
            // exists and while it changes, and not "known after apply" for every role.
            principals: [{ type: "Federated", identifiers: [environment.oidcProvider.arn] }],
            condition: trustConditions({ ...environment.circleci, rules: role.trust }).map((condition) => ({
              ...condition,
              values: [...condition.values],
            })),
          },
        ],
      }),
    );
    const iamRole = named(
      new IamRole(this, "role", {
        name: role.name,
        assumeRolePolicy: trust.json,
        description: role.description === undefined ? undefined : escapeTemplates(role.description),
        path: role.path === "/" ? undefined : role.path,
        permissionsBoundary: role.permissionsBoundaryArn,
        maxSessionDuration: role.maxSessionSeconds === 3600 ? undefined : role.maxSessionSeconds,
        tags: Object.keys(role.tags).length > 0 ? { ...role.tags } : undefined,
        dependsOn: [provider],
      }),
    );
    this.arn = iamRole.arn;

    if (role.managedPolicyArns.length > 0) {
      const policies = TerraformIterator.fromMap(
        Object.fromEntries(role.managedPolicyArns.map((arn) => [attachmentKey(arn), arn])),
      );
      named(
        new IamRolePolicyAttachment(this, "managed", {
          forEach: policies,
          policyArn: policies.value,
          role: iamRole.name,
        }),
      );
    }
    const inline = Object.entries(role.inlinePolicies).map(([name, document]) => [
      name,
      escapeTemplates(JSON.stringify(document)),
    ]);
    if (inline.length > 0) {
      const policies = TerraformIterator.fromMap(Object.fromEntries(inline));
      named(
        new IamRolePolicy(this, "inline", {
          forEach: policies,
          name: policies.key,
          policy: policies.value,
          role: iamRole.name,
        }),
      );
    }
  }
}

/**
 * The key of an attachment: the policy's path and name, `AmazonS3ReadOnlyAccess` or `service-role/AWSConfigRole`, and
 * before it, for a policy of the account's own, its account: `123456789012:team/deploy`.
 */
export function attachmentKey(policyArn: string): string {
  const [, , , , owner, resource = ""] = policyArn.split(":");
  const name = resource.slice("policy/".length);
  return owner === "aws" ? name : `${owner}:${name}`;
}
