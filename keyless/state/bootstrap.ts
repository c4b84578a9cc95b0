import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { checkAccount } from "../aws/identity";
import type { StateBackend } from "../config/resolved";
import { UserError } from "../errors";
import { events, type TerraformRun, terraform, terraformOrFail } from "../terraform/run";
import { StateStore } from "./store";

/** What bootstrap makes, and with what. */
export interface BootstrapOptions {
  readonly backend: StateBackend;
  /** The stack as cdktf synthesized it: the text of its `cdk.tf.json`. */
  readonly stack: string;
  /** Where the stack's state lies until it is in the bucket; kept between runs, so that a run can go on where one ended. */
  readonly folder: string;
  /** Take over a bucket and a table that exist already although no run of bootstrap has made them. */
  readonly adopt: boolean;
  readonly env: NodeJS.ProcessEnv;
  /** Called with each line of progress. */
  readonly progress: (line: string) => void;
  /** Ends it at once, state unsaved. Default: it is ended by Ctrl-C, once Terraform has saved its state. */
  readonly signal?: AbortSignal;
}

/** How a run ended. */
export interface BootstrapResult {
  /** `created`: bucket and table are new. `changed`: they were there and differed. `unchanged`: nothing was to do. */
  readonly outcome: "created" | "changed" | "unchanged";
}

/**
 * Makes the state backend and moves its own state into it. A run that was killed anywhere is taken up by the next one:
 * what exists is imported rather than made again, and the state in the bucket, once there, is the only one.
 *
 * @throws {UserError} when the credentials are of another account, the bucket is somebody else's, or Terraform fails
 */
export async function bootstrap(options: BootstrapOptions): Promise<BootstrapResult> {
  const { backend, folder, progress } = options;
  const store = new StateStore(backend);
  await checkAccount({ accountId: backend.accountId, region: backend.state.region });
  const resumed = existsSync(folder);
  const found = await store.find();
  if (found.state) {
    progress("the state is in the bucket: looking for changes");
    const outcome = await converge(options, store);
    rmSync(folder, { recursive: true, force: true });
    return { outcome };
  }
  if (!resumed && !options.adopt) refuseToTakeOver(backend, found);

  mkdirSync(folder, { recursive: true });
  progress(resumed ? "an earlier run was ended: going on from there" : "making bucket and table, with a local state");
  const run = prepare(options, { local: {} });
  setAsideDamagedState(join(folder, "terraform.tfstate"));
  await terraformOrFail(run, "init", "-reconfigure", "-input=false");
  await writeImports(run, found, backend);
  await terraformOrFail(run, "apply", "-auto-approve", "-input=false", "-lock-timeout=10m");
  progress("moving the state into the bucket");
  await store.putFirstState(readFileSync(join(folder, "terraform.tfstate")));
  rmSync(folder, { recursive: true, force: true });
  return { outcome: found.bucket || found.table ? "changed" : "created" };
}

/** Brings bucket and table to what the configuration says, from the state in the bucket. */
async function converge(options: BootstrapOptions, store: StateStore): Promise<BootstrapResult["outcome"]> {
  mkdirSync(options.folder, { recursive: true });
  await releaseLockOfDeadRun(options, store);
  const run = prepare(options);
  await terraformOrFail(run, "init", "-reconfigure", "-input=false");
  // Without the lock: a plan that finds nothing to change, as nearly all do, then leaves nothing behind when killed.
  const plan = await terraform(run, "plan", "-detailed-exitcode", "-lock=false", "-input=false", "-out=plan");
  if (plan.status === 0) return "unchanged";
  if (plan.status !== 2) throw new UserError(`terraform plan failed in ${run.folder}:\n\n${plan.output.trim()}`);
  await terraformOrFail(run, "apply", "-input=false", "-lock-timeout=2m", "plan");
  return "changed";
}

/** Lays the stack into the folder, with another backend than its own if one is given. */
function prepare({ stack, folder, env, progress, signal }: BootstrapOptions, backend?: object): TerraformRun {
  const parsed = JSON.parse(stack);
  if (backend !== undefined) parsed.terraform.backend = backend;
  writeFileSync(join(folder, "cdk.tf.json"), JSON.stringify(parsed, null, 2));
  rmSync(join(folder, "imports.tf.json"), { force: true });
  return {
    folder,
    env,
    onLine: events(progress),
    signal,
    onStart: (pid) => writeFileSync(journal(folder), JSON.stringify({ pid, who: whoAmI() })),
  };
}

function refuseToTakeOver(
  { state }: StateBackend,
  found: { bucket: boolean; bucketIsEmpty: boolean; table: boolean },
): void {
  const taken = [
    ...(found.bucket && !found.bucketIsEmpty ? [`bucket ${state.bucket}, which holds objects`] : []),
    ...(found.table ? [`table ${state.lockTable}`] : []),
  ];
  if (taken.length === 0) return;
  throw new UserError(
    `the account has ${taken.join(" and ")} already, and no state of them is in the bucket. If they are meant to hold ` +
      "Terraform's state, run this again with --adopt: versions, encryption, access and policy of the bucket and the " +
      "table's settings are then set as config.ts says. Otherwise name others in config.ts. Nothing was changed.",
  );
}

/** What exists but is not in the local state, because a run was killed between making it and noting it, is imported. */
async function writeImports(run: TerraformRun, found: { bucket: boolean; table: boolean }, { state }: StateBackend) {
  const known = (await terraform(run, "state", "list")).output.split("\n");
  const imports = [
    { exists: found.bucket, to: "aws_s3_bucket.state", id: state.bucket },
    { exists: found.table, to: "aws_dynamodb_table.lock", id: state.lockTable },
  ].filter(({ exists, to }) => exists && !known.includes(to));
  if (imports.length === 0) return;
  writeFileSync(
    join(run.folder, "imports.tf.json"),
    JSON.stringify({ import: imports.map(({ to, id }) => ({ to, id })) }),
  );
}

// Terraform writes a local state in place: one that was cut off tells nothing, and the imports find what there is.
function setAsideDamagedState(file: string): void {
  if (!existsSync(file)) return;
  try {
    JSON.parse(readFileSync(file, "utf8"));
  } catch {
    renameSync(file, `${file}.damaged-${Date.now()}`);
  }
}

function journal(folder: string): string {
  return join(folder, "run.json");
}

/** As Terraform writes it into a lock. */
function whoAmI(): string {
  return `${userInfo().username}@${hostname()}`;
}

/** A lock that a killed run of this machine left behind is given back; anybody else's stays. */
async function releaseLockOfDeadRun({ folder, progress }: BootstrapOptions, store: StateStore): Promise<void> {
  if (!existsSync(journal(folder))) return;
  const { pid, who } = JSON.parse(readFileSync(journal(folder), "utf8"));
  if (who !== whoAmI() || isAlive(pid)) return;
  if (await store.releaseLock(who)) progress("released the lock that the killed run left behind");
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // Where nobody collects the dead, as in many a container, a killed process stays listed: as a zombie.
  const status = `/proc/${pid}/status`;
  return !existsSync(status) || !/^State:\s+Z/m.test(readFileSync(status, "utf8"));
}
