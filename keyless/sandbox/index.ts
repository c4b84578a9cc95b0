import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { terraformEnvironment } from "../terraform/environment";
import type { Env } from "../terraform/executables";
import { type LocalIssuer, startIssuer } from "./issuer";
import { findMoto, startMoto } from "./moto";
import { type IamProxy, startIamProxy } from "./proxy";
import { accountKeys } from "./proxy/store";

/** Options of the sandbox. */
export interface SandboxOptions {
  /** The account of {@link Sandbox.environment}. Default: 123456789012. */
  readonly accountId?: string;
  /** Default: us-east-1. */
  readonly region?: string;
  /** Called with a message before a step that takes long. Default: no messages. */
  readonly progress?: (line: string) => void;
}

/** A local AWS and a local CircleCI issuer. All files are in one temporary folder, removed by {@link Sandbox.stop}. */
export interface Sandbox {
  /** The URL of all AWS services. */
  readonly endpoint: string;
  readonly issuer: LocalIssuer;
  /** Authorizes the requests to moto, and records the permissions that role sessions required. */
  readonly proxy: IamProxy;
  /** All environment variables of a command that an administrator of the account runs. */
  readonly environment: Env;
  /** All environment variables of a command that an administrator of another account runs. */
  accountEnvironment(accountId: string): Env;
  stop(): Promise<void>;
}

/**
 * Starts moto, the issuer and the IAM proxy, and finds Terraform. Missing programs are downloaded into `.keyless`.
 *
 * @throws {UserError} if a program is missing and cannot be installed, or moto does not start
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { accountId = "123456789012", region = "us-east-1", progress = () => {} } = options;
  // Downloads are kept between runs.
  const folder = resolve(".keyless");
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
    const proxy = await startIamProxy({ moto: moto.endpoint, keys: issuer.keys });
    parts.push(proxy);
    const client = {
      ...(terraform.TF_CLI_CONFIG_FILE === undefined && pluginCache(folder)),
      ...clientEnvironment(proxy.endpoint, issuer.endpoint, region, work),
      ...terraform,
    };
    const accountEnvironment = (account: string) => {
      const { accessKeyId, secretAccessKey } = accountKeys(account);
      return { ...client, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    };
    return {
      endpoint: proxy.endpoint,
      issuer,
      proxy,
      environment: accountEnvironment(accountId),
      accountEnvironment,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The environment of this process, with AWS variables that point to the sandbox instead of a real account. */
function clientEnvironment(endpoint: string, issuer: string, region: string, work: string): Env {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_"));
  return {
    ...Object.fromEntries(inherited),
    AWS_ENDPOINT_URL: endpoint,
    // Terraform reads only this variable for AssumeRoleWithWebIdentity.
    AWS_ENDPOINT_URL_STS: endpoint,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_PAGER: "",
    // These files do not exist.
    AWS_CONFIG_FILE: join(work, "aws-config"),
    AWS_SHARED_CREDENTIALS_FILE: join(work, "aws-credentials"),
    KEYLESS_ISSUER: issuer,
    NO_PROXY: [process.env.NO_PROXY, "127.0.0.1"].filter(Boolean).join(","),
  };
}

/** Downloads the AWS provider once for all stacks, if it comes from the registry. */
function pluginCache(folder: string): Env {
  const cache = join(folder, "plugins");
  mkdirSync(cache, { recursive: true });
  return { TF_PLUGIN_CACHE_DIR: cache };
}
