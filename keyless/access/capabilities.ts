import { isDeepStrictEqual } from "node:util";
import type { Role } from "../config/resolved";
import type { EnvironmentScope } from "../permissions/scope";
import { writeStatements } from "../permissions/state";
import {
  type AdministratorVerdict,
  grantsAdministrator,
  isReadOnlyPolicy,
  type RoleKnowledge,
} from "../policy/administrator";
import type { PolicyDocument } from "../policy/document";
import { type NormalizedStatement, normalizePolicy, normalizeStatement } from "../policy/normal-form";

/** The access level of a policy. A policy that is not known to be read-only counts as `write`. */
export type Level = "read" | "write" | "administrator";

/** What one policy of a role allows. Deny statements and conditions are ignored, so it can overstate the access. */
export interface Capability {
  /** The policy's name. */
  readonly policy: string;
  /** What an inline policy allows in each service: `s3 read and write`. Empty for a managed policy. */
  readonly services: readonly string[];
  readonly level: Level;
  /** An inline policy may make an administrator: it depends on a condition, or on a role or compute outside of config.ts. */
  readonly possibleAdministrator?: true;
}

/**
 * What the policies of a role allow. Managed policies are described by their names only.
 *
 * @param roles which roles are administrators, for policies that assume or pass one. Default: unknown
 */
export function capabilitiesOf(
  { managedPolicyArns, inlinePolicies }: Pick<Role, "managedPolicyArns" | "inlinePolicies">,
  scope: EnvironmentScope,
  roles?: RoleKnowledge,
): Capability[] {
  return [
    ...managedPolicyArns.map((arn) => ({
      policy: policyName(arn),
      services: [],
      level: levelOf(grantsAdministrator({ name: arn }), !isReadOnlyPolicy(arn)),
    })),
    ...Object.entries(inlinePolicies).map(([policy, document]) => {
      const { services, writes } = allowedBy(document, scope);
      const verdict = grantsAdministrator({ name: policy, document }, roles);
      const possible = verdict === "unknown" && { possibleAdministrator: true as const };
      return { policy, services, level: levelOf(verdict, writes), ...possible };
    }),
  ];
}

function levelOf(verdict: AdministratorVerdict, writes: boolean): Level {
  if (verdict === "yes") return "administrator";
  return writes ? "write" : "read";
}

/** `publish: s3 read and write`. */
export function describeCapability({ policy, services }: Capability): string {
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
  return {
    services: [...state.services, ...servicesOf(others)],
    writes: state.writes || others.some(isWriteStatement),
  };
}

// The statements that this project builds for the state are recognized and summarized in one line.
function stateAccess(allowed: readonly NormalizedStatement[], scope: EnvironmentScope) {
  const built = new Map(
    writeStatements(scope)
      .map(normalizeStatement)
      .map((statement) => [statement.Sid, statement]),
  );
  const found = allowed.filter((statement) => isDeepStrictEqual(statement, built.get(statement.Sid)));
  const writes = found.some(isWriteStatement);
  const services = found.length === 0 ? [] : [`Terraform state ${writes ? "read and write" : "read"}`];
  return { statements: found, services, writes };
}

function isWriteStatement({ Action = [], NotAction }: NormalizedStatement): boolean {
  return NotAction !== undefined || Action.some((action) => !isReadAction(action));
}

function servicesOf(allowed: readonly NormalizedStatement[]): string[] {
  const found = new Map<string, Set<string>>();
  const add = (service: string, mode: string) => found.set(service, (found.get(service) ?? new Set()).add(mode));
  for (const { Action = [], NotAction } of allowed) {
    if (NotAction !== undefined) add("every service", `everything but ${NotAction.join(", ")}`);
    for (const action of Action) {
      const [service = "", name = "*"] = action.split(":");
      const mode = name === "*" ? "everything" : isReadAction(action) ? "read" : "write";
      add(/^\*+$/.test(service) ? "every service" : service.toLowerCase(), mode);
    }
  }
  return [...found].map(([service, modes]) => {
    const shown = modes.has("everything") ? ["everything"] : [...modes].sort();
    return `${service} ${shown.join(" and ")}`;
  });
}

// The verbs of AWS's access levels List and Read. Any other verb, or a wildcard in its place, counts as a write.
function isReadAction(action: string): boolean {
  return /^[^:*?]+:(Get|List|Describe|Head|BatchGet|Query|Scan|Select|Search|Lookup|Simulate|View|Decrypt)/i.test(
    action,
  );
}
