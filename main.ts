import { join } from "node:path";
import { App } from "cdktf";
import config from "./config";
import { enforceLint } from "./keyless/config/lint";
import { lockProviders } from "./keyless/terraform/provider-lock";
import { EnvironmentStack } from "./stacks/environment";
import { StateBackendStack } from "./stacks/state-backend";

for (const warning of config.warnings) console.warn(`warning: ${warning}`);

// Stop before synthesis if a trust policy is overly permissive.
enforceLint(config, console.warn);

// Every stack is synthesized; `cdktf diff` and `cdktf deploy` select stacks by name.
const app = new App();

for (const environment of config.environments) new EnvironmentStack(app, environment);
for (const backend of config.stateBackends) new StateBackendStack(app, backend);

app.synth();

for (const { name } of [...config.environments, ...config.stateBackends])
  lockProviders(join(app.outdir, "stacks", name));
