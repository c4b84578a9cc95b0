import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { checkAccount } from "../aws/identity";
import type { StateBackend } from "../config/resolved";
import { UserError } from "../errors";
import { lockProviders } from "../terraform/provider-lock";
import { runTerraform, type TerraformRun, terraformOrFail } from "../terraform/run";
import { type Found, StateStore } from "./store";

/** Which process runs Terraform in the folder. */
const RUN_FILE = "run.json";

/** The options of {@link bootstrap}. */
export interface BootstrapOptions {
  readonly backend: StateBackend;
  /** The stack as cdktf synthesized it: the text of its `cdk.tf.json`. */
  readonly stack: string;
  /** The folder of the local state until the bucket has it. It is kept if a run fails, so that the next run can resume. */
  readonly folder: string;
  /** Import an existing bucket and table that bootstrap did not create. */
  readonly adopt: boolean;
  readonly env: NodeJS.ProcessEnv;
  /** Called with each line of progress. */
  readonly progress: (line: string) => void;
  /** Kills Terraform without saving the state. Default: only Ctrl-C stops it, after Terraform has saved the state. */
  readonly signal?: AbortSignal;
}

/** `created`: bucket and table are new. `changed`: existing ones were updated. `unchanged`: no changes. */
export type BootstrapOutcome = "created" | "changed" | "unchanged";

/**
 * Creates or updates the state backend and stores its own state in it. If a run is killed, the next one resumes: it
 * imports existing resources, and uses the state in the bucket if there is one.
 *
 * @throws {UserError} if the credentials or the bucket belong to another account, or Terraform fails
 */
export async function bootstrap(options: BootstrapOptions): Promise<BootstrapOutcome> {
  const { backend, folder, progress } = options;
  await checkAccount({ accountId: backend.accountId, region: backend.state.region });
  const store = new StateStore(backend);
  const resumed = existsSync(folder);
  const found = await store.find();
  if (found.state) {
    progress("the state is in the bucket: planning changes");
    const outcome = await converge(options, store);
    rmSync(folder, { recursive: true, force: true });
    return outcome;
  }
  if (!resumed && !options.adopt) rejectExisting(backend, found);

  mkdirSync(folder, { recursive: true });
  progress(resumed ? "resuming an interrupted run" : "creating bucket and table with a local state");
  const run = prepare(options, { local: {} });
  setAsideDamagedState(join(folder, "terraform.tfstate"));
  await terraformOrFail(run, "init", "-reconfigure", "-input=false", "-lockfile=readonly");
  await writeImports(run, found, backend);
  await terraformOrFail(run, "apply", "-json", "-auto-approve", "-input=false", "-lock-timeout=10m");
  progress("moving the state into the bucket");
  await store.putFirstState(readFileSync(join(folder, "terraform.tfstate")));
  rmSync(folder, { recursive: true, force: true });
  return found.bucket || found.table ? "changed" : "created";
}

/** Applies the configuration to bucket and table, using the state in the bucket. */
async function converge(options: BootstrapOptions, store: StateStore): Promise<BootstrapOutcome> {
  mkdirSync(options.folder, { recursive: true });
  await releaseLockOfDeadRun(options, store);
  const run = prepare(options);
  await terraformOrFail(run, "init", "-reconfigure", "-input=false", "-lockfile=readonly");
  // Without the lock, a killed plan leaves no lock behind. The apply takes the lock.
  const plan = await runTerraform(run, "plan", "-detailed-exitcode", "-lock=false", "-input=false", "-out=plan");
  if (plan.status === 0) return "unchanged";
  if (plan.status !== 2) throw new UserError(`terraform plan failed in ${run.folder}:\n\n${plan.output.trim()}`);
  await terraformOrFail(run, "apply", "-json", "-input=false", "-lock-timeout=2m", "plan");
  return "changed";
}

/** Writes the stack to the folder, optionally with another backend. */
function prepare({ stack, folder, env, progress, signal }: BootstrapOptions, backend?: object): TerraformRun {
  const parsed = JSON.parse(stack);
  if (backend !== undefined) parsed.terraform.backend = backend;
  writeFileSync(join(folder, "cdk.tf.json"), JSON.stringify(parsed, null, 2));
  lockProviders(folder);
  rmSync(join(folder, "imports.tf.json"), { force: true });
  return {
    folder,
    env,
    progress,
    signal,
    onStart: (pid) => writeFileSync(join(folder, RUN_FILE), JSON.stringify({ pid, who: lockOwner() })),
  };
}

function rejectExisting({ state }: StateBackend, { bucket, bucketIsEmpty, table }: Found): void {
  const existing = [
    ...(bucket && !bucketIsEmpty ? [`bucket ${state.bucket}, which has objects`] : []),
    ...(table ? [`table ${state.lockTable}`] : []),
  ];
  if (existing.length === 0) return;
  throw new UserError(
    `the account already has ${existing.join(", and ")}, but no state of this backend: to use what exists, run this ` +
      "again with --adopt, which configures bucket and table as config.ts specifies; otherwise change the names in config.ts",
  );
}

/** Imports resources that exist but are not in the local state: the earlier run was killed before saving the state. */
async function writeImports(run: TerraformRun, found: Found, { state }: StateBackend) {
  const known = (await runTerraform(run, "state", "list")).output.split("\n");
  const existing = [
    ...(found.bucket ? [{ to: "aws_s3_bucket.state", id: state.bucket }] : []),
    ...(found.table ? [{ to: "aws_dynamodb_table.lock", id: state.lockTable }] : []),
  ];
  const imports = existing.filter(({ to }) => !known.includes(to));
  if (imports.length > 0) writeFileSync(join(run.folder, "imports.tf.json"), JSON.stringify({ import: imports }));
}

// Terraform writes a local state in place, so a killed run can leave invalid JSON. The imports replace it.
function setAsideDamagedState(file: string): void {
  if (!existsSync(file)) return;
  try {
    JSON.parse(readFileSync(file, "utf8"));
  } catch {
    renameSync(file, `${file}.damaged-${Date.now()}`);
  }
}

/** The `Who` field of a lock that Terraform acquires on this machine. */
function lockOwner(): string {
  return `${userInfo().username}@${hostname()}`;
}

/** Releases the lock of a killed run on this machine. Locks of others are kept. */
async function releaseLockOfDeadRun({ folder, progress }: BootstrapOptions, store: StateStore): Promise<void> {
  const file = join(folder, RUN_FILE);
  if (!existsSync(file)) return;
  const { pid, who } = JSON.parse(readFileSync(file, "utf8"));
  if (who !== lockOwner() || isAlive(pid)) return;
  if (await store.releaseLock(who)) progress("released the lock of the killed run");
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // In containers without an init process, killed children remain as zombies.
  const status = `/proc/${pid}/status`;
  return !existsSync(status) || !/^State:\s+Z/m.test(readFileSync(status, "utf8"));
}
