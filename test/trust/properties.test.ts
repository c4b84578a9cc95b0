import fc from "fast-check";
import {
  formatIssuer,
  formatSubject,
  PROJECT_CLAIM,
  parseSubject,
  type TrustRule,
  UUID,
} from "../../keyless/trust/circleci";
import { decideTrust } from "../../keyless/trust/decide";
import { explain } from "../../keyless/trust/explain";
import { fixTrust, lintTrust } from "../../keyless/trust/lint";
import { FORK, sampleId, sampleRepository } from "../../keyless/trust/lint/forgery";
import { trustPolicy } from "../../keyless/trust/policy";
import { providerArn } from "../../keyless/trust/provider";
import { isRefName } from "../../keyless/trust/ref-name";
import type { Claims } from "../../keyless/trust/token";
import { configurableRefName, gitRefName } from "./ref-names";
import { account, handMade, issuer, now, organization, project, repository, subjects } from "./tokens";

/** A job. The meaning of a rule is decided by these fields, not by the text of the subject. */
interface Job {
  readonly organization: string;
  readonly project: string;
  readonly user: string;
  /** Absent from V1 tokens and from tokens of webhook pipelines. */
  readonly source?: { readonly repository: string; readonly kind: "heads" | "tags"; readonly name: string };
  readonly audience: string;
}

// Few values, so that tokens and rules often have the same ones.
const ids = [
  "11111111-2222-4333-8444-555555555555",
  "11111111-2222-4333-8444-55555555555a",
  "ffffffff-ffff-4fff-bfff-ffffffffffff",
];
const id = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...ids) },
  { weight: 1, arbitrary: fc.stringMatching(UUID) },
);
const repositories = [
  "github.com/acme/site",
  "github.com/acme/site2",
  "github.com/acme/sit",
  "github.com/stranger/site",
  "gitlab.com/acme/a/site",
];
// Names that look like the text around them. The path of a repository is never a prefix of another one's path: because
// github.com/acme/site is a repository, github.com/acme/site/vcs-ref is not.
const adversarialRepositories = [
  "github.com/vcs-ref/refs",
  "gitlab.com/vcs-origin/github.com/acme/site",
  "gitlab.com/x/vcs-origin/github.com/acme/site/vcs-ref/refs/heads/main",
  "github.com/acme/*",
  "github.com/acme/s?te",
  "github.com/Acme/Site",
];
const names = [
  "main",
  "Main",
  "mai",
  "main2",
  "release/1",
  "release/",
  "release",
  "release/a/b",
  "v1",
  "v",
  "v*",
  "vx/../main",
];
const adversarialNames = names.flatMap((name) => [
  `e/vcs-origin/github.com/acme/site/vcs-ref/refs/heads/${name}`,
  `vcs-ref/refs/heads/${name}`,
  `refs/heads/${name}`,
  `user/${ids[0]}/vcs-origin/github.com/acme/site/vcs-ref/refs/tags/${name}`,
  `${name}/vcs-ref/refs/heads/${name}`,
  `${name}\u200b`,
  `${name}é/日本`,
]);
const refName = fc.oneof(
  fc.constantFrom(...names),
  fc.constantFrom(...adversarialNames),
  fc.string({ minLength: 1, unit: "grapheme" }),
  gitRefName,
);

const job: fc.Arbitrary<Job> = fc.record({
  organization: fc.oneof({ weight: 9, arbitrary: fc.constant(organization) }, { weight: 1, arbitrary: id }),
  project: id,
  user: id,
  source: fc.option(
    fc.record({
      repository: fc.constantFrom(...repositories, ...adversarialRepositories),
      kind: fc.constantFrom("heads" as const, "tags" as const),
      name: refName,
    }),
    { nil: undefined, freq: 8 },
  ),
  audience: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(organization, "vault") },
    { weight: 1, arbitrary: fc.string() },
  ),
});

// Rules that the configuration accepts: wildcards at the end of a name only.
const ruleName = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("main", "release/*", "release/1", "v*", "*", "mai*", "é*") },
  { weight: 1, arbitrary: configurableRefName },
);
const users = fc.option(fc.uniqueArray(id, { minLength: 1, maxLength: 2 }), { nil: undefined });
const anyRefRule = fc.record({ project: id, refs: fc.constant("any" as const), users });
const refRule = fc
  .record({
    project: id,
    repository: fc.constantFrom(...repositories),
    branches: fc.uniqueArray(ruleName, { maxLength: 2 }),
    tags: fc.uniqueArray(ruleName, { maxLength: 2 }),
    users,
  })
  .filter(({ branches, tags }) => branches.length + tags.length > 0);
const subjectRule = fc.record({ project: id, user: fc.option(id) }).map(({ project, user }) => ({
  subject: `org/${organization}/project/${project}/${user === null ? "*" : `user/${user}`}`,
}));
const trust = fc.record({
  rules: fc.array(fc.oneof(anyRefRule, refRule, subjectRule) as fc.Arbitrary<TrustRule>, {
    minLength: 1,
    maxLength: 3,
  }),
  audiences: fc.constantFrom<string[]>([organization], [organization, "vault"]),
});

