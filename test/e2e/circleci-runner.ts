import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import type { Env } from "../../keyless/terraform/executables";
import { afterSuite } from "./after-suite";
import { run } from "./project";

/** A step, job or workflow of a CircleCI configuration. */
// biome-ignore lint/suspicious/noExplicitAny: test/pipeline/configs.test.ts checks the form of the configuration
type Yaml = any;

export interface JobResult {
  /** `not run` if a required job did not succeed, or was not approved. */
  readonly status: "success" | "failed" | "not run";
  /** The output of all steps. */
  readonly output: string;
  /** The paths of the stored artifacts. */
  readonly artifacts: readonly string[];
}

export interface RunnerOptions {
  /** The text of the `.circleci/config.yml`. */
  readonly config: string;
  /** Pipeline values by name, for example `pipeline.git.branch`. */
  readonly values: { readonly [value: string]: string };
  /** Writes the files of the repository to a folder. */
  readonly checkout: (folder: string) => void;
  /** The environment variables of a job, added to those that CircleCI sets in every job. */
  readonly environment: (job: string) => Promise<Env>;
  /** Jobs and commands that are skipped: they need the internet, or run this test suite. Default: none. */
  readonly skip?: readonly string[];
}

/** Runs the workflows of a CircleCI configuration on this machine. Supports the steps and expressions that this repository uses. */
export class CircleCi {
  readonly #folder = mkdtempSync(join(tmpdir(), "keyless-circleci-"));
  readonly #workspace = join(this.#folder, "workspace");
  readonly #config: Yaml;

  constructor(private readonly options: RunnerOptions) {
    this.#config = parse(options.config);
    mkdirSync(this.#workspace);
    afterSuite(() => rmSync(this.#folder, { recursive: true, force: true }));
  }

  /** The names of the workflows that a pipeline with the given values runs. */
  workflows(): string[] {
    return Object.entries<Yaml>(this.#config.workflows)
      .filter(([, { when }]) => when === undefined || holds(when, this.options.values))
      .map(([name]) => name);
  }

  /** Runs the jobs of a workflow, each after its required jobs succeeded. `approve` answers approval jobs. */
  async run(workflow: string, approve = async (_: string): Promise<boolean> => true): Promise<Map<string, JobResult>> {
    const invocations = this.#invocations(workflow);
    const results = new Map<string, Promise<JobResult>>();
    const result = (name: string): Promise<JobResult> => {
      const known = results.get(name) ?? after(invocations.get(name));
      results.set(name, known);
      return known;
    };
    const after = async (invocation: Yaml): Promise<JobResult> => {
      const required = await Promise.all((invocation.requires ?? []).map(result));
      const ready = required.every(({ status }) => status === "success");
      if (invocation.type !== "approval") return ready ? this.#run(invocation) : NOT_RUN;
      return ready && (await approve(invocation.name)) ? { ...NOT_RUN, status: "success" } : NOT_RUN;
    };
    const names = [...invocations.keys()];
    const all = await Promise.all(names.map(result));
    return new Map(names.map((name, index) => [name, all[index] ?? NOT_RUN]));
  }

  /** Runs one job of a workflow again with the current workspace. */
  rerun(workflow: string, name: string, checkout = this.options.checkout): Promise<JobResult> {
    return this.#run(this.#invocations(workflow).get(name), checkout);
  }

  #invocations(workflow: string): Map<string, Yaml> {
    const jobs: Yaml[] = this.#config.workflows[workflow].jobs.map((job: Yaml) => {
      const [[name, given]] = (typeof job === "string" ? [[job, {}]] : Object.entries<Yaml>(job)) as [[string, Yaml]];
      return { name, ...given, job: name };
    });
    const kept = jobs.filter(
      ({ job, filters }) => !this.#skips(job) && (!filters || holds(filters, this.options.values)),
    );
    const names = new Set(kept.map(({ name }) => name));
    return new Map(
      kept.map((each) => [each.name, { ...each, requires: each.requires?.filter((name: string) => names.has(name)) }]),
    );
  }

  #skips(jobOrCommand: string): boolean {
    return this.options.skip?.includes(jobOrCommand) ?? false;
  }

  async #run({ job, name, ...given }: Yaml, checkout = this.options.checkout): Promise<JobResult> {
    const { steps, environment } = this.#withParameters(this.#config.jobs[job], given);
    const work = mkdtempSync(join(this.#folder, "job-"));
    const [folder, home, artifacts] = [join(work, "project"), join(work, "home"), join(work, "artifacts")];
    for (const each of [folder, home, artifacts]) mkdirSync(each);
    const env: Env = {
      HOME: home,
      BASH_ENV: join(home, ".bash_env"),
      CI: "true",
      CIRCLECI: "true",
      CIRCLE_JOB: name,
      CIRCLE_BUILD_NUM: "7",
      CIRCLE_PIPELINE_ID: "00000000-0000-4000-8000-000000000004",
      CIRCLE_WORKFLOW_ID: "00000000-0000-4000-8000-000000000003",
      CIRCLE_WORKING_DIRECTORY: folder,
      ...environment,
      ...(await this.options.environment(name)),
    };
    writeFileSync(env.BASH_ENV as string, "");
    const container = { folder, artifacts, env, checkout };
    let status: JobResult["status"] = "success";
    let output = "";
    for (const step of this.#expanded(steps)) {
      if (!runsAfter(step, status)) continue;
      const ran = await this.#step(step, container);
      output += ran.output;
      if (ran.status !== 0) status = "failed";
    }
    return {
      status,
      output,
      artifacts: readdirSync(artifacts, { recursive: true }).map(String).sort(),
    };
  }

  /** The steps with commands replaced by their steps, and parameters by their values. */
  #expanded(steps: readonly Yaml[]): Yaml[] {
    return steps.flatMap((step) => {
      const [[kind, given]] = (typeof step === "string" ? [[step, {}]] : Object.entries<Yaml>(step)) as [
        [string, Yaml],
      ];
      const command = this.#config.commands?.[kind];
      if (command !== undefined) return this.#expanded(this.#withParameters(command, given).steps);
      return [{ kind, ...(typeof given === "string" ? { command: given } : given) }];
    });
  }

