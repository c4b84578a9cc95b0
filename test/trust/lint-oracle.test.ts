// @duration 12
// @cases 500
import fc from "fast-check";
import type { PolicyDocument } from "../../keyless/policy/document";
import { auditLogSubject, formatSubject } from "../../keyless/trust/circleci";
import { decideTrust } from "../../keyless/trust/decide";
import { lintTrust } from "../../keyless/trust/lint";
import type { Claims } from "../../keyless/trust/token";
import {
  account,
  handMade,
  issuer,
  now,
  organization,
  otherProject,
  otherUser,
  project,
  repository,
  user,
} from "./tokens";

const AUD = `${issuer}:aud`;
const SUB = `${issuer}:sub`;
const PROJECT_ID = `${issuer}:oidc.circleci.com/project-id`;
const ANY_ID = "????????-????-????-????-????????????";
const jobs = `org/${organization}/project/${project}`;
const start = `${jobs}/user/${ANY_ID}/vcs-origin/${repository}/vcs-ref`;

/** Part of a policy: conditions, and whether its author intends to trust every ref. */
interface Part {
  readonly operator: string;
  readonly key: string;
  readonly value: string | readonly string[];
  readonly anyRef: boolean;
}

const part = (operator: string, key: string, value: string | readonly string[], anyRef = true): Part => ({
  operator,
  key,
  value,
  anyRef,
});
const onSubject = (value: string, anyRef = false, operators = ["StringLike"]) =>
  operators.map((operator) => part(operator, SUB, value, anyRef));
const MAY_BE_OPTIONAL = ["StringLike", "StringLikeIfExists", "ForAllValues:StringLike", "ForAnyValue:StringLike"];

const audienceParts = [
  ...[
    "StringEquals",
    "StringLike",
    "ForAnyValue:StringEquals",
    "ForAllValues:StringEquals",
    "StringEqualsIfExists",
  ].map((operator) => part(operator, AUD, organization)),
  part("StringEquals", AUD, [organization, "vault"]),
  part("StringLike", AUD, "*"),
  part("StringLike", AUD, "vault*"),
  part("StringNotEquals", AUD, "x"),
  part("StringEquals", AUD, `\${${AUD}}`),
  part("Null", AUD, "false"),
  part("StringEquals", "aws:RequestTag/x:aud", organization),
];
const subjectParts = [
  ...onSubject(`${start}/refs/heads/main`, false, MAY_BE_OPTIONAL),
  ...onSubject(`${start}/refs/heads/release/*`),
  ...onSubject(`${start}/refs/tags/v*`),
  ...onSubject(`${start}/refs/heads/*main`),
  ...onSubject(`${start}/refs/*/main`),
  ...onSubject(`${start}/*main`),
  ...onSubject(`${start}/*/main`),
  ...onSubject(`${start}/*`, true),
  ...onSubject(`${start}/refs/heads/*`, true),
  ...onSubject(start.replace(ANY_ID, user).concat("/refs/heads/main"), false, ["StringLike", "StringEquals"]),
  ...onSubject(start.replace(ANY_ID, user).concat("/refs/heads/main"), false, ["StringEqualsIgnoreCase"]),
  ...onSubject(start.replace(ANY_ID, "*").concat("/refs/heads/main"), false, MAY_BE_OPTIONAL),
  ...onSubject(start.replace(repository, "*").concat("/refs/heads/main")),
  ...onSubject(start.replace(project, "*").concat("/refs/heads/main")),
  ...onSubject(`${jobs}/user/*`, true, MAY_BE_OPTIONAL),
  ...onSubject(`${jobs}/*`, true),
  ...onSubject(`${jobs}/*main`),
  ...onSubject(`${jobs}/*/vcs-ref/refs/heads/main`),
  ...onSubject(`org/${organization}/*`, true),
  ...onSubject(`org/${organization}/project/*`, true),
  ...onSubject(`org/${organization}/project/${project.slice(0, 8)}*`, true),
  ...onSubject(`org/${organization}/*/project/${project}/user/*`, true),
  ...onSubject(`*/project/${project}/user/*`, true),
  ...onSubject("*", true),
  ...onSubject(`\${${SUB}}`, true),
  part("StringNotLike", SUB, `${start}/refs/heads/dev`),
  part("StringNotLike", SUB, "*/refs/heads/e/*"),
  part("Null", SUB, "false"),
  part("StringLike", `aws:RequestTag/x:sub`, `${start}/refs/heads/main`),
  part("StringEquals", PROJECT_ID, project),
  part("StringLike", PROJECT_ID, "*"),
  part("StringNotEquals", PROJECT_ID, otherProject),
];

const exemptions = [
  part("StringNotLike", SUB, `${start}/refs/heads/main`, false),
  part("StringNotLike", SUB, start.replace(ANY_ID, "*").concat("/refs/heads/main"), false),
  part("StringNotLike", SUB, `${jobs}/*`),
  part("StringNotEquals", AUD, organization),
  part("StringNotEquals", PROJECT_ID, project),
  part("StringLike", SUB, `${jobs}/user/*/vcs-ref/refs/heads/dev`),
];

