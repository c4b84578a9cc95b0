import { grantsAdministrator, type RolePolicy } from "../../policy/administrator";
import { asArray, isObject, type PolicyDocument, type Statement, statements } from "../../policy/document";
import { evaluate } from "../../policy/evaluate";
import { formatIssuer, formatRef, formatSubject, organizationOf } from "../circleci";
import { type Account, issuerOfArn, parseProviderArn, providerArn } from "../provider";
import {
  ASSUME,
  isAboutEverybody,
  isStatement,
  issuersOf,
  opensToCircleCi,
  readStatement,
  type TrustStatement,
  trustedSubjects,
} from "../statement";
import { isCallersKey, unknownKeyFor, webIdentityRequest } from "../token";
import { type Finding, finding } from "./findings";
import { NO_ACCOUNT, NO_PROJECT, withSubject } from "./fix";
import { jobLike } from "./forgery";
import { lintStatement } from "./rules";

/** A trust policy, and what is known of the role that has it. */
export interface LintInput {
  /** Any JSON value: what is no policy is a finding. */
  readonly trustPolicy: unknown;
  /** What the role may do, if known. */
  readonly policies?: readonly RolePolicy[];
  /** The hosts of CircleCI servers whose issuers count as CircleCI's, beside circleci.com's. Default: none. */
  readonly servers?: readonly string[];
  /** The role's account, if known: AWS takes the tokens of its own account's providers alone. */
  readonly accountId?: string;
}

/**
 * Finds what is wrong with a role's trust in CircleCI: whom it lets in that its author cannot mean, and what of it never
 * lets anybody in. Statements about other issuers, services and accounts are named and not judged.
 */
export function lintTrust({ trustPolicy, policies = [], servers = [], accountId }: LintInput): Finding[] {
  const malformed = lintForm(trustPolicy);
  if (malformed.some(({ where }) => where === "")) return malformed;
  const document = trustPolicy as PolicyDocument;
  const list = statements(document).flatMap((statement, index) =>
    isStatement(statement) ? [{ statement, index }] : [],
  );
  const trusts = list.flatMap(({ statement, index }) => readStatement(statement, index, servers));
  return [
    ...malformed,
    ...list.flatMap(({ statement, index }) => lintPrincipal(statement, `Statement[${index}]`, { servers, accountId })),
    ...trusts.flatMap(lintStatement),
    ...lintReach(document, trusts, policies),
    ...(malformed.length > 0 || trustsCircleCi(document, servers) ? [] : [trustsNobody()]),
  ];
}

/**
 * The trust policy with every finding mended that can be, save those that are left as they are by name. What it cannot
 * tell it fills in with what lets nobody in: see {@link Finding.fixed}. Undefined when there is nothing to mend.
 */
export function mend(input: LintInput, left: readonly string[] = []): PolicyDocument | undefined {
  let document: PolicyDocument | undefined;
  // A mended statement may show another finding, but never the same one again, so that this ends.
  for (const seen = new Set<string>(); ; ) {
    const trustPolicy = document ?? (input.trustPolicy as PolicyDocument);
    const next = lintTrust({ ...input, trustPolicy }).find(
      ({ name, fixed }) => fixed !== undefined && !left.includes(name),
    );
    const state = JSON.stringify(trustPolicy);
    if (next?.fixed === undefined || seen.has(state)) return document;
    seen.add(state);
    document = withStatement(trustPolicy, next.where, next.fixed);
  }
}

function withStatement(document: PolicyDocument, where: string, fixed: Statement): PolicyDocument {
  const at = Number(/^Statement\[(\d+)\]/.exec(where)?.[1]);
  return { ...document, Statement: statements(document).map((statement, index) => (index === at ? fixed : statement)) };
}

/** Whether a role is the business of this lint: it lets in tokens of a CircleCI issuer, or everybody. */
export function trustsCircleCi(document: PolicyDocument, servers: readonly string[] = []): boolean {
  return (
    isObject(document) &&
    statements(document).some((statement) => isStatement(statement) && opensToCircleCi(statement, servers))
  );
}

/** What the engine cannot read, AWS refuses to store, or reads in a way that nobody should rely on. */
function lintForm(trustPolicy: unknown): Finding[] {
  const [policy] = probe(trustPolicy).policies;
  if (policy?.unsupported !== undefined) return [malformed("", policy.unsupported)];
  const parts = (policy?.statements ?? []).flatMap(({ index, elements, conditions }) => [
    ...elements.map(({ element, ...part }) => ({ ...part, where: `Statement[${index}].${element}` })),
    ...conditions.map(({ operator, key, ...part }) => ({
      ...part,
      where: `Statement[${index}].Condition.${operator}["${key}"]`,
    })),
  ]);
  return [
    ...statementFaults(trustPolicy as PolicyDocument),
    ...parts.filter(({ verdict }) => verdict === "unsupported").map(({ where, note = "" }) => malformed(where, note)),
  ];
}

/** Faults of whole statements; told by statements without the parts, since one that does not match hides them. */
function statementFaults(document: PolicyDocument): Finding[] {
  const bare = asArray<unknown>(document.Statement as unknown).map((statement) => {
    if (!isObject(statement)) return statement;
    const { NotPrincipal, NotAction, Resource, NotResource, Condition, ...rest } = statement;
    return { ...rest, Principal: "*", Action: ASSUME };
  });
  return probe({ ...document, Statement: bare }).policies.flatMap(({ statements }) =>
    statements.flatMap(({ index, unsupported }) =>
      unsupported === undefined ? [] : [malformed(`Statement[${index}]`, unsupported)],
    ),
  );
}

