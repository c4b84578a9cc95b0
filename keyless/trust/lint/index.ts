import { grantsAdministrator, type RolePolicy } from "../../policy/administrator";
import { type PolicyDocument, statements } from "../../policy/document";
import { evaluate } from "../../policy/evaluate";
import { normalizePolicy } from "../../policy/normal-form";
import { formatIssuer, formatRef, formatSubject, organizationOf } from "../circleci";
import { decideTrust, isRequestKey, webIdentityRequest } from "../decide";
import { issuerOfArn, parseProviderArn, providerArn } from "../provider";
import {
  ASSUME,
  hasWildcardPrincipal,
  issuersOf,
  type ReadStatement,
  readStatements,
  type TrustStatement,
  trustedSubjects,
  trustStatements,
  trustsCircleCi,
} from "../statement";
import { conditionPath, type LintFinding, lintFinding } from "./findings";
import { NO_ACCOUNT, NO_PROJECT, withConditions, withSubject } from "./fix";
import { sampleJob } from "./forgery";
import { lintStatement } from "./rules";

/** A trust policy and the role that has it. */
export interface LintInput {
  /** Any JSON value: one that is not a policy is a finding. */
  readonly trustPolicy: unknown;
  /** The role's permissions. Default: unknown. */
  readonly policies?: readonly RolePolicy[];
  /** The hosts of CircleCI servers whose issuers are accepted in addition to circleci.com's. Default: none. */
  readonly servers?: readonly string[];
  /** The role's account; AWS accepts only tokens of providers in that account. Default: unknown. */
  readonly accountId?: string;
}

/**
 * Finds overly permissive and ineffective trust in CircleCI. Other trusted principals are reported, but the conditions
 * on them are not judged.
 */
export function lintTrust({ trustPolicy, policies = [], servers = [], accountId }: LintInput): LintFinding[] {
  const { fault } = normalizePolicy(trustPolicy);
  if (fault !== undefined) return [malformed({}, "", fault)];
  const document = trustPolicy as PolicyDocument;
  const faults = lintForm(document);
  const read = readStatements(document);
  const trusts = read.flatMap((statement) => trustStatements(statement, servers));
  const noTrust = lintFinding("no-circleci-trust", {}, "Statement", {
    problem: `no statement allows ${ASSUME} for a CircleCI issuer`,
    attack: "none through CircleCI",
  });
  return [
    ...faults,
    ...read.flatMap((statement) => lintPrincipal(statement, servers, accountId)),
    ...trusts.flatMap(lintStatement),
    ...lintAdministrator(document, trusts, policies),
    ...(faults.length > 0 || trustsCircleCi(document, servers) ? [] : [noTrust]),
  ];
}

/**
 * The trust policy with every fixable finding fixed, except those in `accepted`. Undefined if nothing is to be fixed. The
 * policy can contain placeholders: see {@link LintFinding.fixed}.
 */
export function fixTrust(input: LintInput, accepted: readonly string[] = []): PolicyDocument | undefined {
  let document: PolicyDocument | undefined;
  // A fixed statement can have another finding, but never the same one again, so the loop ends.
  for (const seen = new Set<string>(); ; ) {
    const trustPolicy = document ?? (input.trustPolicy as PolicyDocument);
    const next = lintTrust({ ...input, trustPolicy }).find(
      ({ name, fixed }) => fixed !== undefined && !accepted.includes(name),
    );
    const state = JSON.stringify(trustPolicy);
    if (next?.fixed === undefined || seen.has(state)) return document;
    seen.add(state);
    const { statement, fixed } = next;
    document = {
      ...trustPolicy,
      Statement: statements(trustPolicy).map((each, index) => (index === statement ? fixed : each)),
    };
  }
}

function malformed(read: { readonly index?: number }, path: string, problem: string): LintFinding {
  const attack = "the effect is undefined: AWS may reject or reinterpret the policy";
  return lintFinding("malformed-policy", read, path, { problem, attack });
}

/** Parts that the policy engine cannot evaluate. */
function lintForm(document: PolicyDocument): LintFinding[] {
  const claims = { iss: `https://${formatIssuer({ organization: NO_PROJECT })}`, aud: "", sub: "" };
  // Without the option `unknownKey`: it would skip the form of conditions on keys that the issuer does not have.
  const { policies } = evaluate(
    { resource: [{ name: "trust policy", document }] },
    webIdentityRequest(claims, NO_ACCOUNT, new Date(0)),
  );
  return normalizePolicy(document).statements.flatMap(({ fault }, index) => {
    const { elements = [], conditions = [] } = policies[0]?.statements[index] ?? {};
    const parts = [
      { path: "", note: fault, verdict: fault === undefined ? "matched" : "unsupported" },
      ...elements.map(({ element, ...part }) => ({ ...part, path: `.${element}` })),
      ...conditions.map((condition) => ({ ...condition, path: conditionPath(condition) })),
    ];
    return parts
      .filter(({ verdict }) => verdict === "unsupported")
      .map(({ path, note = "it cannot be evaluated" }) => malformed({ index }, path, note));
  });
}

