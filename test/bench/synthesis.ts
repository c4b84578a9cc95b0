import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "cdktf";
import { defineConfig } from "../../keyless/config/define";
import { EnvironmentStack } from "../../stacks/environment";

/** Checks and synthesizes an environment of so many roles with ten attachments each, as its argument says. */
function synthesize(roles: number): void {
  const managedPolicyArns = Array.from({ length: 10 }, (_, index) => `arn:aws:iam::aws:policy/Policy${index}`);
  const project = "66666666-7777-4888-9999-000000000000";
  const trust = [{ project, repository: "github.com/acme/site", branches: ["main"] }];
  const named = Array.from({ length: roles }, (_, index) => [`role-${index}`, { trust, managedPolicyArns }] as const);
  const config = defineConfig({
    circleci: { organizationId: "11111111-2222-4333-8444-555555555555" },
    environments: {
      dev: {
        accountId: "123456789012",
        region: "us-east-1",
        state: { bucket: "acme-tfstate", lockTable: "acme-lock" },
        roles: Object.fromEntries(named),
      },
    },
  });
  const outdir = mkdtempSync(join(tmpdir(), "keyless-bench-"));
  try {
    const app = new App({ outdir });
    for (const environment of config.environments) new EnvironmentStack(app, environment);
    app.synth();
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

synthesize(Number(process.argv[2]));
console.log(process.resourceUsage().maxRSS);
