import type { Command } from "commander";
import { explainRole, type GivenToken } from "../../access/explain";
import { jobClaims } from "../../access/jobs";
import type { Environment } from "../../config/resolved";
import { EXIT_STATUS, UsageError } from "../../errors";
import { formatIssuer, PROJECT_CLAIM, parseIssuer, parseSubject, refOf } from "../../trust/circleci";
import { type Claims, readToken, TokenError } from "../../trust/token";
import { renderExplanation } from "../lib/explain-text";
import { print, readInput, toEnvelope } from "../lib/files";
import { environmentNamed, loadConfig, roleNamed } from "../lib/load-config";
import { terminalOf } from "../lib/terminal";

/** The options that describe claims, and their help. */
const CLAIM_OPTIONS = {
  project: ["<id>", "the CircleCI project"],
  repository: ["<host/owner/name>", "the repository"],
  branch: ["<name>", "the branch that the pipeline runs on"],
  tag: ["<name>", "the tag that the pipeline runs on"],
  user: ["<id>", "the user who triggered the pipeline (default: a user that no rule lists)"],
  organization: ["<id>", "the CircleCI organization (default: the configuration's)"],
  server: ["<host>", "the CircleCI server (default: the configuration's)"],
  audience: ["<audience>", "the audience (default: the organization's id)"],
  subject: ["<subject>", "the full subject, instead of its parts"],
} as const;

type ExplainFlags = { readonly [option in keyof typeof CLAIM_OPTIONS | "tokenFile"]?: string } & {
  readonly [flag in "v1" | "live" | "json"]?: true;
};

const STATUS = { allowed: EXIT_STATUS.success, refused: EXIT_STATUS.refused, unknown: EXIT_STATUS.failure };

export function register(program: Command): void {
  const command = program
    .command("explain")
    .description("explain why a role accepts or rejects a token")
    .argument("<environment>", "an environment of config.ts")
    .argument("<role>", "a role of that environment, by name or ARN; with --live, any role of the account")
    .option(
      "--token-file <file>",
      "read the token from a file, or from standard input if it is - (default: CIRCLE_OIDC_TOKEN_V2)",
    )
    .option("--v1", "read CIRCLE_OIDC_TOKEN; with claims on the command line, use a V1 subject")
    .option("--live", "read role and provider from the account, with your AWS credentials, instead of config.ts")
    .option("--json", "print JSON")
    .action(async (environmentName: string, role: string, flags: ExplainFlags) => {
      const environment = environmentNamed(loadConfig(), environmentName);
      const name = roleNameOf(environment, role);
      if (!flags.live) roleNamed(environment, name);
      const explanation = await explainRole(environment, name, readGivenToken(environment, flags), flags.live === true);
      print(flags.json ? toEnvelope("explain", explanation) : renderExplanation(explanation, terminalOf()));
      process.exitCode = STATUS[explanation.decision];
    })
    .optionsGroup("Claims on the command line, instead of a token:");
  for (const [name, [value, help]] of Object.entries(CLAIM_OPTIONS)) command.option(`--${name} ${value}`, help);
}

/** The name of a role that is given by name or ARN. Pipelines know the ARN. */
function roleNameOf({ name, accountId }: Environment, nameOrArn: string): string {
  const [, account, role] = /^arn:[^:]*:iam::(\d+):role\/(?:.*\/)?([^/]+)$/.exec(nameOrArn) ?? [];
  if (account === undefined || role === undefined) return nameOrArn;
  if (account === accountId) return role;
  throw new UsageError(
    `the role is in account ${account}, environment ${name} is account ${accountId}: pass the environment of the role's account`,
  );
}

function readGivenToken(environment: Environment, flags: ExplainFlags): GivenToken | TokenError {
  const claimFlag = Object.keys(CLAIM_OPTIONS).find((name) => name in flags);
  if (claimFlag === undefined) return readTokenText(flags);
  if (flags.tokenFile !== undefined)
    throw new UsageError(`pass a token or claims, not both: --token-file, --${claimFlag}`);
  return { claims: claimsOfFlags(environment, flags), source: "claims" };
}

function readTokenText({ tokenFile, v1 }: ExplainFlags): GivenToken | TokenError {
  const variables = ["CIRCLE_OIDC_TOKEN_V2", "CIRCLE_OIDC_TOKEN"] as const;
  const variable = v1 ? "CIRCLE_OIDC_TOKEN" : "CIRCLE_OIDC_TOKEN_V2";
  try {
    if (tokenFile === undefined) return { ...readToken(process.env[variable]), source: variable };
    const token = readToken(readInput(tokenFile, "the token"));
    return { ...token, source: variables.find((name) => process.env[name] === token.text) ?? "file" };
  } catch (error) {
    if (error instanceof TokenError) return error;
    throw error;
  }
}

function claimsOfFlags({ circleci }: Environment, flags: ExplainFlags): Claims {
  const { organization = circleci.organizationId, server, audience = organization, subject } = flags;
  const issuer = formatIssuer({ host: server ?? parseIssuer(circleci.issuer)?.host, organization });
  if (subject !== undefined)
    return { iss: `https://${issuer}`, aud: audience, sub: subject, [PROJECT_CLAIM]: parseSubject(subject)?.project };
  const { project, user, repository, branch, tag, v1 } = flags;
  if (project === undefined) throw new UsageError("pass --project <id> or a full --subject");
  const ref = refOf({ branch, tag });
  const isComplete = repository !== undefined && ref !== undefined && (branch === undefined || tag === undefined);
  if (!v1 && !isComplete) {
    throw new UsageError("pass --repository and either --branch or --tag; or --v1 for a V1 subject");
  }
  const job = { project, user, audience, ...(!v1 && { repository, ref }) };
  const [claims] = jobClaims({ circleci: { ...circleci, organizationId: organization, issuer } }, job);
  return claims as Claims;
}
