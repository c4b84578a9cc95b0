import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { actionsFile, managedPoliciesFile } from ".";
import { actionLines } from "./actions";

// Writes actions.txt and managed-policies.txt. With `--check`: exits with status 1 if a file differs from what would be
// written. Requires python3 with the version of moto in keyless/sandbox/requirements.txt.

const PRINT_POLICIES = `
import importlib.metadata, json
from moto.iam.aws_managed_policies import aws_managed_policies_data
policies = json.loads(aws_managed_policies_data)
print("# moto", importlib.metadata.version("moto"))
print("\\n".join(sorted(policy["Path"][1:] + name for name, policy in policies.items())))
`;

function managedPolicyLines(): string {
  const { status, stdout, stderr } = spawnSync("python3", ["-c", PRINT_POLICIES], { encoding: "utf8" });
  if (status !== 0) throw new Error(`python3 failed: ${stderr}`);
  return stdout;
}

async function writeCatalog(check: boolean): Promise<void> {
  const files = [
    [actionsFile, await actionLines()],
    [managedPoliciesFile, managedPolicyLines()],
  ] as const;
  for (const [file, text] of files) {
    if (!check) writeFileSync(file, text);
    else if (readFileSync(file, "utf8") !== text) {
      process.stderr.write(`${file} is out of date: run npm run generate:catalog\n`);
      process.exitCode = 1;
    }
  }
}

void writeCatalog(process.argv.includes("--check"));
