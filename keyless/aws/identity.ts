import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { UserError } from "../errors";

/**
 * Checks that the credentials of the SDK's default chain belong to an account.
 *
 * @throws {UserError} if there are no valid credentials, or they belong to another account
 */
export async function checkAccount({ accountId, region }: { accountId: string; region: string }): Promise<void> {
  const identity = await new STSClient({ region }).send(new GetCallerIdentityCommand({})).catch((error: Error) => {
    throw new UserError(
      `no valid AWS credentials (${error.message}): sign in to account ${accountId}, then check with: ` +
        "aws sts get-caller-identity",
    );
  });
  if (identity.Account === accountId) return;
  throw new UserError(
    `the AWS credentials belong to account ${identity.Account} (${identity.Arn}), the environment is in account ` +
      `${accountId}: sign in to that account`,
  );
}