const candidates = [
  "main",
  "MAIN",
  "dev",
  "emain",
  "e/main",
  "zz",
  "release/1",
  "v1",
  "refs/heads/main",
  "x/main/y",
  `e/vcs-origin/${repository}/vcs-ref/refs/heads/main`,
  "e/vcs-ref/refs/heads/main",
  "e/refs/heads/main",
  `e/project/${project}/user/x`,
  `e/user/${user}/vcs-origin/${repository}/vcs-ref/refs/heads/main`,
  `e/vcs-origin/${repository}/vcs-ref/refs/heads/emain`,
  `e/vcs-origin/${repository}/vcs-ref/refs/tags/v1`,
];
/** Also in another folder than `e`, which a policy can exclude. */
const names = [...new Set(candidates.flatMap((name) => [name, name.replace(/^e\//, "q/")]))];
const listed = ["refs/heads/main", "refs/heads/release/1", "refs/tags/v1"];

/** An adversarial token. */
interface Token {
  readonly claims: Claims;
  /** The token is not to be accepted: of another project, or for another audience. */
  readonly isForeign: boolean;
  /** The branch or tag is one that a policy names. */
  readonly isListed: boolean;
}

/** Shares the beginning of its id with the project. */
const similarProject = project.replace("7777", "7778");

const AUDIENCES = [organization, "vault", "vault-evil", "https://evil.example"];

const tokens: Token[] = [
  token(auditLogSubject(organization), undefined, false),
  ...[project, otherProject, similarProject].flatMap((projectId) =>
    [user, otherUser].flatMap((who) => {
      const job = { organization, project: projectId, user: who };
      const sources = [repository, "github.com/stranger/site"].flatMap((source) =>
        ["refs/heads/", "refs/tags/"].flatMap((kind) => names.map((name) => [source, kind + name] as const)),
      );
      return [
        token(formatSubject(job), projectId, false),
        ...sources.map(([source, ref]) => {
          const isListed = source === repository && listed.includes(ref);
          return token(formatSubject({ ...job, repository: source, ref }), projectId, isListed);
        }),
      ];
    }),
  ),
];

function token(sub: string, projectId: string | undefined, isListed: boolean): Token {
  const pin = projectId !== undefined && { "oidc.circleci.com/project-id": projectId };
  const claims = { iss: `https://${issuer}`, aud: organization, sub, ...pin };
  return { claims, isForeign: projectId !== project, isListed };
}

function conditionOf(parts: readonly Part[]) {
  const condition: Record<string, Record<string, unknown>> = {};
  for (const { operator, key, value } of parts) condition[operator] = { ...condition[operator], [key]: value };
  return condition;
}

/** The parts without those that a later part with the same operator and key replaces. */
function effective(parts: readonly Part[]): Part[] {
  return [...new Map(parts.map((each) => [`${each.operator} ${each.key}`, each])).values()];
}

const policy = fc
  .record({
    audiences: fc.uniqueArray(fc.constantFrom(...audienceParts), { maxLength: 2 }),
    subjects: fc.uniqueArray(fc.constantFrom(...subjectParts), { maxLength: 3 }),
    exempt: fc.option(fc.constantFrom(...exemptions), { nil: undefined, freq: 3 }),
    avoided: fc.boolean(),
  })
  .map(({ audiences, subjects, exempt, avoided }) => {
    const parts = effective([...audiences, ...subjects]);
    const [allow] = handMade(conditionOf(parts)).Statement;
    const Statement: unknown[] = [allow];
    if (exempt !== undefined) {
      const tag = { StringEquals: { "aws:SourceVpc": "vpc-1" } };
      const condition = avoided ? { ...tag, ...conditionOf([exempt]) } : conditionOf([exempt]);
      Statement.push(...handMade(condition, { Effect: "Deny" }).Statement);
    }
    const limits = [...parts, ...(exempt === undefined || avoided ? [] : [exempt])];
    return {
      document: { Version: "2012-10-17", Statement } as unknown as PolicyDocument,
      anyRef: limits.every((each) => each.anyRef),
    };
  });

/** Tags of the session are chosen by the caller. */
const context = {
  "aws:RequestTag/x:aud": organization,
  "aws:RequestTag/x:sub": `${start}/refs/heads/main`.replaceAll("?", "a"),
};

/** The accepted tokens. With another audience, only those are tried that are accepted with the first one. */
function accepted(document: PolicyDocument): Token[] {
  let tried = tokens;
  return AUDIENCES.flatMap((aud): Token[] => {
    const found = tried
      .map((each) => ({
        ...each,
        claims: { ...each.claims, aud },
        isForeign: each.claims["oidc.circleci.com/project-id"] !== project || aud.includes("evil"),
      }))
      .filter(({ claims }) => decideTrust(document, claims, account, now, { context }).outcome === "allowed");
    if (found.length > 0 && tried === tokens) tried = found;
    return found;
  });
}

test("a trust policy that trusts an unintended token has a finding, and one that trusts no such token has no error", () => {
  const counts = { unintended: 0, intended: 0 };
  fc.assert(
    fc.property(policy, ({ document, anyRef }) => {
      const trusted = accepted(document);
      const unintended = trusted.filter(({ isForeign, isListed }) => isForeign || !(anyRef || isListed));
      const findings = lintTrust({ trustPolicy: document });
      if (unintended.length > 0) {
        counts.unintended++;
        if (findings.length === 0) throw new Error(`not reported: ${JSON.stringify(unintended[0]?.claims)}`);
        const isForeign = unintended.some((token) => token.isForeign);
        if (isForeign && findings.every(({ severity }) => severity === "warning"))
          throw new Error(`only a warning: ${JSON.stringify(unintended.find((token) => token.isForeign)?.claims)}`);
        return;
      }
      if (trusted.length === 0) return;
      counts.intended++;
      const errors = findings.filter(({ severity, name }) => severity === "error" && name !== "optional-condition");
      expect(errors).toEqual([]);
    }),
    { numRuns: 100 },
  );
  expect(Math.min(counts.unintended, counts.intended)).toBeGreaterThan(3);
});
