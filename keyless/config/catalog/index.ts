import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../../project-folder";

/** A service in a line: its prefix, then its actions. 0.5 MB, so it is read as text, and only the lines used are split. */
export const actionsFile = join(projectFolder, "keyless", "config", "catalog", "actions.txt");

/** The name of a policy in a line, with its path. */
export const managedPoliciesFile = join(projectFolder, "keyless", "config", "catalog", "managed-policies.txt");

const texts = new Map<string, string>();

function catalogText(file: string): string {
  const text = texts.get(file) ?? readFileSync(file, "utf8");
  texts.set(file, text);
  return text;
}

/**
 * The actions of a service, without its prefix. Undefined if AWS publishes no service of that prefix.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
export function publishedActions(service: string): readonly string[] | undefined {
  const text = catalogText(actionsFile);
  const start = text.indexOf(`\n${service.toLowerCase()} `);
  return start < 0
    ? undefined
    : text
        .slice(start + 1, text.indexOf("\n", start + 1))
        .split(" ")
        .slice(1);
}

/** The prefixes of the actions of all services. */
export function knownServices(): string[] {
  return [...catalogText(actionsFile).matchAll(/^[a-z0-9-]+(?= )/gm)].map(([service]) => service);
}

/**
 * The managed policies of AWS, with their paths, e.g. `service-role/AWSLambdaBasicExecutionRole`.
 *
 * @see https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
 */
export function awsManagedPolicies(): string[] {
  return catalogText(managedPoliciesFile)
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
}
