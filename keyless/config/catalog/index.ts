import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compilePattern, matches } from "../../policy/pattern";
import { projectFolder } from "../../project-folder";

/** A service in a line: its prefix, then its actions. 0.5 MB, so it is read as text, and only the lines used are split. */
export const actionsFile = join(projectFolder, "keyless", "config", "catalog", "actions.txt");

/** The name of a policy in a line, with its path. */
export const managedPoliciesFile = join(projectFolder, "keyless", "config", "catalog", "managed-policies.txt");

/** The result for each argument is computed once: a configuration can have thousands of policies. */
function memoized<T>(compute: (key: string) => T): (key: string) => T {
  const results = new Map<string, T>();
  return (key) => {
    if (!results.has(key)) results.set(key, compute(key));
    return results.get(key) as T;
  };
}

const catalogText = memoized((file) => readFileSync(file, "utf8"));

/**
 * The actions of a service, without its prefix. Undefined if AWS publishes no service of that prefix.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
export const publishedActions = memoized((service): readonly string[] | undefined => {
  const text = catalogText(actionsFile);
  const start = text.indexOf(`\n${service.toLowerCase()} `);
  if (start < 0) return undefined;
  return text
    .slice(start + 1, text.indexOf("\n", start + 1))
    .split(" ")
    .slice(1);
});

/** Whether a service has an action of this name, or one that a pattern matches. Undefined if there is no such service. */
export const isPublishedAction = memoized((action): boolean | undefined => {
  const [service = "", name = ""] = action.toLowerCase().split(":");
  const pattern = compilePattern(name);
  return publishedActions(service)?.some((published) => matches(pattern, published.toLowerCase()));
});

/** The prefixes of the actions of all services. */
export function knownServices(): string[] {
  return [...catalogText(actionsFile).matchAll(/^[a-z0-9-]+(?= )/gm)].map(([service]) => service);
}

/**
 * The managed policies of AWS, with their paths, e.g. `service-role/AWSLambdaBasicExecutionRole`.
 *
 * @see https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
 */
export function awsManagedPolicies(): ReadonlySet<string> {
  return managedPolicies(managedPoliciesFile);
}

const managedPolicies = memoized(
  (file) =>
    new Set(
      catalogText(file)
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("#")),
    ),
);