/** Trusted principals other than CircleCI's issuers. */
function lintPrincipal(read: ReadStatement, servers: readonly string[], accountId?: string): LintFinding[] {
  const { Effect, Principal = [], NotPrincipal } = read.normalized;
  if (Effect !== "Allow") return [];
  if (hasWildcardPrincipal(read.normalized)) {
    const { Principal: _, NotPrincipal: __, Effect: ___, ...rest } = read.statement;
    const [{ issuer } = { issuer: formatIssuer({ organization: NO_PROJECT }) }] = issuersOf({
      ...read.normalized,
      Principal: [],
    });
    const finding = lintFinding("any-principal", read, NotPrincipal === undefined ? ".Principal" : ".NotPrincipal", {
      problem: "the statement applies to every principal instead of one issuer's provider",
      attack:
        "any identity that meets the conditions can assume the role: through every OIDC provider of the account and, if the action allows it, from every AWS account",
      fixed: { Effect, Principal: { Federated: providerArn(issuer, NO_ACCOUNT) }, ...rest },
    });
    return [finding];
  }
  return Principal.flatMap(({ kind, id }) => {
    if (kind !== "Federated" || organizationOf(issuerOfArn(id), servers) === undefined) {
      return lintFinding("other-principal", read, `.Principal.${kind}`, {
        problem: `the role also trusts ${id}, which is not a CircleCI issuer`,
        attack: `anyone who controls ${id} can assume the role without CircleCI`,
      });
    }
    if (accountId === undefined || parseProviderArn(id)?.accountId === accountId) return [];
    return lintFinding("other-principal", read, `.Principal.${kind}`, {
      problem: `${id} is not a provider of the role's account, ${accountId}`,
      attack: "none: AWS accepts only tokens of the account's own providers",
    });
  });
}

/** An administrator's permissions for jobs of any ref; depends on all statements and on the role's policies. */
function lintAdministrator(
  document: PolicyDocument,
  trusts: readonly TrustStatement[],
  policies: readonly RolePolicy[],
): LintFinding[] {
  const open = trusts.find((trust) => trust.normalized.Effect === "Allow" && trustsAnyRef(document, trust));
  if (open === undefined) return [];
  // "unknown" is no finding: an error stops the synthesis, and of most managed policies only the ARN is known.
  const administrator = policies.find((policy) => grantsAdministrator(policy) === "yes");
  if (administrator === undefined) return [];
  return [
    lintFinding("administrator-any-ref", open, "", {
      problem: `any ref is trusted, and the policy ${administrator.name} grants administrator permissions`,
      attack: "anyone who can push a branch or a tag, reviewed or not, can take over the account",
      fixed: withSubject(open, trustedSubjects(open)[0]?.parts),
    }),
  ];
}

/** Whether jobs of a branch or tag with an arbitrary name, or V1 tokens, are trusted. */
function trustsAnyRef(document: PolicyDocument, trust: TrustStatement): boolean {
  const { issuer, organization, account = NO_ACCOUNT, conditions } = trust;
  const aud = conditions.find(({ claim }) => claim === "aud")?.values[0] ?? organization;
  const open = withoutRequestConditions(document);
  const isTrusted = (sub: string) =>
    decideTrust(open, { iss: `https://${issuer}`, aud, sub }, account).outcome === "allowed";
  return sampleSubjects(trust).some(isTrusted);
}

/** Subjects that match the statement's patterns apart from their refs, with refs that no policy would list. */
function sampleSubjects(trust: TrustStatement): string[] {
  const subjects = trustedSubjects(trust).map(({ parts }) => parts ?? {});
  return (subjects.length === 0 ? [{}] : subjects).flatMap((parts) => {
    const { repository, ...job } = sampleJob(parts, trust.organization);
    const refs = (["branch", "tag"] as const).map((kind) => formatRef({ kind, name: "f7c1e0b4-made-up" }));
    return [job, ...refs.map((ref) => ({ ...job, repository, ref }))].map(formatSubject);
  });
}

/** Removes the conditions on the request from Allow statements: assume that an attacker meets them. */
function withoutRequestConditions(document: PolicyDocument): PolicyDocument {
  const opened = new Map(
    readStatements(document)
      .filter(({ normalized }) => normalized.Effect === "Allow")
      .map((read) => [
        read.index,
        withConditions(
          read,
          read.normalized.conditions.filter(({ key }) => isRequestKey(key)),
        ),
      ]),
  );
  return { ...document, Statement: statements(document).map((each, index) => opened.get(index) ?? each) };
}
