import { tmpdir } from "node:os";
import { Testing } from "cdktf";
import { defineConfig } from "../../keyless/config/define";
import type { ConfigInput } from "../../keyless/config/input";
import type { Config } from "../../keyless/config/resolved";
import { EnvironmentStack } from "../../stacks/environment";
import { StateBackendStack } from "../../stacks/state-backend";

/** Terraform's JSON of a stack: blocks by type, resources by type and name. */
export interface Synthesized {
  readonly terraform: { readonly backend: { readonly s3: Record<string, unknown> }; readonly required_version: string };
  readonly provider: { readonly aws: readonly Record<string, unknown>[] };
  readonly resource?: Resources;
  readonly data?: Resources;
  readonly output?: Record<string, { readonly value: unknown }>;
}

type Resources = Record<string, Record<string, Record<string, unknown>>>;

/** Every stack of a configuration by name, as cdktf synthesizes it, its own validations included. */
export function synthesize(config: ConfigInput | Config): Record<string, Synthesized> {
  const { environments, stateBackends } = "stateBackends" in config ? config : defineConfig(config);
  // Without a folder of its own, of which each app would make one: Testing.synth() writes no file.
  const app = Testing.app({ outdir: tmpdir() });
  const stacks = [
    ...environments.map((environment) => new EnvironmentStack(app, environment)),
    ...stateBackends.map((backend) => new StateBackendStack(app, backend)),
  ];
  return Object.fromEntries(stacks.map((stack) => [stack.node.id, JSON.parse(Testing.synth(stack, true))]));
}

/** The addresses of a stack's resources and data sources, sorted. */
export function addresses(stack: Synthesized | undefined): string[] {
  return [...Object.keys(blocks(stack))].sort();
}

/** A stack's resources and data sources by address. */
export function blocks(stack: Synthesized | undefined): Record<string, Record<string, unknown>> {
  const of = (prefix: string, resources: Resources = {}) =>
    Object.entries(resources).flatMap(([type, byName]) =>
      Object.entries(byName).map(([name, block]) => [`${prefix}${type}.${name}`, block] as const),
    );
  return Object.fromEntries([...of("", stack?.resource), ...of("data.", stack?.data)]);
}
