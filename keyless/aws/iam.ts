import {
  GetOpenIDConnectProviderCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  NoSuchEntityException,
  paginateListAttachedRolePolicies,
  paginateListRolePolicies,
  paginateListRoles,
} from "@aws-sdk/client-iam";
import { UserError } from "../errors";
import { decodeDocument, type PolicyDocument } from "../policy/document";
import type { NamedPolicy } from "../policy/evaluate";
import { checkAccount } from "./identity";

/** What could not be learnt from AWS; the message says why. */
export class AccountError extends UserError {}

/** A role as it is in the account. */
export interface LiveRole {
  readonly name: string;
  readonly arn: string;
  readonly trustPolicy: PolicyDocument;
}

/** Reads an AWS account with the credentials of the SDK's default chain. Never writes. */
export class LiveAccount {
  private constructor(
    private readonly accountId: string,
    private readonly iam: IAMClient,
  ) {}

  /** @throws {AccountError} when there are no credentials, or when they are another account's */
  static async open({ accountId, region }: { accountId: string; region: string }): Promise<LiveAccount> {
    await checkAccount({ accountId, region }).catch((error: Error) => {
      throw new AccountError(error.message);
    });
    return new LiveAccount(accountId, new IAMClient({ region }));
  }

  /** @throws {AccountError} when there is no such role */
  async role(name: string): Promise<LiveRole> {
    const answer = await ask(`the role ${name}`, () =>
      orAbsent(() => this.iam.send(new GetRoleCommand({ RoleName: name }))),
    );
    if (answer?.Role === undefined) throw new AccountError(`there is no role "${name}" in account ${this.accountId}`);
    return liveRole(answer.Role);
  }

  /** Every role of the account, whoever made it. */
  async roles(): Promise<LiveRole[]> {
    return ask("the account's roles", async () => {
      const found: LiveRole[] = [];
      for await (const page of paginateListRoles({ client: this.iam }, {}))
        found.push(...(page.Roles ?? []).map(liveRole));
      return found;
    });
  }

  /** A provider's client ids, or `absent` when the account has no such provider. */
  async audiences(providerArn: string): Promise<readonly string[] | "absent"> {
    const answer = await ask(`the provider ${providerArn}`, () =>
      orAbsent(() => this.iam.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: providerArn }))),
    );
    return answer === undefined ? "absent" : (answer.ClientIDList ?? []);
  }

  /** What a role may do: its managed policies, named by ARN, and its inline policies. */
  async policies(role: string): Promise<NamedPolicy[]> {
    return ask(`the policies of the role ${role}`, async () => {
      const policies: NamedPolicy[] = [];
      for await (const page of paginateListAttachedRolePolicies({ client: this.iam }, { RoleName: role })) {
        for (const { PolicyArn } of page.AttachedPolicies ?? [])
          policies.push(await this.managedPolicy(PolicyArn ?? ""));
      }
      for await (const page of paginateListRolePolicies({ client: this.iam }, { RoleName: role })) {
        for (const name of page.PolicyNames ?? []) {
          const answer = await this.iam.send(new GetRolePolicyCommand({ RoleName: role, PolicyName: name }));
          policies.push({ name, document: decodeDocument(answer.PolicyDocument) });
        }
      }
      return policies;
    });
  }

  private async managedPolicy(arn: string): Promise<NamedPolicy> {
    const { Policy } = await this.iam.send(new GetPolicyCommand({ PolicyArn: arn }));
    const { PolicyVersion } = await this.iam.send(
      new GetPolicyVersionCommand({ PolicyArn: arn, VersionId: Policy?.DefaultVersionId }),
    );
    return { name: arn, document: decodeDocument(PolicyVersion?.Document) };
  }
}

async function orAbsent<T>(question: () => Promise<T>): Promise<T | undefined> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof NoSuchEntityException) return undefined;
    throw error;
  }
}

function liveRole(role: { RoleName?: string; Arn?: string; AssumeRolePolicyDocument?: string }): LiveRole {
  return { name: role.RoleName ?? "", arn: role.Arn ?? "", trustPolicy: decodeDocument(role.AssumeRolePolicyDocument) };
}

async function ask<T>(what: string, question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof AccountError) throw error;
    throw new AccountError(`AWS did not tell ${what}: ${error instanceof Error ? error.message : error}`);
  }
}
