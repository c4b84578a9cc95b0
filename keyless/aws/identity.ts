import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { UserError } from "../errors";

/**
 * Makes sure that the credentials at hand, which are those that the AWS CLI would use, are of this account.
 *
 * @throws {UserError} when there are none that work, or when they are another account's
 */
export async function checkAccount({ accountId, region }: { accountId: string; region: string }): Promise<void> {
  const identity = await new STSClient({ region }).send(new GetCallerIdentityCommand({})).catch((error: Error) => {
    throw new UserError(
      `no AWS credentials that work (${error.message}): sign in to account ${accountId}, then check with: ` +
        "aws sts get-caller-identity",
    );
  });
  if (identity.Account !== accountId) {
    throw new UserError(
      `the AWS credentials are of account ${identity.Account}, the environment is account ${accountId}: sign in there ` +
        `(you are ${identity.Arn}). Nothing was changed.`,
    );
  }
}
