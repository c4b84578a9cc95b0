import { isDeepStrictEqual } from "node:util";
import * as v from "valibot";
import { UsageError } from "../errors";
import { ArgumentsError } from "../permissions/faults";
import type { PolicyDocument } from "../policy/document";
import { count } from "../text";
import { checkConfig } from "./checks";
import type { ConfigInput } from "./input";
import { describeProblem, distinctProblems, type Problem, type ProblemPath } from "./problem";
import { type Config, resolve } from "./resolved";
import { configSchema, policyDocumentSchema } from "./schema";
import { configWarnings } from "./warnings";

export type * from "./input";
export type * from "./resolved";

/** An invalid configuration. The message lists every problem with its path, value and fix. */
export class ConfigError extends UsageError {
  constructor(readonly problems: readonly Problem[]) {
    super(problemList(problems.map(describeProblem)));
    this.name = "ConfigError";
  }
}

/** The message for a configuration with problems, each described in a line. */
export function problemList(lines: readonly string[]): string {
  return `the configuration has ${count(lines.length, "problem")}:\n\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

/**
 * Checks a configuration and fills in its defaults.
 *
 * @throws {ConfigError} with every problem found: invalid fields, exceeded AWS quotas, and conflicts between
 * environments.
 */
export function defineConfig(input: ConfigInput): Config {
  const issues = issuesOf(configSchema, input);
  const problems = issues.map(problemOf);
  const checkable = wellFormedPart(input, issues);
  const config = resolve(checkable, (path, builder) => {
    try {
      const document: unknown = builder();
      if (typeof document === "function") throw new ArgumentsError("", [{ message: NOT_CALLED }]);
      const faults = issuesOf(policyDocumentSchema, document).map(problemOf);
      problems.push(...faults.map((fault) => ({ ...fault, path: [...path, ...fault.path] })));
      return faults.length === 0 ? (document as PolicyDocument) : undefined;
    } catch (error) {
      if (error instanceof ArgumentsError) {
        const faults = error.faults.map(({ field, ...fault }) => ({
          ...fault,
          path: [...path, ...(field ? [field] : [])],
        }));
        problems.push(...faults);
        return undefined;
      }
      problems.push({ path, message: `cannot be built: ${error instanceof Error ? error.message : error}` });
      return undefined;
    }
  });
  const isReported = ({ path }: Problem) => problems.some((other) => isDeepStrictEqual(other.path, path));
  problems.push(...checkConfig(checkable, config).filter((problem) => !isReported(problem)));
  if (problems.length > 0) throw new ConfigError(distinctProblems(problems));
  return { ...config, warnings: configWarnings(input, config).map(describeProblem) };
}

type Issue = v.BaseIssue<unknown>;

function issuesOf(schema: v.GenericSchema, value: unknown): Issue[] {
  return v.safeParse(schema, value).issues ?? [];
}

function problemOf({ path: steps, type, received, input: value, message }: Issue): Problem {
  const path = steps ?? [];
  const keys = path.map(({ key }) => (typeof key === "number" ? key : String(key)));
  const last = path.at(-1);
  // Written, e.g. as the value of a misspelt name, and not just left out.
  const isUndefined = received === "undefined" && last !== undefined && String(last.key) in (last.input as object);
  if (isUndefined)
    return { path: keys, message: "is undefined: write a value, or remove the field", isUndefined: true };
  // The value of an unknown field explains nothing.
  return { path: keys, message, ...(type !== "never" && type !== "custom" && { value }) };
}

const NOT_CALLED =
  'is a function that is not called: write publishStaticSite({ bucket: "…" }) or allowServices(["s3"]) instead of the name alone';

// Cross-field checks require that every field is present and has the correct type. They skip a role or environment where
// that is not so, or the whole configuration.
function wellFormedPart(input: ConfigInput, issues: readonly Issue[]): ConfigInput {
  const skipped = issues
    .filter(({ kind, type }) => kind === "schema" && type !== "never" && type !== "picklist")
    .map(problemOf)
    .map(({ path }) => path.slice(0, path[2] === "roles" ? 4 : 2));
  const isInList = ([field, ...rest]: ProblemPath) =>
    (field === "environments" || field === "trustTests") && rest.length > 0;
  if (!skipped.every(isInList)) return { circleci: { organizationId: "" }, environments: {} };
  const isChecked = (...path: string[]) => !skipped.some((other) => isDeepStrictEqual(other, path));
  const environments = Object.entries(input.environments)
    .filter(([name]) => isChecked("environments", name) && isChecked("environments", name, "roles"))
    .map(([name, environment]) => {
      const roles = Object.entries(environment.roles).filter(([role]) =>
        isChecked("environments", name, "roles", role),
      );
      return [name, { ...environment, roles: Object.fromEntries(roles) }];
    });
  // Trust tests refer to roles, so they are checked only when no role is skipped.
  const trustTests = skipped.length === 0 ? input.trustTests : undefined;
  return { ...input, environments: Object.fromEntries(environments), trustTests };
}