/** Whether a rule is meant to trust a job. */
function means(rule: TrustRule, { project, user, source }: Job): boolean {
  if ("subject" in rule) {
    const [, , , wanted, rest, only] = rule.subject.split("/");
    return project === wanted && (rest === "*" || (user === only && source === undefined));
  }
  if (project !== rule.project) return false;
  if (rule.users !== undefined && !rule.users.includes(user)) return false;
  if ("refs" in rule) return true;
  if (source === undefined || source.repository !== rule.repository) return false;
  const wanted = (source.kind === "heads" ? rule.branches : rule.tags) ?? [];
  return wanted.some((name) => (name.endsWith("*") ? source.name.startsWith(name.slice(0, -1)) : source.name === name));
}

function claimsOf({ organization, project, user, source, audience }: Job): Claims {
  const where = source && { repository: source.repository, ref: `refs/${source.kind}/${source.name}` };
  return {
    iss: `https://${formatIssuer({ organization })}`,
    aud: audience,
    sub: formatSubject({ organization, project, user, ...where }),
    [PROJECT_CLAIM]: project,
  };
}

function isTrusted(document: ReturnType<typeof trustPolicy>, claims: Claims): boolean {
  return decideTrust(document, claims, account, now).outcome === "allowed";
}

test("a trust policy trusts exactly the jobs of its rules, for any names of branches, tags and repositories", () => {
  let allowed = 0;
  fc.assert(
    fc.property(trust, fc.array(job, { minLength: 20, maxLength: 20 }), ({ rules, audiences }, jobs) => {
      const document = trustPolicy({
        providerArn: providerArn(issuer, account),
        issuer,
        organizationId: organization,
        audiences,
        rules,
      });
      for (const job of jobs) {
        const meant =
          job.organization === organization &&
          audiences.includes(job.audience) &&
          rules.some((rule) => means(rule, job));
        allowed += Number(meant);
        if (isTrusted(document, claimsOf(job)) !== meant)
          throw new Error(`${JSON.stringify(claimsOf(job))}: meant ${meant}`);
      }
    }),
    { numRuns: 400 },
  );
  expect(allowed).toBeGreaterThan(200);
});

test("the explanation allows exactly the tokens that the trust policy trusts, and has a remedy for all others", () => {
  fc.assert(
    fc.property(trust, job, ({ rules, audiences }, job) => {
      const document = trustPolicy({
        providerArn: providerArn(issuer, account),
        issuer,
        organizationId: organization,
        audiences,
        rules,
      });
      const claims = { ...claimsOf(job), exp: now.getTime() / 1000 + 60 };
      const { decision, remedy, mismatch } = explain({
        claims,
        trustPolicy: document,
        account,
        audiences,
        now,
      });
      expect(decision).toBe(isTrusted(document, claims) ? "allowed" : "refused");
      expect(remedy === undefined).toBe(decision === "allowed");
      if (mismatch !== undefined)
        expect(mismatch.firstDifference).toBeLessThanOrEqual((mismatch.actual[0] ?? "").length);
    }),
    { numRuns: 2000 },
  );
});

test("the parts of a formatted subject are parsed correctly, for any branch name", () => {
  fc.assert(
    fc.property(
      id,
      id,
      id,
      fc.constantFrom(...repositories),
      refName,
      (organization, project, user, repository, name) => {
        const parts = { organization, project, user, repository, ref: `refs/heads/${name}` };
        expect({ ...parseSubject(formatSubject(parts)) }).toEqual(parts);
      },
    ),
  );
});

test("a branch name can forge CircleCI's documented pattern, but not the pattern of a rule", () => {
  const documented = `org/${organization}/project/${project}/user/*/vcs-origin/${repository}/vcs-ref/refs/heads/main`;
  const ours = trustPolicy({
    providerArn: providerArn(issuer, account),
    issuer,
    organizationId: organization,
    audiences: [organization],
    rules: [{ project, repository, branches: ["main"] }],
  });
  const push = (name: string) =>
    claimsOf({
      organization,
      project,
      user: ids[2] ?? "",
      audience: organization,
      source: { repository, kind: "heads", name },
    });
  const evil = `e/vcs-origin/${repository}/vcs-ref/refs/heads/main`;
  expect(isRefName(evil)).toBe(true);
  expect([
    isTrusted(handMade(subjects(documented)), push("main")),
    isTrusted(handMade(subjects(documented)), push(evil)),
  ]).toEqual([true, true]);
  expect([isTrusted(ours, push("main")), isTrusted(ours, push(evil))]).toEqual([true, false]);
});

