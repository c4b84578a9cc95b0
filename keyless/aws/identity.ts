import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { UserError } from "../errors";

/**
 * Checks that the credentials of the SDK's default chain belong to an account.
 *
 * @throws {UserError} if there are no valid credentials, or they belong to another account
 */
export async function checkAccount({ accountId, region }: { accountId: string; region: string }): Promise<void> {
  const { Account, Arn } = await callerIdentity(region, `account ${accountId}`);
  if (Account === accountId) return;
  throw new UserError(
    `the AWS credentials belong to account ${Account} (${Arn}), the environment is in account ` +
      `${accountId}: sign in to that account`,
  );
}

/**
 * The account of the credentials of the SDK's default chain.
 *
 * @throws {UserError} if there are no valid credentials
 */
export async function callerAccount(region: string): Promise<string> {
  return (await callerIdentity(region, "the account")).Account ?? "";
}

function callerIdentity(region: string, account: string) {
  return new STSClient({ region }).send(new GetCallerIdentityCommand({})).catch((error: Error) => {
    throw new UserError(
      `no valid AWS credentials (${error.message}): sign in to ${account}, then check with: aws sts get-caller-identity`,
    );
  });
}
