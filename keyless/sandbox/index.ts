import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { terraformEnvironment } from "../terraform/environment";
import type { Env } from "../terraform/executables";
import { type Issuer, startIssuer } from "./issuer";
import { findMoto, startMoto } from "./moto";
import { type IamProxy, startIamProxy } from "./proxy";
import { accountKeys } from "./proxy/store";

/** Where the local AWS pretends to be. */
export interface SandboxOptions {
  /** The account whose administrator {@link Sandbox.environment} is. Default: 123456789012. */
  readonly accountId?: string;
  /** Default: us-east-1. */
  readonly region?: string;
  /** Where downloads are kept between runs. Default: `.keyless` in the current folder. */
  readonly folder?: string;
  /** Called with a line for people when something takes long. Default: nothing is said. */
  readonly progress?: (line: string) => void;
}

/** A local AWS with CircleCI beside it. All that it leaves on disk lies in one folder, which goes with it. */
export interface Sandbox {
  /** The address of the local AWS. */
  readonly endpoint: string;
  readonly issuer: Issuer;
  /** What stands between the clients and moto; it knows what each role's session has used. */
  readonly proxy: IamProxy;
  /** The whole environment of a command that is run by an administrator of the account. */
  readonly environment: Env;
  /** The same for an administrator of another account. */
  accountEnvironment(accountId: string): Env;
  /** The whole environment of a job that has a token and no static key. */
  webIdentityEnvironment(job: WebIdentity): Env;
  stop(): Promise<void>;
}

/** A job's token, and the role that it is for. */
export interface WebIdentity {
  readonly roleArn: string;
  readonly token: string;
  /** Default: circleci. */
  readonly sessionName?: string;
}

/** Starts the local AWS and the local issuer, with everything that a run of Terraform or of the AWS CLI needs. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { accountId = "123456789012", region = "us-east-1", progress = () => {} } = options;
  const folder = resolve(options.folder ?? ".keyless");
  const work = mkdtempSync(join(tmpdir(), "keyless-sandbox-"));
  const parts: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    await Promise.all(parts.map((part) => part.stop()));
    rmSync(work, { recursive: true, force: true });
  };
  try {
    const env = process.env;
    const [python, terraform] = await Promise.all([
      findMoto(folder, env, progress),
      terraformEnvironment({ folder, env, progress, work }),
    ]);
    const moto = await startMoto(python, work);
    parts.push(moto);
    const issuer = await startIssuer();
    parts.push(issuer);
    const proxy = await startIamProxy({ moto: moto.endpoint, keys: issuer.keys, accountId });
    parts.push(proxy);
    const client = {
      ...(terraform.TF_CLI_CONFIG_FILE === undefined && pluginCache(folder)),
      ...clientEnvironment(proxy.endpoint, issuer.endpoint, region, work),
      ...terraform,
    };
    const accountEnvironment = (account: string) => administratorEnvironment(client, account);
    return {
      endpoint: proxy.endpoint,
      issuer,
      proxy,
      environment: accountEnvironment(accountId),
      accountEnvironment,
      webIdentityEnvironment: (job) => jobEnvironment(client, job, work),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The environment of this process without anything that would lead a client to a real account. */
function clientEnvironment(endpoint: string, issuer: string, region: string, work: string): Env {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_"));
  return {
    ...Object.fromEntries(inherited),
    AWS_ENDPOINT_URL: endpoint,
    // Terraform reads this one alone when it trades a token.
    AWS_ENDPOINT_URL_STS: endpoint,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_PAGER: "",
    // Files that do not exist.
    AWS_CONFIG_FILE: join(work, "aws-config"),
    AWS_SHARED_CREDENTIALS_FILE: join(work, "aws-credentials"),
    KEYLESS_ISSUER: issuer,
    NO_PROXY: [process.env.NO_PROXY, "127.0.0.1"].filter(Boolean).join(","),
  };
}

/** One download of the AWS provider for all stacks, where it comes from the registry. */
function pluginCache(folder: string): Env {
  const cache = join(folder, "plugins");
  mkdirSync(cache, { recursive: true });
  return { TF_PLUGIN_CACHE_DIR: cache, TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE: "1" };
}

function administratorEnvironment(client: Env, accountId: string): Env {
  const { accessKeyId, secretAccessKey } = accountKeys(accountId);
  return { ...client, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
}

function jobEnvironment(client: Env, { roleArn, token, sessionName = "circleci" }: WebIdentity, work: string): Env {
  const file = join(mkdtempSync(join(work, "job-")), "token");
  writeFileSync(file, token, { mode: 0o600 });
  return {
    ...client,
    AWS_ROLE_ARN: roleArn,
    AWS_WEB_IDENTITY_TOKEN_FILE: file,
    AWS_ROLE_SESSION_NAME: sessionName,
    // The AWS CLI keeps a session's credentials there, by role and session name: they would outlive the local AWS, and
    // serve another token too.
    HOME: dirname(file),
  };
}