function probe(trustPolicy: unknown) {
  const claims = { iss: `https://${formatIssuer({ organization: NO_PROJECT })}`, aud: "", sub: "" };
  const resource = [{ name: "trust policy", document: trustPolicy as PolicyDocument }];
  return evaluate({ resource }, webIdentityRequest(claims, NO_ACCOUNT, new Date(0)));
}

function malformed(where: string, problem: string): Finding {
  return finding("malformed-policy", where, {
    problem,
    attack: "nobody can say whom it lets in: AWS may refuse it, or read it in another way than its author",
  });
}

function trustsNobody(): Finding {
  return finding("no-circleci-trust", "Statement", {
    problem: "no statement allows sts:AssumeRoleWithWebIdentity for a CircleCI issuer: there is nothing to judge",
    attack: "none through CircleCI",
  });
}

/** Allows for others than CircleCI's jobs: everybody is an error, somebody is worth a look. */
function lintPrincipal(
  statement: Statement,
  place: string,
  { servers, accountId }: Pick<LintInput, "servers" | "accountId">,
): Finding[] {
  const { Effect, Principal, NotPrincipal, ...rest } = statement;
  if (Effect !== "Allow") return [];
  const entries = isObject(Principal)
    ? Object.entries(Principal).flatMap(([kind, ids]) => asArray(ids as string).map((id) => ({ kind, id: String(id) })))
    : [];
  if (isAboutEverybody(statement)) {
    const [issuer = formatIssuer({ organization: NO_PROJECT })] = issuersOf(rest as Statement);
    return [
      finding("any-principal", `${place}.${NotPrincipal === undefined ? "Principal" : "NotPrincipal"}`, {
        problem: "the statement is about everybody, not about one issuer's provider",
        attack:
          "whoever meets the conditions gets in, through any issuer that the account knows and, if the action allows it, from any AWS account",
        fixed: { Effect, Principal: { Federated: providerArn(issuer, NO_ACCOUNT) }, ...rest },
      }),
    ];
  }
  return entries.flatMap(({ kind, id }) => {
    const where = `${place}.Principal.${kind}`;
    if (kind !== "Federated" || organizationOf(issuerOfArn(id), servers) === undefined) {
      return finding("other-principal", where, {
        problem: `the role also trusts ${id}, which is not a CircleCI issuer`,
        attack: `whoever controls ${id} gets in without CircleCI`,
      });
    }
    if (accountId === undefined || parseProviderArn(id)?.accountId === accountId) return [];
    return finding("other-principal", where, {
      problem: `${id} is not a provider of the role's account, ${accountId}`,
      attack: "none: AWS takes the tokens of the account's own providers alone, so nobody gets in by it",
    });
  });
}

/** What only all statements together tell: whether refs of any name get in, and to an administrator's permissions. */
function lintReach(
  document: PolicyDocument,
  trusts: readonly TrustStatement[],
  policies: readonly RolePolicy[],
): Finding[] {
  const open = trusts.find((trust) => trust.allows && letsInAnyRef(document, trust));
  if (open === undefined) return [];
  // "unknown" is no finding: an error stops the synthesis, and of most managed policies only the ARN is known.
  const administrator = policies.find((policy) => grantsAdministrator(policy) === "yes");
  if (administrator === undefined) return [];
  return [
    finding("administrator-any-ref", open.place, {
      problem: `refs of any name get in, and the policy ${administrator.name} lets the role give itself every permission`,
      attack: "whoever can push a branch or a tag, reviewed or not, owns the account",
      fixed: withSubject(open, trustedSubjects(open)[0]?.parts),
    }),
  ];
}

function accountOf({ statement }: TrustStatement): Account {
  const [, partition, accountId] = /arn:([^:"]+):iam::(\d{12}):/.exec(JSON.stringify(statement.Principal ?? "")) ?? [];
  return partition === undefined || accountId === undefined ? NO_ACCOUNT : { partition, accountId };
}

/** Tries tokens of refs that nobody would name on purpose, otherwise as the statement's subjects want them. */
function letsInAnyRef(document: PolicyDocument, trust: TrustStatement): boolean {
  const { issuer, organization, conditions } = trust;
  const aud = conditions.find(({ claim }) => claim === "aud")?.values[0] ?? organization;
  const resource = [{ name: "trust policy", document: withoutCallersConditions(document) }];
  return unlikelySubjects(trust).some((sub) => {
    const claims = { iss: `https://${issuer}`, aud, sub };
    const request = webIdentityRequest(claims, accountOf(trust), new Date());
    return evaluate({ resource }, request, { unknownKey: unknownKeyFor(issuer) }).outcome === "allowed";
  });
}

function unlikelySubjects(trust: TrustStatement): string[] {
  const subjects = trustedSubjects(trust).map(({ parts }) => parts ?? {});
  return (subjects.length === 0 ? [{}] : subjects).flatMap((parts) => {
    const { repository, ...job } = jobLike(parts, trust.organization);
    const refs = (["branch", "tag"] as const).map((kind) => formatRef({ kind, name: "f7c1e0b4-made-up" }));
    return [job, ...refs.map((ref) => ({ ...job, repository, ref }))].map(formatSubject);
  });
}

/** An attacker may well be where such a condition wants the caller to be, so that it is taken for met. */
function withoutCallersConditions(document: PolicyDocument): PolicyDocument {
  const open = (statement: Statement): Statement => {
    if (!isStatement(statement) || statement.Effect !== "Allow" || statement.Condition === undefined) return statement;
    const kept = Object.entries(statement.Condition).map(([operator, keys]) => [
      operator,
      Object.fromEntries(Object.entries(keys).filter(([key]) => !isCallersKey(key))),
    ]);
    return { ...statement, Condition: Object.fromEntries(kept) };
  };
  return { ...document, Statement: asArray(document.Statement).map(open) };
}
