import {
  GetOpenIDConnectProviderCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  GetUserCommand,
  IAMClient,
  NoSuchEntityException,
  paginateListAttachedRolePolicies,
  paginateListRolePolicies,
  paginateListRoles,
  type Role as SdkRole,
} from "@aws-sdk/client-iam";
import { UserError } from "../errors";
import { decodeDocument, type PolicyDocument } from "../policy/document";
import type { NamedPolicy } from "../policy/evaluate";
import { checkAccount } from "./identity";

/** A role in an AWS account. */
export interface IamRole {
  readonly name: string;
  readonly arn: string;
  readonly id: string;
  readonly path: string;
  readonly maxSessionSeconds: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly trustPolicy: PolicyDocument;
  readonly boundaryArn?: string;
}

/** Opens an account with the credentials of the SDK's default chain. Throws {@link UserError} if they are not of it. */
export async function openAccount({
  accountId,
  region,
}: {
  accountId: string;
  region: string;
}): Promise<AccountReader> {
  await checkAccount({ accountId, region });
  return new AccountReader(new IAMClient({ region }));
}

/**
 * Reads IAM; never writes. Something that does not exist is `undefined`. Methods throw {@link UserError} if AWS
 * refuses the request or cannot be reached.
 */
export class AccountReader {
  constructor(private readonly client: IAMClient) {}

  async role(name: string): Promise<IamRole | undefined> {
    const found = await read(`role ${name}`, () => this.client.send(new GetRoleCommand({ RoleName: name })));
    return found?.Role && toRole(found.Role);
  }

  /** All roles of the account. */
  async roles(): Promise<readonly IamRole[]> {
    const pages = await read("the account's roles", () => collect(paginateListRoles({ client: this.client }, {})));
    return (pages ?? []).flatMap(({ Roles = [] }) => Roles.map(toRole));
  }

  /** The client IDs of an OIDC provider. */
  async audiences(providerArn: string): Promise<readonly string[] | undefined> {
    const command = new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: providerArn });
    const found = await read(`provider ${providerArn}`, () => this.client.send(command));
    return found && (found.ClientIDList ?? []);
  }

  /** The path of a user, for example `/`. */
  async userPath(name: string): Promise<string | undefined> {
    return (await read(`user ${name}`, () => this.client.send(new GetUserCommand({ UserName: name }))))?.User?.Path;
  }

  /** The default version of a managed policy, named by its ARN. One that does not exist has no statements. */
  async managedPolicy(arn: string): Promise<NamedPolicy> {
    const version = await read(`policy ${arn}`, async () => {
      const { Policy } = await this.client.send(new GetPolicyCommand({ PolicyArn: arn }));
      const VersionId = Policy?.DefaultVersionId;
      return this.client.send(new GetPolicyVersionCommand({ PolicyArn: arn, VersionId }));
    });
    const document = version && decodeDocument(version.PolicyVersion?.Document);
    return { name: arn, document: document ?? { Version: "2012-10-17", Statement: [] } };
  }

  /**
   * The permissions of a role: its managed policies, named by ARN, then its inline policies.
   *
   * @param managedPolicy Reads a managed policy. Default: {@link managedPolicy}, uncached.
   */
  async policies(role: string, managedPolicy = (arn: string) => this.managedPolicy(arn)): Promise<NamedPolicy[]> {
    const { client } = this;
    const [attached = [], inline = []] = await Promise.all([
      read(`policies of role ${role}`, () => collect(paginateListAttachedRolePolicies({ client }, { RoleName: role }))),
      read(`policies of role ${role}`, () => collect(paginateListRolePolicies({ client }, { RoleName: role }))),
    ]);
    const arns = attached.flatMap(({ AttachedPolicies = [] }) =>
      AttachedPolicies.map(({ PolicyArn = "" }) => PolicyArn),
    );
    const names = inline.flatMap(({ PolicyNames = [] }) => PolicyNames);
    return Promise.all([...arns.map(managedPolicy), ...names.map((name) => this.inlinePolicy(role, name))]);
  }

  private async inlinePolicy(role: string, name: string): Promise<NamedPolicy> {
    const command = new GetRolePolicyCommand({ RoleName: role, PolicyName: name });
    const found = await read(`policy ${name} of role ${role}`, () => this.client.send(command));
    return { name, document: decodeDocument(found?.PolicyDocument) };
  }
}

function toRole(role: SdkRole): IamRole {
  return {
    name: role.RoleName ?? "",
    arn: role.Arn ?? "",
    id: role.RoleId ?? "",
    path: role.Path ?? "/",
    maxSessionSeconds: role.MaxSessionDuration ?? 3600,
    tags: Object.fromEntries((role.Tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value])),
    trustPolicy: decodeDocument(role.AssumeRolePolicyDocument),
    boundaryArn: role.PermissionsBoundary?.PermissionsBoundaryArn,
  };
}

async function collect<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const page of pages) found.push(page);
  return found;
}

async function read<T>(what: string, request: () => Promise<T>): Promise<T | undefined> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof NoSuchEntityException) return undefined;
    throw new UserError(`cannot read ${what} from AWS: ${error instanceof Error ? error.message : error}`);
  }
}
