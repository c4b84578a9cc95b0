import { mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { AssumeRoleWithWebIdentityCommand, STSClient, STSServiceException } from "@aws-sdk/client-sts";
import type { Environment, Role } from "../config/resolved";
import { UserError } from "../errors";
import { oneLine } from "../text";
import type { Token } from "../trust/token";
import { sessionName } from "./session-name";
import { currentOrNewToken } from "./token";

/** Unset, because some AWS SDKs prefer them to a token. */
const STATIC_KEYS = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  AWS_SESSION_TOKEN: undefined,
  AWS_SECURITY_TOKEN: undefined,
  AWS_PROFILE: undefined,
  AWS_DEFAULT_PROFILE: undefined,
};

/**
 * Assumes a role with the token of this job. The credentials are discarded: AWS SDKs get their own with the token, from a
 * file that only this user can read.
 *
 * @returns the variables for AWS SDKs, where `undefined` unsets one; the ARN of the role session; the token's `exp`; and a
 *   warning about the token, if any
 * @throws {UserError} if there is no suitable token, AWS refuses it, or AWS cannot be reached
 */
export async function assumeRoleInJob(environment: Environment, role: Role) {
  const { token, warning } = await currentOrNewToken(environment, role);
  const session = sessionName({
    project: process.env.CIRCLE_PROJECT_REPONAME,
    job: process.env.CIRCLE_JOB,
    pipeline: process.env.CIRCLE_PIPELINE_ID,
  });
  const request = { RoleArn: role.arn, RoleSessionName: session, WebIdentityToken: token.text };
  const command = new AssumeRoleWithWebIdentityCommand(request);
  const response = await new STSClient({ region: environment.region }).send(command).catch((error: Error) => {
    if (!(error instanceof STSServiceException && error.$fault === "client"))
      throw new UserError(`no answer from AWS STS for ${role.arn}: ${oneLine(error.message)}: run this again`);
    throw new UserError(
      `AWS refuses the token for ${role.arn}: ${error.name}: ${oneLine(error.message)}\n` +
        `  sub: ${oneLine(token.claims.sub)}\n  aud: ${oneLine(String(token.claims.aud))}\n${warning === undefined ? "" : `warning: ${warning}\n`}` +
        `to find the cause, run: npx keyless explain ${environment.name} ${role.name}`,
    );
  });
  const variables = {
    ...STATIC_KEYS,
    AWS_ROLE_ARN: role.arn,
    AWS_WEB_IDENTITY_TOKEN_FILE: writeTokenFile(token),
    AWS_ROLE_SESSION_NAME: session,
    AWS_REGION: environment.region,
    AWS_DEFAULT_REGION: environment.region,
  };
  const sessionArn = response.AssumedRoleUser?.Arn ?? role.arn;
  return { variables, sessionArn, tokenExpires: token.claims.exp ?? 0, warning };
}

/** Writes the token to a file outside the workspace; to the same file in later runs. */
function writeTokenFile({ text }: Token): string {
  const folder = join(tmpdir(), "keyless-token-");
  const current = process.env.AWS_WEB_IDENTITY_TOKEN_FILE;
  const file = current?.startsWith(folder) ? current : join(mkdtempSync(folder), "token");
  const newFile = join(dirname(file), "new");
  writeFileSync(newFile, text, { mode: 0o600 });
  renameSync(newFile, file);
  return file;
}
