import { explain } from "../../keyless/trust/explain";
import type { Question } from "../../keyless/trust/explain/types";
import {
  account,
  aud,
  claims,
  handMade,
  issuer,
  now,
  organization,
  otherOrganization,
  otherProject,
  otherUser,
  project,
  repository,
  subjects,
  trusting,
  user,
} from "./tokens";

const place = "the role's trust policy";
const onMain = trusting({ project, repository, branches: ["main"] });
const v1Subject = `org/${organization}/project/${project}/user/${user}`;

function ask(question: Partial<Question> = {}) {
  return explain({
    claims: claims(),
    trustPolicy: onMain,
    place,
    account,
    audiences: [organization],
    now,
    ...question,
  });
}

test("a token that the role names is allowed, though its signature was not checked", () => {
  const { decision, checks, remedy } = ask();
  expect(decision).toBe("allowed");
  expect(remedy).toBeUndefined();
  expect(checks.map(({ name, outcome }) => [name, outcome])).toEqual([
    ["issuer", "passed"],
    ["signature", "unknown"],
    ["audience", "passed"],
    ["trust policy", "passed"],
    ["lifetime", "passed"],
  ]);
});

const refusals: [cause: string, remedy: string, question: Partial<Question>][] = [
  ["v1-token", "send CIRCLE_OIDC_TOKEN_V2 instead", { claims: claims({ v1: true }) }],
  ["v1-token", "send CIRCLE_OIDC_TOKEN_V2 instead", { claims: claims({ v1: true }), source: "CIRCLE_OIDC_TOKEN" }],
  ["webhook-trigger", "start the pipeline by a push", { claims: claims({ v1: true }), source: "CIRCLE_OIDC_TOKEN_V2" }],
  [
    "v2-token",
    'repository: "github.com/acme/site", branches: ["main"]',
    { trustPolicy: handMade(subjects(v1Subject)) },
  ],
  [
    "v2-token",
    'tags: ["v1"]',
    {
      claims: claims({ ref: "refs/tags/v1" }),
      trustPolicy: handMade({ StringEquals: { [`${issuer}:sub`]: v1Subject } }),
    },
  ],
  [
    "other-organization",
    organization,
    { claims: claims({ iss: `https://oidc.circleci.com/org/${otherOrganization}` }) },
  ],
  [
    "other-organization",
    organization,
    { trustPolicy: handMade(subjects(`org/${otherOrganization}/project/${project}/user/*`)) },
  ],
  [
    "other-server",
    'circleci.server: "ci.example.com"',
    { claims: claims({ iss: `https://ci.example.com/org/${organization}` }) },
  ],
  ["other-issuer", "CIRCLE_OIDC_TOKEN_V2", { claims: claims({ iss: "https://token.actions.githubusercontent.com" }) }],
  ["no-provider", "deploy the environment", { audiences: "absent" }],
  [
    "upper-case",
    `write ${project} in`,
    { trustPolicy: handMade(subjects(`org/${organization}/project/${project.toUpperCase()}/user/*`)) },
  ],
  ["upper-case", `write ${project} where`, { claims: claims({ project: project.toUpperCase() }) }],
  ["upper-case", "write github.com/Acme/Site in", { claims: claims({ repository: "github.com/Acme/Site" }) }],
  ["upper-case", "refs/heads/Main", { claims: claims({ ref: "refs/heads/Main" }) }],
  [
    "url-for-id",
    `write ${organization} in`,
    { trustPolicy: handMade(subjects(`org/https://${issuer}/project/${project}/user/*`)) },
  ],
  [
    "url-for-id",
    `write ${organization} where`,
    { claims: claims({ iss: `https://oidc.circleci.com/org/https://${issuer}` }) },
  ],
  [
    "url-for-id",
    "write github.com/acme/site in",
    {
      trustPolicy: handMade(
        subjects(
          `org/${organization}/project/${project}/user/*/vcs-origin/https://github.com/acme/site.git/vcs-ref/refs/heads/main`,
        ),
      ),
    },
  ],
  [
    "url-for-id",
    `write ${issuer}:sub`,
    { trustPolicy: handMade({ ...aud, StringLike: { [`https://${issuer}:sub`]: `${v1Subject}*` } }) },
  ],
  ["wrong-branch", 'branches: ["feature/x"]', { claims: claims({ ref: "refs/heads/feature/x" }) }],
  [
    "wrong-tag",
    'tags: ["x1"]',
    {
      claims: claims({ ref: "refs/tags/x1" }),
      trustPolicy: trusting({ project, repository, branches: ["main"], tags: ["v*"] }),
    },
  ],
  ["tag-for-branch", 'tags: ["main"]', { claims: claims({ ref: "refs/tags/main" }) }],
  [
    "branch-for-tag",
    'branches: ["v1"]',
    { claims: claims({ ref: "refs/heads/v1" }), trustPolicy: trusting({ project, repository, tags: ["v*"] }) },
  ],
  [
    "fork",
    "leave it refused",
    { claims: claims({ repository: "github.com/stranger/site", ref: "refs/heads/pull/7" }) },
  ],
  ["other-repository", "github.com/acme/new-site", { claims: claims({ repository: "github.com/acme/new-site" }) }],
  ["wrong-project", otherProject, { claims: claims({ project: otherProject }) }],
  [
    "wrong-user",
    otherUser,
    {
      claims: claims({ user: otherUser }),
      trustPolicy: trusting({ project, repository, branches: ["main"], users: [user] }),
    },
  ],
  ["custom-audience", "circleci.audiences", { claims: claims({ aud: "sts.amazonaws.com" }) }],
  ["custom-audience", "circleci.audiences", { claims: claims({ aud: "vault" }), audiences: [organization, "vault"] }],
  ["custom-audience", "circleci.audiences in config.ts", { audiences: ["sts.amazonaws.com"], place: "x in config.ts" }],
  ["custom-audience", `add ${organization} to the provider's client ids`, { audiences: ["sts.amazonaws.com"] }],
  [
    "name-for-id",
    `write ${project} in`,
    { trustPolicy: handMade(subjects(`org/${organization}/project/gh/acme/site/user/*`)) },
  ],
  [
    "name-for-id",
    `write ${organization} in`,
    { trustPolicy: handMade(subjects(`org/acme/project/${project}/user/*`)) },
  ],
  [
    "bare-ref",
    "refs/heads/<branch>",
    {
      trustPolicy: handMade(
        subjects(`org/${organization}/project/${project}/user/*/vcs-origin/${repository}/vcs-ref/main`),
      ),
    },
  ],
  ["expired", "circleci run oidc get", { claims: claims({ exp: now.getTime() / 1000 - 300 }) }],
  ["not-yet-valid", "clock", { claims: claims({ nbf: now.getTime() / 1000 + 300 }) }],
  ["bad-signature", "take it from the job again", { signature: { verdict: "invalid", note: "" } }],
  [
    "wildcard-in-equals",
    "StringLike",
    { trustPolicy: handMade({ StringEquals: { [`${issuer}:sub`]: `${v1Subject}*` } }) },
  ],
  [
    "unknown-condition-key",
    "remove that condition",
    {
      trustPolicy: handMade({
        ...subjects(`${v1Subject}*`),
        StringEquals: { [`${issuer}:vcs-ref`]: "refs/heads/main" },
      }),
    },
  ],
  [
    "denied",
    "Deny",
    {
      trustPolicy: {
        ...onMain,
        Statement: [...(onMain.Statement as never[]), { Effect: "Deny", Principal: "*", Action: "sts:*" }],
      },
    },
  ],
  [
    "not-about-tokens",
    "sts:AssumeRoleWithWebIdentity",
    { trustPolicy: handMade(subjects("*"), { Action: "sts:AssumeRole" }) },
  ],
];

