import { resolve } from "node:path";
import type { Command } from "commander";
import type { Environment } from "../../config/resolved";
import { RefusedError } from "../../errors";
import { bootstrap } from "../../state/bootstrap";
import { type Readiness, readinessOf } from "../../state/readiness";
import { withTerraformEnvironment } from "../../terraform/environment";
import { synthesizeStack } from "../../terraform/synthesize";
import { environmentNamed, loadConfigWithWarnings, stateBackendOf } from "../lib/load-config";
import { withProgress } from "../lib/progress";

export function register(program: Command): void {
  program
    .command("bootstrap")
    .argument("<environment>", "an environment of config.ts")
    .option("--adopt", "import a bucket and table that already exist, and configure them according to config.ts")
    .description("create or update the S3 bucket and the lock table for an environment's state; idempotent")
    .action(async (name: string, { adopt = false }: { adopt?: boolean }) => {
      const config = loadConfigWithWarnings();
      const environment = environmentNamed(config, name);
      const backend = stateBackendOf(config, environment);
      const { bucket, lockTable } = environment.state;
      const outcome = await withProgress(`State backend ${backend.name}`, (progress) => {
        // Named by account and bucket, so that a changed name does not resume the run of another backend.
        const folder = resolve(".keyless", "bootstrap", `${backend.accountId}-${bucket}`);
        const stack = synthesizeStack(backend.name);
        return withTerraformEnvironment(progress, (env) => bootstrap({ backend, stack, folder, adopt, env, progress }));
      });
      const what = `bucket ${bucket}${lockTable === undefined ? "" : ` and table ${lockTable}`}`;
      const results = {
        created: "created; their state is now stored in the bucket",
        changed: "updated",
        unchanged: "no changes",
      };
      console.log(`${what}: ${results[outcome]}.`);
      console.log(nextStep(environment, await readinessOf(config, environment, backend)));
    });
}

/** @throws {RefusedError} if the environment must not be deployed before its state is in the bucket */
function nextStep({ name, accountId, circleci, state }: Environment, readiness: Readiness): string {
  const deploy = `npx cdktf deploy ${name}`;
  if (readiness.kind === "ready") return `Next: ${deploy}`;
  if (readiness.kind === "provider-missing") {
    const { createdBy } = readiness;
    const missing = `account ${accountId} has no provider ${circleci.issuer}, which ${name} uses (oidcProvider: "existing")`;
    return createdBy.length > 0
      ? `${missing}.\nNext: npx cdktf deploy ${createdBy.join(" or ")}, which creates it, then ${deploy}`
      : `${missing}, and no environment creates it.\nNext: create it, or set oidcProvider to "create"; then ${deploy}`;
  }
  const { hasProvider, roles } = readiness;
  const existing = [...(hasProvider ? [`provider ${circleci.issuer}`] : []), ...roles.map((role) => `role ${role}`)];
  const foreign = hasProvider
    ? '; if another team or environment manages the provider, set oidcProvider to "existing"'
    : "";
  throw new RefusedError(
    `account ${accountId} has ${existing.join(", ")}, but bucket ${state.bucket} has no state of ${name} ` +
      `(${state.key}): a deployment would fail with EntityAlreadyExists. If ${name} had another bucket, prefix or name ` +
      "before, move its state (docs/changing-things.md#another-bucket-or-table); if they were created outside this " +
      `project, import them (docs/changing-things.md#entityalreadyexists)${foreign}`,
  );
}