test("a forging branch that the lint finds is valid in git and is trusted, for any pattern with wildcards", () => {
  const words = [
    "*",
    "?",
    "/user/",
    "/vcs-origin/",
    repository,
    "/vcs-ref/",
    "refs/heads/",
    "refs/tags/",
    "main",
    "release/*",
    ids[0] ?? "",
    "????????-????-????-????-????????????",
  ];
  const pattern = fc
    .array(fc.constantFrom(...words), { maxLength: 8 })
    .map((list) => `org/${organization}/project/${project}${list.join("")}`);
  let forged = 0;
  fc.assert(
    fc.property(pattern, (value) => {
      const found = lintTrust({ trustPolicy: handMade(subjects(value)) }).find(({ branch }) => branch !== undefined);
      if (found?.branch === undefined) return;
      forged++;
      expect(isRefName(found.branch)).toBe(true);
      const { user, repository } = parseSubject(value) ?? {};
      const like = { organization, project, user: sampleId(user), repository: sampleRepository(repository) };
      expect(like.user).toMatch(UUID);
      const source = {
        repository: found.severity === "error" ? like.repository : FORK,
        kind: "heads",
        name: found.branch,
      } as const;
      const claims = claimsOf({ ...like, audience: organization, source });
      expect(isTrusted(handMade(subjects(value)), claims)).toBe(true);
    }),
    { numRuns: 2000 },
  );
  expect(forged).toBeGreaterThan(20);
});

test("a rule that the configuration accepts has no findings, unless the role is an administrator", () => {
  fc.assert(
    fc.property(fc.oneof(anyRefRule, refRule), (rule) => {
      const document = trustPolicy({
        providerArn: providerArn(issuer, account),
        issuer,
        organizationId: organization,
        audiences: [organization],
        rules: [rule],
      });
      expect(lintTrust({ trustPolicy: document })).toEqual([]);
    }),
  );
});

/** Random trust policies, most of them malformed or overly permissive. */
function anyPolicy(): fc.Arbitrary<unknown> {
  const operators = [
    "StringEquals",
    "StringLike",
    "StringNotLike",
    "StringEqualsIgnoreCase",
    "StringLikeIfExists",
    "ForAllValues:StringLike",
    "ForAnyValue:StringEquals",
    "ArnLike",
    "Null",
    "Bool",
    "Nonsense",
  ];
  const keys = [`${issuer}:aud`, `${issuer}:sub`, `${issuer}:vcs-ref`, `https://${issuer}:sub`, "aws:SourceIp", "x"];
  const values = [
    "*",
    organization,
    `org/${organization}/*`,
    `org/${organization}/project/${project}/user/*/vcs-ref/refs/heads/main`,
    "${aws:x}",
    "true",
    "org/x",
  ];
  const oneOrMany = <T>(item: fc.Arbitrary<T>) => fc.oneof(item, fc.array(item, { maxLength: 3 }));
  const conditions = fc.dictionary(
    fc.constantFrom(...operators),
    fc.dictionary(fc.constantFrom(...keys), oneOrMany(fc.constantFrom(...values))),
  );
  const principals = [{ Federated: providerArn(issuer, account) }, "*", { AWS: ["*"] }, {}, "x", 3];
  const statement = fc.oneof(
    fc.record(
      {
        Effect: fc.constantFrom("Allow", "Deny", "allow"),
        Principal: fc.constantFrom<unknown>(...principals),
        NotPrincipal: fc.constantFrom<unknown>(...principals),
        Action: oneOrMany(fc.constantFrom("sts:AssumeRoleWithWebIdentity", "sts:*", "*", "x")),
        NotAction: fc.constantFrom("sts:AssumeRole", "*"),
        Condition: fc.oneof(
          { weight: 5, arbitrary: conditions as fc.Arbitrary<unknown> },
          { weight: 1, arbitrary: fc.jsonValue() },
        ),
      },
      { requiredKeys: ["Effect"] },
    ) as fc.Arbitrary<unknown>,
    fc.jsonValue(),
  );
  const policy: fc.Arbitrary<unknown> = fc.record({
    Version: fc.constant("2012-10-17"),
    Statement: oneOrMany(statement),
  });
  return policy;
}

test("the lint accepts any trust policy, and a fixed policy has no fixable findings", () => {
  fc.assert(
    fc.property(
      fc.oneof({ weight: 9, arbitrary: anyPolicy() }, { weight: 1, arbitrary: fc.jsonValue() }),
      (trustPolicy) => {
        const fixed = fixTrust({ trustPolicy });
        if (fixed !== undefined)
          expect(lintTrust({ trustPolicy: fixed }).filter((finding) => finding.fixed !== undefined)).toEqual([]);
      },
    ),
    { numRuns: 500 },
  );
});

test("the explanation of any trust policy allows no token that the engine refuses", () => {
  fc.assert(
    fc.property(anyPolicy(), job, (policy, job) => {
      const document = policy as ReturnType<typeof trustPolicy>;
      const claims = { ...claimsOf(job), exp: now.getTime() / 1000 + 60 };
      const { decision } = explain({
        claims,
        trustPolicy: document,
        account,
        audiences: [job.audience],
        now,
      });
      if (decision === "allowed") expect(isTrusted(document, claims)).toBe(true);
      if (decision === "refused" && claims.iss === `https://${issuer}`) expect(isTrusted(document, claims)).toBe(false);
    }),
    { numRuns: 1000 },
  );
});
