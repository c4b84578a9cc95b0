import { DataAwsIamOpenidConnectProvider } from "@cdktf/provider-aws/lib/data-aws-iam-openid-connect-provider";
import { IamOpenidConnectProvider } from "@cdktf/provider-aws/lib/iam-openid-connect-provider";
import { IamPolicy } from "@cdktf/provider-aws/lib/iam-policy";
import { TerraformOutput, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import type { Environment } from "../keyless/config/resolved";
import { CircleCiRole } from "./role";
import { addAwsProvider, addS3Backend, escapeTemplates } from "./settings";

/**
 * An environment: the account's OpenID Connect provider for CircleCI, the roles that CircleCI jobs assume, and their
 * permissions boundary.
 */
export class EnvironmentStack extends TerraformStack {
  constructor(scope: Construct, environment: Environment) {
    super(scope, environment.name);
    addS3Backend(this, environment.accountId, environment.state);
    addAwsProvider(this, environment.accountId, environment.region, environment.tags);

    const provider = this.oidcProvider(environment);
    const boundary = this.permissionsBoundary(environment);
    const roleScope = new Construct(this, "roles");
    const roles = environment.roles.map((role) => {
      const isLimited = role.permissionsBoundaryArn === environment.permissionsBoundary?.arn;
      const dependsOn = boundary && isLimited ? [provider, boundary] : [provider];
      return { name: role.name, arn: new CircleCiRole(roleScope, environment, dependsOn, role).arn };
    });

    new TerraformOutput(this, "oidc_provider_arn", {
      value: provider.arn,
      description: "The OpenID Connect provider that the roles trust",
    });
    new TerraformOutput(this, "role_arns", {
      value: Object.fromEntries(roles.map(({ name, arn }) => [name, arn])),
      description: "The roles' ARNs by name: a job names one in AWS_ROLE_ARN",
    });
  }

  private permissionsBoundary({ permissionsBoundary: boundary }: Environment): IamPolicy | undefined {
    if (boundary === undefined) return undefined;
    return new IamPolicy(this, "boundary", {
      name: boundary.name,
      policy: escapeTemplates(JSON.stringify(boundary.document)),
      // IAM does not delete a policy that is the boundary of a role: change the roles first.
      lifecycle: { createBeforeDestroy: true },
    });
  }

  private oidcProvider({
    circleci,
    oidcProvider,
  }: Environment): IamOpenidConnectProvider | DataAwsIamOpenidConnectProvider {
    if (oidcProvider.mode === "create") {
      return new IamOpenidConnectProvider(this, "circleci", {
        url: `https://${circleci.issuer}`,
        clientIdList: [...circleci.audiences],
        thumbprintList: circleci.thumbprints.length > 0 ? [...circleci.thumbprints] : undefined,
      });
    }
    const audiences = JSON.stringify(circleci.audiences);
    return new DataAwsIamOpenidConnectProvider(this, "circleci", {
      arn: oidcProvider.arn,
      lifecycle: {
        postcondition: [
          {
            condition: `\${length(setsubtract(${audiences}, self.client_id_list)) == 0}`,
            errorMessage: `The existing provider does not have all audiences of config.ts, ${circleci.audiences.join(", ")}: add those that are missing.`,
          },
        ],
      },
    });
  }
}
