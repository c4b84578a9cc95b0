import { App } from "cdktf";
import config from "./config";
import { enforceLint } from "./keyless/config/lint";
import { EnvironmentStack } from "./stacks/environment";
import { StateBackendStack } from "./stacks/state-backend";

// Nothing is made of trust that lets in whom nobody meant.
enforceLint(config, console.warn);

// Every stack is always made; the argument of `cdktf diff` and `cdktf deploy` chooses among them by name.
const app = new App();

for (const environment of config.environments) new EnvironmentStack(app, environment);
for (const backend of config.stateBackends) new StateBackendStack(app, backend);

app.synth();