test.each(refusals)("refused for %s: the first remedy says %s", (cause, words, question) => {
  const { decision, remedy } = ask(question);
  expect(decision).toBe("refused");
  expect(remedy?.cause).toBe(cause);
  expect(`${remedy?.why} ${remedy?.remedy}`).toContain(words);
});

test("a token that would be refused fresh is explained by its subject, not by its age", () => {
  const old = claims({ ref: "refs/heads/feature", exp: now.getTime() / 1000 - 300 });
  expect(ask({ claims: old }).remedy?.cause).toBe("wrong-branch");
});

test("of several subjects the one with the fewest differences is shown, with the first difference", () => {
  const trustPolicy = trusting(
    { project: otherProject, repository, branches: ["feature"] },
    { project, repository, branches: ["fern", "main"] },
  );
  const { mismatch } = ask({ trustPolicy, claims: claims({ ref: "refs/heads/feature" }) });
  expect(mismatch?.expected).toHaveLength(3);
  expect(mismatch?.closest).toMatch(new RegExp(`${project}.*/fern$`));
  expect(mismatch?.actual[0]?.slice(0, mismatch.firstDifference)).toMatch(/refs\/heads\/fe$/);
  expect(mismatch?.parts?.filter(({ matches }) => !matches)).toEqual([
    { part: "ref", actual: "refs/heads/feature", expected: "refs/heads/fern", matches: false, firstDifference: 13 },
  ]);
});

test("a condition on the call leaves the decision open, unless the token is refused anyway", () => {
  const trustPolicy = handMade({ ...subjects(`${v1Subject}*`), IpAddress: { "aws:SourceIp": "10.0.0.0/8" } });
  expect(ask({ trustPolicy })).toMatchObject({ decision: "unknown", remedy: { cause: "caller-condition" } });
  expect(ask({ trustPolicy, claims: claims({ user: otherUser }) })).toMatchObject({ decision: "refused" });
});

test("a Deny that hangs on the call leaves the decision open", () => {
  const deny = {
    Effect: "Deny",
    Principal: "*",
    Action: "sts:*",
    Condition: { NotIpAddress: { "aws:SourceIp": "10.0.0.0/8" } },
  };
  const trustPolicy = { ...onMain, Statement: [...(onMain.Statement as never[]), deny as never] };
  expect(ask({ trustPolicy })).toMatchObject({ decision: "unknown" });
});

test("a policy that cannot be evaluated is never called allowed", () => {
  const trustPolicy = handMade({ ...subjects(`${v1Subject}*`), StringResembles: { [`${issuer}:sub`]: "x" } });
  expect(ask({ trustPolicy })).toMatchObject({ decision: "unknown", remedy: { cause: "unsupported" } });
});