  #withParameters(definition: Yaml, given: Yaml): Yaml {
    const defaults = Object.entries<Yaml>(definition.parameters ?? {}).map(([name, each]) => [name, each.default]);
    const parameters: Yaml = { ...Object.fromEntries(defaults), ...given };
    const text = (value: string) =>
      value.replace(/<<\s*([\w.-]+)\s*>>/g, (whole, name: string) =>
        name.startsWith("parameters.") ? parameters[name.slice(11)] : (this.options.values[name] ?? whole),
      );
    const deep = (value: Yaml): Yaml => {
      if (typeof value === "string") return text(value);
      if (Array.isArray(value)) return value.map(deep);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, deep(each)]));
    };
    return deep(definition);
  }

  async #step(step: Yaml, { folder, artifacts, env, checkout }: Container) {
    const done = { status: 0, output: "" };
    switch (step.kind) {
      case "checkout":
        checkout(folder);
        return done;
      case "attach_workspace":
        cpSync(this.#workspace, join(folder, step.at), { recursive: true });
        return done;
      case "persist_to_workspace":
        for (const path of step.paths) copy(join(folder, step.root, path), join(this.#workspace, path));
        return done;
      case "store_artifacts":
        copy(join(folder, step.path), join(artifacts, step.path));
        return done;
      case "run": {
        if (this.#skips(step.command)) return done;
        const options = { cwd: folder, env: { ...env, ...step.environment } };
        return run("bash", ["-eo", "pipefail", "-c", step.command], options);
      }
      default:
        throw new Error(`the step ${step.kind} is not supported here`);
    }
  }
}

interface Container {
  readonly folder: string;
  readonly artifacts: string;
  readonly env: Env;
  readonly checkout: RunnerOptions["checkout"];
}

const NOT_RUN: JobResult = { status: "not run", output: "", artifacts: [] };

/** @see https://circleci.com/docs/configuration-reference/#the-when-attribute */
function runsAfter({ kind, when }: Yaml, status: JobResult["status"]): boolean {
  if (kind === "store_artifacts" || when === "always") return true;
  return (status === "failed") === (when === "on_fail");
}

/** A missing path is not an error: CircleCI prints a warning and continues. */
function copy(from: string, to: string): void {
  if (!existsSync(from)) return;
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true });
}

/** The value of an expression or of a part of it. A pipeline value that is not set is null. */
type Operand = string | boolean | null;

/**
 * Evaluates an expression over pipeline values with `==`, `!=`, `starts-with`, `not`, `and`, `or` and parentheses. As in
 * CircleCI, `and` and `or` return one of their operands, and `starts-with` of a value that is not set is an error.
 *
 * @see https://circleci.com/docs/reference/configuration-reference/#using-expressions-in-your-configuration
 */
export function holds(expression: string, values: { readonly [value: string]: string }): boolean {
  const tokens = expression.match(/"[^"]*"|[()]|[^\s()"]+/g) ?? [];
  // Deferred, because `and` and `or` do not evaluate the second operand if the first one decides.
  type Deferred = () => Operand;
  const unary = (): Deferred => {
    const token = tokens.shift() ?? "";
    if (token === "(") {
      const inner = any();
      if (tokens.shift() !== ")") throw new Error(`${expression}: a parenthesis is not closed`);
      return inner;
    }
    if (token === "not") {
      const negated = unary();
      return () => !negated();
    }
    if (token.startsWith('"')) return () => JSON.parse(token) as string;
    if (!/^pipeline\.[\w.-]+$/.test(token)) throw new Error(`${expression}: ${token} is not supported here`);
    return () => values[token] ?? null;
  };
  const binary =
    (
      operators: { readonly [operator: string]: (left: Deferred, right: Deferred) => Operand },
      operand: () => Deferred,
    ) =>
    (): Deferred => {
      let left = operand();
      for (let apply = operators[tokens[0] ?? ""]; apply !== undefined; apply = operators[tokens[0] ?? ""]) {
        tokens.shift();
        const [first, combine, second] = [left, apply, operand()];
        left = () => combine(first, second);
      }
      return left;
    };
  const startsWith = (left: Operand, right: Operand) => {
    if (typeof left !== "string" || typeof right !== "string")
      throw new Error(`${expression}: starts-with needs strings`);
    return left.startsWith(right);
  };
  const prefix = binary({ "starts-with": (left, right) => startsWith(left(), right()) }, unary);
  const equality = binary(
    { "==": (left, right) => left() === right(), "!=": (left, right) => left() !== right() },
    prefix,
  );
  const all = binary({ and: (left, right) => left() && right() }, equality);
  const any = binary({ or: (left, right) => left() || right() }, all);
  const value = any();
  if (tokens.length > 0) throw new Error(`${expression}: ${tokens[0]} is not supported here`);
  return Boolean(value());
}
