import type { Command } from "commander";
import { UNLISTED_USER } from "../../access/jobs";
import { openAccount } from "../../aws/iam";
import type { Environment } from "../../config/resolved";
import { EXIT_STATUS, UsageError, UserError } from "../../errors";
import { formatIssuer, formatRef, formatSubject, parseIssuer, refOf } from "../../trust/circleci";
import { explain, trustedProviders } from "../../trust/explain";
import { remedyForText } from "../../trust/explain/causes";
import { differences, type TrustState } from "../../trust/explain/differences";
import type { TokenSource } from "../../trust/explain/types";
import { trustPolicy } from "../../trust/policy";
import { providerArn } from "../../trust/provider";
import { type Claims, issuerOfClaims, readClaims } from "../../trust/token";
import { type Report, renderReport } from "../lib/explain-text";
import { print, readInput, toEnvelope } from "../lib/files";
import { environmentNamed, loadConfig, roleNamed } from "../lib/load-config";
import { verifySignature } from "../lib/signature";
import { terminalOf } from "../lib/terminal";

interface Flags {
  readonly tokenFile?: string;
  readonly v1?: true;
  readonly organization?: string;
  readonly server?: string;
  readonly project?: string;
  readonly user?: string;
  readonly repository?: string;
  readonly branch?: string;
  readonly tag?: string;
  readonly audience?: string;
  readonly subject?: string;
  readonly live?: true;
  readonly json?: true;
}

const WRITTEN = [
  "organization",
  "server",
  "project",
  "user",
  "repository",
  "branch",
  "tag",
  "audience",
  "subject",
] as const;
const NO_SIGNATURE = { verdict: "unchecked", note: "not checked: the claims are written out" } as const;

export function register(program: Command): void {
  program
    .command("explain")
    .description("tell whether a role lets a token in, and if not, why not and what to do")
    .argument("<environment>", "an environment of config.ts")
    .argument("<role>", "a role of that environment, by name or ARN; with --live, any role of the account")
    .option(
      "--token-file <file>",
      "read the token from a file, or from standard input if it is - (default: CIRCLE_OIDC_TOKEN_V2)",
    )
    .option("--v1", "read CIRCLE_OIDC_TOKEN; with claims on the command line, use a V1 subject")
    .option("--live", "read role and provider from the account, with your AWS credentials, instead of config.ts")
    .option("--json", "print JSON")
    .optionsGroup("Claims on the command line, instead of a token:")
    .option("--project <id>", "the CircleCI project")
    .option("--repository <host/owner/name>", "the repository")
    .option("--branch <name>", "the branch that the pipeline runs on")
    .option("--tag <name>", "the tag that the pipeline runs on")
    .option("--user <id>", "who started the pipeline (default: a user whom no rule names)")
    .option("--organization <id>", "the CircleCI organization (default: the configuration's)")
    .option("--server <host>", "the CircleCI server (default: the configuration's)")
    .option("--audience <audience>", "the audience (default: the organization's id)")
    .option("--subject <subject>", "the whole subject, in place of the above")
    .action(async (environment: string, role: string, flags: Flags) => {
      const report = await reportOn(environmentNamed(loadConfig(), environment), role, flags);
      print(flags.json ? toEnvelope("explain", report) : renderReport(report, terminalOf()));
      process.exitCode = STATUS[report.decision];
    });
}

const STATUS = { allowed: EXIT_STATUS.success, refused: EXIT_STATUS.refused, unknown: EXIT_STATUS.failure };

async function reportOn(environment: Environment, nameOrArn: string, flags: Flags): Promise<Report> {
  const role = roleName(environment, nameOrArn);
  const subject = { environment: environment.name, role, trust: flags.live ? "account" : "configuration" } as const;
  if (!flags.live) roleNamed(environment, role);
  const token = readToken(environment, flags);
  if ("fault" in token) {
    return { ...subject, decision: "refused", checks: [], remedy: remedyForText(token.text, token.fault) };
  }
  const { claims, source } = token;
  const { live, configured } = await readTrust(environment, role, claims, flags.live === true);
  const trust = live ?? configuredTrust(environment, role);
  const explanation = explain({
    claims,
    source,
    trustPolicy: trust.trustPolicy,
    place:
      live === undefined
        ? `environments.${environment.name}.roles["${role}"].trust in config.ts`
        : "the role's trust policy",
    account: environment,
    audiences: trust.audiences,
    signature: "text" in token ? await signatureOf(token.text, claims, trust, environment) : NO_SIGNATURE,
    now: new Date(),
  });
  return {
    ...subject,
    ...explanation,
    ...(live !== undefined &&
      configured !== undefined && { differences: differences({ ...live, audiences: known(live) }, configured) }),
  };
}

