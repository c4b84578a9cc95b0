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

/** Synthesizes the stacks of a configuration, or only one of them, with cdktf's validations. Returns them by name. */
export function synthesize(config: ConfigInput | Config, only?: string): Record<string, Synthesized> {
  const { environments, stateBackends } = "stateBackends" in config ? config : defineConfig(config);
  const isWanted = ({ name }: { readonly name: string }) => only === undefined || name === only;
  return withoutStackTraces(() => {
    // Otherwise each app creates a temporary folder, although Testing.synth() writes no file.
    const app = Testing.app({ outdir: tmpdir() });
    const stacks = [
      ...environments.filter(isWanted).map((environment) => new EnvironmentStack(app, environment)),
      ...stateBackends.filter(isWanted).map((backend) => new StateBackendStack(app, backend)),
    ];
    return Object.fromEntries(stacks.map((stack) => [stack.node.id, JSON.parse(Testing.synth(stack, true))]));
  });
}

/** cdktf formats a stack trace for each token. Under jest, this takes most of the time and memory of a synthesis. */
function withoutStackTraces<T>(run: () => T): T {
  const { prepareStackTrace } = Error;
  Error.prepareStackTrace = () => "";
  try {
    return run();
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
  }
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
