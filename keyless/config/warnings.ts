import { asArray, type PolicyDocument, statements } from "../policy/document";
import { closestName, didYouMean } from "../text";
import { awsManagedPolicies, isPublishedAction, knownServices, publishedActions } from "./catalog";
import type { ConfigInput } from "./input";
import { isKnownRegion, knownRegions } from "./partition";
import { distinctProblems, type Problem, type ProblemPath } from "./problem";
import type { Config, Environment, Role } from "./resolved";

/**
 * What is most likely a mistake and may be correct: names that the lists of AWS in this version do not have, policies
 * without a version, and a project with two repositories. In a policy that a function builds, the path is that of the call.
 */
export function configWarnings(input: ConfigInput, { environments }: Config): Problem[] {
  return distinctProblems([
    ...environments.flatMap((environment) => {
      const { name, permissionsBoundary, roles } = environment;
      const boundaryPath = ["environments", name, "permissionsBoundary"];
      const boundaryIsWritten = typeof input.environments[name]?.permissionsBoundary === "object";
      return [
        ...checkRegions(environment),
        ...(permissionsBoundary ? checkPolicy(permissionsBoundary.document, boundaryPath, boundaryIsWritten) : []),
        ...roles.flatMap((role) => checkPolicies(input, name, role)),
      ];
    }),
    ...checkRepositories(environments),
  ]);
}

function checkRegions({ name, region, state }: Environment): Problem[] {
  const places: readonly (readonly [ProblemPath, string])[] = [
    [["environments", name, "region"], region],
    ...(state.region === region ? [] : [[["environments", name, "state", "region"], state.region] as const]),
  ];
  return places
    .filter(([, value]) => !isKnownRegion(value))
    .map(([path, value]) => ({
      path,
      value,
      message: `is not a region that this version knows: correct it, unless it is new${didYouMean(closestName(value, knownRegions()))}`,
    }));
}

function checkPolicies(input: ConfigInput, environment: string, role: Role): Problem[] {
  const path = ["environments", environment, "roles", role.name];
  const written = input.environments[environment]?.roles[role.name]?.inlinePolicies ?? {};
  return [
    ...role.managedPolicyArns.flatMap((arn, index) => checkManagedPolicy(arn, [...path, "managedPolicyArns", index])),
    ...Object.entries(role.inlinePolicies).flatMap(([policy, document]) =>
      checkPolicy(document, [...path, "inlinePolicies", policy], typeof written[policy] === "object"),
    ),
  ];
}

const AWS_MANAGED = "arn:aws:iam::aws:policy/";

function checkManagedPolicy(value: string, path: ProblemPath): Problem[] {
  const message = managedPolicyFault(value);
  return message === undefined ? [] : [{ path, value, message }];
}

/** The policies of other partitions are not in the list. */
const managedPolicyFault = remembered((value) => {
  if (!value.startsWith(AWS_MANAGED)) return undefined;
  const known = awsManagedPolicies();
  const name = value.slice(AWS_MANAGED.length);
  if (known.has(name)) return undefined;
  const names = [...known];
  const similar =
    names.find((other) => other.endsWith(`/${name}`) || other.startsWith(name)) ?? closestName(name, names);
  const suggestion = similar === undefined ? undefined : `${AWS_MANAGED}${similar}`;
  return `is not an AWS managed policy that this version knows: correct it, unless it is new${didYouMean(suggestion)}`;
});

/** A function that computes the fault of each value once: many roles have the same policies and actions. */
function remembered(faultOf: (value: string) => string | undefined): (value: string) => string | undefined {
  const faults = new Map<string, string | undefined>();
  return (value) => {
    if (!faults.has(value)) faults.set(value, faultOf(value));
    return faults.get(value);
  };
}

function checkPolicy(document: PolicyDocument, path: ProblemPath, isWritten: boolean): Problem[] {
  const isList = Array.isArray(document.Statement);
  return [
    ...(document.Version === undefined
      ? [
          {
            path,
            message: 'has no Version: add Version: "2012-10-17"; without it, AWS does not replace ${…} variables',
          },
        ]
      : []),
    ...statements(document).flatMap((statement, index) =>
      (["Action", "NotAction"] as const).flatMap((element) =>
        asArray(statement[element]).flatMap((action, at) => {
          const inStatement = [
            "Statement",
            ...(isList ? [index] : []),
            element,
            ...(Array.isArray(statement[element]) ? [at] : []),
          ];
          return checkAction(action, isWritten ? [...path, ...inStatement] : path);
        }),
      ),
    ),
  ];
}

function checkAction(value: string, path: ProblemPath): Problem[] {
  const message = actionFault(value);
  return message === undefined ? [] : [{ path, value, message }];
}

const actionFault = remembered((value) => {
  const [service = "", name = ""] = value.split(":");
  if (/[*?]/.test(service) || isPublishedAction(value)) return undefined;
  const actions = publishedActions(service);
  const unlessNew = "correct it, unless it is new";
  if (actions === undefined) {
    const similar = closestName(service, knownServices());
    const suggestion = similar === undefined ? undefined : `${similar}:${name}`;
    return `names no service that AWS publishes: ${unlessNew}${didYouMean(suggestion)}`;
  }
  const similar = /[*?]/.test(name) ? undefined : closestName(name, actions);
  const suggestion = similar === undefined ? undefined : `${service}:${similar}`;
  return `is not an action that AWS publishes: ${unlessNew}${didYouMean(suggestion)}`;
});

/** Trust tests are not compared: a fork has the project of another repository. */
function checkRepositories(environments: readonly Environment[]): Problem[] {
  const first = new Map<string, string>();
  const reported = new Set<string>();
  return environments.flatMap(({ name, roles }) =>
    roles.flatMap((role) =>
      role.trust.flatMap((rule, index): Problem[] => {
        if (!("repository" in rule)) return [];
        const { project, repository: value } = rule;
        const other = first.get(project) ?? value;
        first.set(project, other);
        if (other === value || reported.has(project)) return [];
        reported.add(project);
        const path = ["environments", name, "roles", role.name, "trust", index, "repository"];
        const message = `is the second repository of project ${project}, after "${other}"; a CircleCI project has one: correct the project or the repository, unless the repository is being renamed`;
        return [{ path, value, message }];
      }),
    ),
  );
}