/** A job knows its role by ARN, whose account may well be another environment's. */
function roleName({ name, accountId }: Environment, nameOrArn: string): string {
  const [, owner, role] = /^arn:[^:]+:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(nameOrArn) ?? [];
  if (role === undefined) return nameOrArn;
  if (owner === accountId) return role;
  throw new UsageError(
    `that role is of account ${owner}, environment ${name} is account ${accountId}: name the environment of the role's account`,
  );
}

interface ReadTrust {
  readonly trustPolicy: TrustState["trustPolicy"];
  readonly audiences: readonly string[] | "absent";
}

function known({ audiences }: ReadTrust): readonly string[] {
  return audiences === "absent" ? [] : audiences;
}

/** The trust in the account, if it is asked for, and the configured one, if the role is configured. */
async function readTrust(
  environment: Environment,
  role: string,
  claims: Claims,
  fromAccount: boolean,
): Promise<{ live?: ReadTrust; configured?: TrustState }> {
  const configured = environment.roles.some(({ name }) => name === role)
    ? configuredTrust(environment, role)
    : undefined;
  if (!fromAccount) return { configured };
  const account = await openAccount(environment);
  const found = await account.role(role);
  if (found === undefined) throw new UserError(`there is no role "${role}" in account ${environment.accountId}`);
  const audiences = await account.audiences(providerArn(issuerOfClaims(claims), environment));
  return { live: { trustPolicy: found.trustPolicy, audiences: audiences ?? "absent" }, configured };
}

function configuredTrust(environment: Environment, name: string): TrustState {
  const { circleci, oidcProvider } = environment;
  const { trust } = roleNamed(environment, name);
  return {
    trustPolicy: trustPolicy({ ...circleci, providerArn: oidcProvider.arn, rules: trust }),
    audiences: circleci.audiences,
  };
}

/** Only an issuer that the role trusts is asked for its keys: a token must not choose whom this machine calls. */
async function signatureOf(token: string, claims: Claims, { trustPolicy }: ReadTrust, environment: Environment) {
  if (
    !claims.iss.startsWith("https://") ||
    !trustedProviders(trustPolicy).includes(providerArn(issuerOfClaims(claims), environment))
  ) {
    return { verdict: "unchecked", note: "not checked: the role does not trust the token's issuer" } as const;
  }
  // The sandbox has an issuer of its own, which signs in CircleCI's stead.
  return verifySignature(token, process.env.KEYLESS_ISSUER ?? claims.iss);
}

type Given =
  | { readonly claims: Claims; readonly source: TokenSource; readonly text: string }
  | { readonly claims: Claims; readonly source: "claims" }
  | { readonly text: string; readonly fault: string };

function readToken(environment: Environment, flags: Flags): Given {
  const written = WRITTEN.filter((flag) => flags[flag] !== undefined);
  if (written.length > 0) {
    if (flags.tokenFile !== undefined)
      throw new UsageError(`give a token or claims, not both: --token-file, --${written[0]}`);
    return { claims: writtenClaims(environment, flags), source: "claims" };
  }
  const { text, source } = tokenText(flags);
  try {
    return { claims: readClaims(text), source, text };
  } catch (error) {
    return { text, fault: error instanceof Error ? error.message : String(error) };
  }
}

function tokenText({ tokenFile, v1 }: Flags): { text: string; source: TokenSource } {
  const { CIRCLE_OIDC_TOKEN: first, CIRCLE_OIDC_TOKEN_V2: second } = process.env;
  if (tokenFile === undefined) {
    const source = v1 ? "CIRCLE_OIDC_TOKEN" : "CIRCLE_OIDC_TOKEN_V2";
    return { text: (v1 ? first : second)?.trim() ?? "", source };
  }
  const text = readInput(tokenFile, "the token").trim();
  if (text === "") return { text, source: "file" };
  return { text, source: text === second ? "CIRCLE_OIDC_TOKEN_V2" : text === first ? "CIRCLE_OIDC_TOKEN" : "file" };
}

function writtenClaims({ circleci }: Environment, flags: Flags): Claims {
  const organization = flags.organization ?? circleci.organizationId;
  const host = flags.server ?? parseIssuer(circleci.issuer)?.host;
  return {
    iss: `https://${formatIssuer({ host, organization })}`,
    aud: flags.audience ?? organization,
    sub: flags.subject ?? writtenSubject(organization, flags),
  };
}

function writtenSubject(
  organization: string,
  { project, user = UNLISTED_USER, repository, branch, tag, v1 }: Flags,
): string {
  if (project === undefined) throw new UsageError("written claims need --project <id>, or a whole --subject");
  if (v1) return formatSubject({ organization, project, user });
  const ref = refOf({ branch, tag });
  if (repository === undefined || ref === undefined || (branch !== undefined && tag !== undefined)) {
    throw new UsageError(
      "written claims need --repository and one of --branch and --tag; or --v1, whose subject names neither",
    );
  }
  return formatSubject({
    organization,
    project,
    user,
    repository,
    ref: formatRef(ref),
  });
}
