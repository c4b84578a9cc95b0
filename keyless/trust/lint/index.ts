import { grantsAdministrator, type RoleKnowledge, type RolePolicy } from "../../policy/administrator";
import { type PolicyDocument, statements } from "../../policy/document";
import { evaluate } from "../../policy/evaluate";
import { normalizePolicy } from "../../policy/normal-form";
import { CIRCLECI_CLOUD, formatIssuer, parseIssuer } from "../circleci";
import { webIdentityRequest } from "../decide";
import { issuerOfArn, parseProviderArn, providerArn } from "../provider";
import {
  ASSUME,
  hasWildcardPrincipal,
  issuersOf,
  NO_ID,
  type ReadStatement,
  readStatements,
  type TrustStatement,
  trustedSubjects,
  trustStatements,
  trustsCircleCi,
} from "../statement";
import { type Exposure, exposureOf } from "./exposure";
import { conditionPath, type LintFinding, lintFinding } from "./findings";
import { NO_ACCOUNT, withSubject } from "./fix";
import { lintStatement } from "./rules";

/** A trust policy and the role that has it. */
export interface LintInput {
  /** Any JSON value: one that is not a policy is a finding. */
  readonly trustPolicy: unknown;
  /** The role's permissions. Default: unknown. */
  readonly policies?: readonly RolePolicy[];
  /** Which roles are administrators, for policies that assume or pass one. Default: unknown. */
  readonly roles?: RoleKnowledge;
  /** The hosts of CircleCI servers whose issuers are accepted in addition to circleci.com's. Default: none. */
  readonly servers?: readonly string[];
  /** The role's account; AWS accepts only tokens of providers in that account. Default: unknown. */
  readonly accountId?: string;
  /**
   * The names of the policies that the role is meant to have. Each policy that makes an administrator is then reported,
   * whatever the trust: as an error if it is not one of these. Default: reported only if any ref is trusted.
   */
  readonly configuredPolicies?: readonly string[];
}

/**
 * Finds overly permissive and ineffective trust in CircleCI. Other trusted principals are reported, but the conditions
 * on them are not judged.
 */
export function lintTrust(input: LintInput): LintFinding[] {
  const { trustPolicy, servers = [], accountId } = input;
  const { fault } = normalizePolicy(trustPolicy);
  if (fault !== undefined) return [malformed({}, "", fault)];
  const document = trustPolicy as PolicyDocument;
  const faults = lintForm(document);
  const read = readStatements(document);
  const trusts = read.flatMap((statement) => trustStatements(statement, servers));
  const exposures = new Map(
    trusts
      .filter(({ normalized }) => normalized.Effect === "Allow")
      .map((trust) => [trust, exposureOf(document, trust, trusts)]),
  );
  const noTrust = lintFinding("no-circleci-trust", {}, "Statement", {
    problem: `no statement allows ${ASSUME} for a CircleCI issuer`,
    attack: "none through CircleCI",
  });
  return [
    ...faults,
    ...read.flatMap((statement) => lintPrincipal(statement, servers, accountId)),
    ...trusts.flatMap((trust) => lintStatement(trust, exposures.get(trust), trusts)),
    ...lintAdministrator(exposures, input),
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
  const claims = { iss: `https://${formatIssuer({ organization: NO_ID })}`, aud: "", sub: "" };
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
    const [{ issuer } = { issuer: formatIssuer({ organization: NO_ID }) }] = issuersOf({
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
    const issuer = issuerOfArn(id);
    const host = parseIssuer(issuer)?.host ?? issuer;
    if (kind !== "Federated" || ![CIRCLECI_CLOUD, ...servers].includes(host)) {
      return lintFinding("other-principal", read, `.Principal.${kind}`, {
        problem: `the role also trusts ${id}, which is not a known CircleCI issuer`,
        attack: `anyone who controls ${id} can assume the role`,
      });
    }
    if (accountId === undefined || parseProviderArn(id)?.accountId === accountId) return [];
    return lintFinding("other-principal", read, `.Principal.${kind}`, {
      problem: `${id} is not a provider of the role's account, ${accountId}`,
      attack: "none: AWS accepts only tokens of the account's own providers",
    });
  });
}

/**
 * Policies that make an administrator: of jobs of any ref, or, in an account, of any job. A policy that may make one is a
 * warning: of the jobs of any ref, or if it is not configured.
 */
function lintAdministrator(
  exposures: ReadonlyMap<TrustStatement, Exposure>,
  { policies = [], roles, configuredPolicies }: LintInput,
): LintFinding[] {
  const judged = policies
    // Of most managed policies only the ARN is known, which is no finding.
    .map(({ name, ...policy }) => ({ name, verdict: grantsAdministrator({ name, ...policy }, roles), ...policy }))
    .filter(({ verdict, document }) => verdict === "yes" || (verdict === "unknown" && document !== undefined))
    .sort((one, other) => Number(other.verdict === "yes") - Number(one.verdict === "yes"))
    .map(({ name, verdict }) => ({ name, verdict, grants: verdict === "yes" ? "grants" : "may grant" }));
  const exposed = (which: "anyRef" | "creatableRef") => [...exposures].find(([, exposure]) => exposure[which])?.[0];
  const anyRef = exposed("anyRef");
  const open = anyRef ?? (judged[0]?.verdict === "yes" ? exposed("creatableRef") : undefined);
  const first = open === undefined ? undefined : judged.shift();
  const findings = judged
    .map((policy) => ({ ...policy, isConfigured: configuredPolicies?.includes(policy.name) }))
    .filter(({ verdict, isConfigured }) => isConfigured === false || (isConfigured && verdict === "yes"))
    .map(({ name, verdict, grants, isConfigured }) =>
      lintFinding("administrator-policy", {}, `policies["${name}"]`, {
        severity: isConfigured || verdict === "unknown" ? "warning" : "error",
        problem: `the policy ${name} ${grants} administrator permissions${isConfigured ? "" : ", and config.ts does not attach it"}`,
        attack: `every job that the role trusts ${verdict === "yes" ? "can" : "may be able to"} take over the account`,
      }),
    );
  if (open === undefined || first === undefined) return findings;
  const { name, verdict, grants } = first;
  if (anyRef === undefined) {
    const finding = lintFinding("administrator-any-ref", open, "", {
      severity: "warning",
      problem: `tags or a pattern of branches are trusted, and the policy ${name} ${grants} administrator permissions`,
      attack:
        "anyone who can push can create a matching tag or branch and take over the account, unless a ruleset of the repository restricts who creates it",
    });
    return [finding, ...findings];
  }
  return [
    lintFinding("administrator-any-ref", open, "", {
      severity: verdict === "yes" ? "error" : "warning",
      problem: `any ref is trusted, and the policy ${name} ${grants} administrator permissions`,
      attack: `anyone who can push a branch or a tag, reviewed or not, ${verdict === "yes" ? "can" : "may be able to"} take over the account`,
      fixed: withSubject(open, trustedSubjects(open)[0]?.parts),
    }),
    ...findings,
  ];
}
