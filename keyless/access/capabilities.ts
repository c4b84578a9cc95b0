import { isDeepStrictEqual } from "node:util";
import type { Role } from "../config/resolved";
import type { EnvironmentScope } from "../permissions/scope";
import { lockStatements, writeStatements } from "../permissions/state";
import { grantsAdministrator, isReadOnlyPolicy, type RolePolicy } from "../policy/administrator";
import type { PolicyDocument } from "../policy/document";
import { type NormalizedStatement, normalizePolicy, normalizeStatement } from "../policy/normal-form";

/** How far a policy goes. What is not known to read only counts as `write`. */
export type Level = "read" | "write" | "administrator";

/** What one policy of a role allows, in words. Denials and conditions are left out: it says rather too much than too little. */
export interface Capability {
  /** The policy's name. */
  readonly policy: string;
  /** What an inline policy allows, service by service: `s3 read and write`. A managed policy's name says it. */
  readonly services: readonly string[];
  readonly level: Level;
}

/** What a role may do: its managed policies by name, its inline policies by what they say. */
export function capabilitiesOf(
  { managedPolicyArns, inlinePolicies }: Pick<Role, "managedPolicyArns" | "inlinePolicies">,
  scope: EnvironmentScope,
): Capability[] {
  return [
    ...managedPolicyArns.map((arn) => ({
      policy: policyName(arn),
      services: [],
      level: levelOf({ name: arn }, !isReadOnlyPolicy(arn)),
    })),
    ...Object.entries(inlinePolicies).map(([policy, document]) => {
      const { services, writes } = allowedBy(document, scope);
      return { policy, services, level: levelOf({ name: policy, document }, writes) };
    }),
  ];
}

// A policy that may make an administrator, under a condition for example, is shown by what it reads and writes.
function levelOf(policy: RolePolicy, writes: boolean): Level {
  if (grantsAdministrator(policy) === "yes") return "administrator";
  return writes ? "write" : "read";
}

/** A capability in a line: `publish: s3 read and write`. */
export function inWords({ policy, services }: Capability): string {
  return [policy, ...(services.length === 0 ? [] : [services.join(", ")])].join(": ");
}

/** The name at the end of a managed policy's ARN. */
export function policyName(arn: string): string {
  return arn.slice(arn.lastIndexOf("/") + 1);
}

function allowedBy(document: PolicyDocument, scope: EnvironmentScope) {
  const allowed = normalizePolicy(document).statements.filter(({ Effect }) => Effect === "Allow");
  const state = stateAccess(allowed, scope);
  const others = allowed.filter((statement) => !state.statements.includes(statement));
  return { services: [...state.services, ...servicesOf(others)], writes: state.writes || others.some(writes) };
}

// A plan holds the lock of Terraform's state. That writes to a table or an object, but changes nothing: the statements
// that this project makes for it are known again, and said in one line.
function stateAccess(allowed: readonly NormalizedStatement[], scope: EnvironmentScope) {
  const built = new Map(
    writeStatements(scope)
      .map(normalizeStatement)
      .map((statement) => [statement.Sid, statement]),
  );
  const locking = new Set(lockStatements(scope).map(({ Sid }) => Sid));
  const found = allowed.filter((statement) => isDeepStrictEqual(statement, built.get(statement.Sid)));
  const changes = found.some(({ Sid }) => !locking.has(Sid));
  const how = changes ? "read and write" : found.some(writes) ? "read, lock held" : "read";
  return { statements: found, services: found.length === 0 ? [] : [`Terraform state ${how}`], writes: changes };
}

function writes({ Action = [], NotAction }: NormalizedStatement): boolean {
  return NotAction !== undefined || Action.some((action) => !reads(action));
}

function servicesOf(allowed: readonly NormalizedStatement[]): string[] {
  const modes = new Map<string, Set<string>>();
  const add = (service: string, mode: string) => modes.set(service, (modes.get(service) ?? new Set()).add(mode));
  for (const { Action = [], NotAction } of allowed) {
    if (NotAction !== undefined) add("every service", `everything but ${NotAction.join(", ")}`);
    for (const action of Action) {
      const [service = "", name = "*"] = action.split(":");
      const mode = name === "*" ? "everything" : reads(action) ? "read" : "write";
      add(/^\*+$/.test(service) ? "every service" : service.toLowerCase(), mode);
    }
  }
  return [...modes].map(([service, found]) => {
    const words = found.has("everything") ? ["everything"] : [...found].sort();
    return `${service} ${words.join(" and ")}`;
  });
}

// The verbs of AWS's access levels List and Read; any other verb, and a wildcard in its place, counts as writing.
function reads(action: string): boolean {
  return /^[^:*?]+:(Get|List|Describe|Head|BatchGet|Query|Scan|Select|Search|Lookup|Simulate|View|Decrypt)/i.test(
    action,
  );
}
