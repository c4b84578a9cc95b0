import { mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { AssumeRoleWithWebIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { Command } from "commander";
import type { Environment, Role } from "../../config/resolved";
import { UserError } from "../../errors";
import { sessionName } from "../../pipeline/session-name";
import { lifeOf, readToken, type Token, type TokenProblem, tokenProblem } from "../../pipeline/token";
import { findOnPath, outputOf } from "../../terraform/executables";
import { exportToJob } from "../lib/job-environment";
import { environmentNamed, loadConfig, roleNamed } from "../lib/load-config";

export function register(program: Command): void {
  program
    .command("credentials")
    .argument("<environment>", "an environment of config.ts")
    .argument("<role>", "a role of that environment")
    .description("assume an AWS role with the token of a CircleCI job, for its later steps")
    .addHelpText(
      "after",
      "\nIn a long job, run it again before the token expires: it requests a new one\nwith `circleci run oidc get`.",
    )
    .action(async (environmentName: string, roleName: string) => {
      const environment = environmentNamed(loadConfig(), environmentName);
      const role = roleNamed(environment, roleName);
      const { token, warning } = await usableToken(environment, role);
      const session = sessionName({
        project: process.env.CIRCLE_PROJECT_REPONAME,
        job: process.env.CIRCLE_JOB,
        pipeline: process.env.CIRCLE_PIPELINE_ID,
      });
      const assumed = await tryToken(token, environment, role, session);
      exportToJob({
        ...STATIC_KEYS,
        AWS_ROLE_ARN: role.arn,
        AWS_WEB_IDENTITY_TOKEN_FILE: keep(token),
        AWS_ROLE_SESSION_NAME: session,
        AWS_REGION: environment.region,
        AWS_DEFAULT_REGION: environment.region,
      });
      console.error(`AWS takes the token: ${assumed}\nThe token lives for another ${lifeOf(token, new Date())}.`);
      if (warning) console.error(`warning: ${warning.message}: what takes longer will fail with ExpiredToken`);
    });
}

/** What would win over the token in one SDK or another. */
const STATIC_KEYS = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  AWS_SESSION_TOKEN: undefined,
  AWS_SECURITY_TOKEN: undefined,
  AWS_PROFILE: undefined,
  AWS_DEFAULT_PROFILE: undefined,
};

/** The job's token; where that is no longer, or not, for this role, another one that CircleCI makes for the job. */
async function usableToken(
  environment: Environment,
  role: Role,
): Promise<{ token: Token; warning: TokenProblem | undefined }> {
  const { CIRCLE_OIDC_TOKEN_V2: version2, CIRCLE_OIDC_TOKEN: version1 } = process.env;
  const token =
    !version2 && version1 ? readToken(version1, "CIRCLE_OIDC_TOKEN") : readToken(version2, "CIRCLE_OIDC_TOKEN_V2");
  const now = new Date();
  const problem = tokenProblem(token, environment, role, now);
  const made = problem?.renewable ? await newToken(environment.circleci.audiences[0] ?? "") : undefined;
  const madeProblem = made && tokenProblem(made, environment, role, now);
  if (made && !madeProblem) return { token: made, warning: undefined };
  if (problem?.fatal) throw new UserError(problem.message);
  return { token, warning: problem };
}

/** @see https://circleci.com/docs/openid-connect-tokens/#oidc-tokens-with-custom-claims */
async function newToken(audience: string): Promise<Token | undefined> {
  const circleci = findOnPath("circleci", process.env);
  const claims = JSON.stringify({ aud: audience });
  const text = circleci && (await outputOf(circleci, ["run", "oidc", "get", "--claims", claims], process.env));
  return text ? readToken(text, "what `circleci run oidc get` prints") : undefined;
}

/** Trades the token once, so that a refusal is seen at this step; the credentials themselves are thrown away. */
async function tryToken(
  { text, claims }: Token,
  environment: Environment,
  role: Role,
  session: string,
): Promise<string> {
  const client = new STSClient({ region: environment.region });
  const asked = { RoleArn: role.arn, RoleSessionName: session, WebIdentityToken: text };
  const answer = await client.send(new AssumeRoleWithWebIdentityCommand(asked)).catch((error: Error) => {
    throw new UserError(
      `AWS refuses the token for ${role.arn}: ${error.name}: ${error.message}\n` +
        `  sub: ${claims.sub}\n  aud: ${claims.aud}\nWhy: npx keyless explain ${environment.name} ${role.name}`,
    );
  });
  return answer.AssumedRoleUser?.Arn ?? role.arn;
}

/** Puts the token where only this user can read it, outside the workspace; again in the same place when run again. */
function keep({ text }: Token): string {
  const folder = join(tmpdir(), "keyless-token-");
  const kept = process.env.AWS_WEB_IDENTITY_TOKEN_FILE;
  const file = kept?.startsWith(folder) ? kept : join(mkdtempSync(folder), "token");
  const whole = join(dirname(file), "new");
  writeFileSync(whole, text, { mode: 0o600 });
  renameSync(whole, file);
  return file;
}
