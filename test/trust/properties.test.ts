import fc from "fast-check";
import { formatIssuer, formatSubject, parseSubject, type TrustRule, UUID } from "../../keyless/trust/circleci";
import { decideTrust } from "../../keyless/trust/decide";
import { explain } from "../../keyless/trust/explain";
import { fixTrust, lintTrust } from "../../keyless/trust/lint";
import { forgingBranch, sampleJob } from "../../keyless/trust/lint/forgery";
import { trustPolicy } from "../../keyless/trust/policy";
import { providerArn } from "../../keyless/trust/provider";
import { isRefName } from "../../keyless/trust/ref-name";
import type { Claims } from "../../keyless/trust/token";
import { configurableRefName, gitRefName } from "./ref-names";
import { account, handMade, issuer, now, organization, project, repository, subjects } from "./tokens";

/** A job as CircleCI knows it. What a rule means is told on these fields alone, never on the subject's text. */
interface Job {
  readonly organization: string;
  readonly project: string;
  readonly user: string;
  /** Absent from V1 tokens, and from those of a webhook's pipeline. */
  readonly source?: { readonly repository: string; readonly kind: "heads" | "tags"; readonly name: string };
  readonly audience: string;
}

// Few of each, so that tokens and rules often name the same.
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
// Names that are made to look like the text around them. No repository has one that is trusted for a folder: where
// github.com/acme/site is, github.com/acme/site/vcs-ref cannot be.
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

// Rules as the configuration takes them: a wildcard only at a name's end.
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

/** What a rule means, in the terms of jobs. */
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
  };
}

function isTrusted(document: ReturnType<typeof trustPolicy>, claims: Claims): boolean {
  return decideTrust(document, claims, account, now).outcome === "allowed";
}

test("the deployed trust lets in exactly whom the rules mean, whatever branches, tags and repositories are called", () => {
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

test("the explanation lets in exactly whom the trust lets in, and has a remedy for everybody else", () => {
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

test("a subject's parts are read back as they were written, whatever the branch is called", () => {
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

test("the pattern that CircleCI documents is forged by a branch's name, ours is not", () => {
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

test("of any pattern with wildcards, a branch that the lint names is one for git and does get in", () => {
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
      const branch = forgingBranch(value, organization);
      const names = lintTrust({ trustPolicy: handMade(subjects(value)) }).map(({ name }) => name);
      expect(names.includes("forgeable-subject")).toBe(branch !== undefined);
      if (branch === undefined) return;
      forged++;
      expect(isRefName(branch)).toBe(true);
      const like = sampleJob(parseSubject(value) ?? {}, organization);
      expect([like.project, like.user]).toEqual([expect.stringMatching(UUID), expect.stringMatching(UUID)]);
      const source = { repository: like.repository, kind: "heads", name: branch } as const;
      const claims = claimsOf({ ...like, audience: organization, source });
      expect(isTrusted(handMade(subjects(value)), claims)).toBe(true);
    }),
    { numRuns: 2000 },
  );
  expect(forged).toBeGreaterThan(20);
});

test("every rule that the configuration takes is without errors, unless it gives an administrator's permissions", () => {
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

/** Trust policies as nobody should write them. */
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

test("whatever a trust policy says, the lint reads it, and what it mends stays mended", () => {
  fc.assert(
    fc.property(
      fc.oneof({ weight: 9, arbitrary: anyPolicy() }, { weight: 1, arbitrary: fc.jsonValue() }),
      (trustPolicy) => {
        const mended = fixTrust({ trustPolicy });
        if (mended !== undefined)
          expect(lintTrust({ trustPolicy: mended }).filter(({ fixed }) => fixed !== undefined)).toEqual([]);
      },
    ),
    { numRuns: 500 },
  );
});

test("whatever a trust policy says, the explanation allows nobody whom the engine refuses", () => {
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
