import { mkdtempSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ConfigInput } from "../../keyless/config/input";
import { type Sandbox, startSandbox } from "../../keyless/sandbox";
import type { Env } from "../../keyless/terraform/executables";
import { afterSuite } from "./after-suite";
import { Project } from "./project";

/** IDs of the example: an organization, two of its projects, two accounts. */
export const ORGANIZATION = "11111111-2222-4333-8444-555555555555";
export const SITE = "66666666-7777-4888-9999-000000000000";
export const ACCESS = "22222222-3333-4444-8555-666666666666";
export const ACCOUNT = "123456789012";
export const FAR_ACCOUNT = "210987654321";

/** The project and repository of a team's clone of this repository, whose jobs plan and deploy. */
export const accessProject = { project: ACCESS, repository: "github.com/acme/aws-access" };

/** Starts the sandbox and copies the project for a suite; both are removed after its tests. */
export async function setUp(config?: string | ConfigInput): Promise<{ sandbox: Sandbox; project: Project }> {
  const sandbox = await startSandbox();
  afterSuite(() => sandbox.stop());
  return { sandbox, project: new Project(config) };
}

/** The environment variables of a job that has a token and no access key. */
export function webIdentityEnvironment({ environment }: Sandbox, roleArn: string, token: string): Env {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...variables } = environment;
  const file = join(mkdtempSync(join(dirname(variables.AWS_CONFIG_FILE ?? ""), "job-")), "token");
  writeFileSync(file, token, { mode: 0o600 });
  return {
    ...variables,
    AWS_ROLE_ARN: roleArn,
    AWS_WEB_IDENTITY_TOKEN_FILE: file,
    AWS_ROLE_SESSION_NAME: "circleci",
    // The AWS CLI caches credentials in the home folder by role and session name, and would use them for another token
    // or a later sandbox.
    HOME: dirname(file),
  };
}

/**
 * Replaces the AWS settings in the environment of this process, for code that the test calls directly. The default
 * credentials of the AWS SDK come from there.
 */
export function signIn(env: Env): void {
  const isSetting = (name: string) => /^AWS_(?!SDK_)/.test(name);
  for (const name of Object.keys(process.env)) if (isSetting(name)) delete process.env[name];
  Object.assign(process.env, Object.fromEntries(Object.entries(env).filter(([name]) => isSetting(name))));
}
