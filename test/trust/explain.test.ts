import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_CLAIM } from "../../keyless/trust/circleci";
import { explain } from "../../keyless/trust/explain";
import { CAUSES, remedyForTokenError } from "../../keyless/trust/explain/causes";
import type { Question } from "../../keyless/trust/explain/types";
import { trustPolicy } from "../../keyless/trust/policy";
import { readToken, type TokenError, type TokenFault } from "../../keyless/trust/token";
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

const configPath = 'environments.dev.roles["deploy"].trust';
const onMain = trusting({ project, repository, branches: ["main"] });
const v1Subject = `org/${organization}/project/${project}/user/${user}`;

function ask(question: Partial<Question> = {}) {
  return explain({
    claims: claims(),
    trustPolicy: onMain,
    account,
    audiences: [organization],
    now,
    ...question,
  });
}

test("a trusted token is allowed if its signature was not checked", () => {
  const { decision, checks, remedy } = ask();
  expect(decision).toBe("allowed");
  expect(remedy).toBeUndefined();
  expect(checks.map(({ name, outcome, reason }) => [name, outcome, reason])).toEqual([
    ["issuer", "passed", "trusted-issuer"],
    ["signature", "unknown", "unchecked"],
    ["audience", "passed", "accepted-audience"],
    ["trust policy", "passed", "allowed"],
    ["lifetime", "passed", "not-expired"],
  ]);
});

/** A statement that is added to the trust policy of branch main. */
function withStatement(statement: object) {
  return { ...onMain, Statement: [...(onMain.Statement as never[]), statement as never] };
}

const deny = { Effect: "Deny", Principal: "*", Action: "sts:*" };
const server = `ci.example.com/org/${organization}`;
const trustingServer = trustPolicy({
  providerArn: `arn:aws:iam::123456789012:oidc-provider/${server}`,
  issuer: server,
  organizationId: organization,
  audiences: [organization],
  rules: [{ project, refs: "any" }],
});

/** At least one case for each cause: the question, and a part of the explanation. */
const cases: [cause: string, text: string, question: Partial<Question>][] = [
  ["v1-token", "send CIRCLE_OIDC_TOKEN_V2 instead", { claims: claims({ v1: true }) }],
  ["v1-token", "send CIRCLE_OIDC_TOKEN_V2 instead", { claims: claims({ v1: true }), source: "CIRCLE_OIDC_TOKEN" }],
  [
    "webhook-trigger",
    "trigger the pipeline by a push",
    { claims: claims({ v1: true }), source: "CIRCLE_OIDC_TOKEN_V2" },
  ],
  [
    "v2-token",
    'repository: "github.com/acme/site", branches: ["main"]',
    { configPath, trustPolicy: handMade(subjects(v1Subject)) },
  ],
  [
    "v2-token",
    "vcs-ref/refs/tags/v1",
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
    'circleci.server: "ci.example.com" in config.ts, or run the job on circleci.com',
    { claims: claims({ iss: `https://${server}` }), configPath },
  ],
  ["other-server", `trust ${server} in the role's trust policy`, { claims: claims({ iss: `https://${server}` }) }],
  [
    "other-server",
    "remove circleci.server in config.ts, or run the job on the CircleCI server at ci.example.com",
    { trustPolicy: trustingServer, configPath },
  ],
  [
    "other-server",
    "the token is from circleci.com",
    { trustPolicy: trustingServer, claims: claims({ iss: `https://oidc.circleci.com/org/${otherOrganization}` }) },
  ],
  ["other-issuer", "CIRCLE_OIDC_TOKEN_V2", { claims: claims({ iss: "https://token.actions.githubusercontent.com" }) }],
  ["other-issuer", "http://example.com", { claims: claims({ iss: `http://example.com/org/${organization}` }) }],
  ["no-provider", "deploy the environment", { audiences: "absent" }],
  [
    "no-provider",
    "name arn:aws:iam::210987654321:oidc-provider/oidc.circleci.com",
    { account: { ...account, accountId: "210987654321" } },
  ],
  [
    "upper-case",
    `write ${project} in`,
    { trustPolicy: handMade(subjects(`org/${organization}/project/${project.toUpperCase()}/user/*`)) },
  ],
  ["upper-case", `write ${project} in the claims`, { claims: claims({ project: project.toUpperCase() }) }],
  ["upper-case", "write github.com/Acme/Site in", { claims: claims({ repository: "github.com/Acme/Site" }) }],
  ["upper-case", 'add branches: ["Main"] to the rule', { configPath, claims: claims({ ref: "refs/heads/Main" }) }],
  [
    "url-for-id",
    `write ${organization} in`,
    { trustPolicy: handMade(subjects(`org/https://${issuer}/project/${project}/user/*`)) },
  ],
  [
    "url-for-id",
    `write ${organization} in the claims`,
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
  [
    "wrong-branch",
    'add branches: ["feature/x"] to the rule',
    { configPath, claims: claims({ ref: "refs/heads/feature/x" }) },
  ],
  [
    "wrong-tag",
    'tags: ["x1"]',
    {
      configPath,
      claims: claims({ ref: "refs/tags/x1" }),
      trustPolicy: trusting({ project, repository, branches: ["main"], tags: ["v*"] }),
    },
  ],
  ["tag-for-branch", 'tags: ["main"]', { configPath, claims: claims({ ref: "refs/tags/main" }) }],
  [
    "branch-for-tag",
    'branches: ["v1"]',
    {
      configPath,
      claims: claims({ ref: "refs/heads/v1" }),
      trustPolicy: trusting({ project, repository, tags: ["v*"] }),
    },
  ],
  ["fork", "do not trust it", { claims: claims({ repository: "github.com/stranger/site", ref: "refs/heads/pull/7" }) }],
  [
    "forged-ref",
    "do not trust it",
    { claims: claims({ ref: `refs/heads/x/vcs-origin/${repository}/vcs-ref/refs/heads/main` }) },
  ],
  ["several-audiences", "the token has 2 audiences", { claims: claims({ aud: [organization, "vault"] }) }],
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
  ["custom-audience", "to circleci.audiences", { configPath, claims: claims({ aud: "sts.amazonaws.com" }) }],
  [
    "custom-audience",
    "add it to the provider's",
    { claims: claims({ aud: "vault" }), audiences: [organization, "vault"] },
  ],
  ["custom-audience", "circleci.audiences in config.ts", { audiences: ["sts.amazonaws.com"], configPath }],
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
    "write the ref as refs/heads/main",
    {
      trustPolicy: handMade(
        subjects(`org/${organization}/project/${project}/user/*/vcs-origin/${repository}/vcs-ref/main`),
      ),
    },
  ],
  ["expired", "circleci run oidc get", { claims: claims({ exp: now.getTime() / 1000 - 300 }) }],
  ["not-yet-valid", "clock", { claims: claims({ nbf: now.getTime() / 1000 + 300 }) }],
  ["bad-signature", "copy the complete token from the job", { signature: { verdict: "invalid", note: "" } }],
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
      trustPolicy: withStatement(deny),
    },
  ],
  [
    "not-about-tokens",
    "sts:AssumeRoleWithWebIdentity",
    { trustPolicy: handMade(subjects("*"), { Action: "sts:AssumeRole" }) },
  ],
  [
    "other-condition",
    "StringNotLike on",
    { trustPolicy: handMade({ ...aud, StringNotLike: { [`${issuer}:sub`]: "*/refs/heads/main" } }) },
  ],
  [
    "other-condition",
    "DateLessThan on aws:CurrentTime does not allow 2026-06-01",
    { trustPolicy: handMade({ ...subjects("*"), DateLessThan: { "aws:CurrentTime": "2026-01-01T00:00:00Z" } }) },
  ],
  [
    "no-project-id",
    "the token has no claim oidc.circleci.com/project-id, which the role requires",
    { claims: claims({ [PROJECT_CLAIM]: undefined }), trustPolicy: trusting({ project, refs: "any" }) },
  ],
  [
    "no-project-id",
    "which has that claim: CIRCLE_OIDC_TOKEN_V2",
    {
      claims: claims({ [PROJECT_CLAIM]: undefined }),
      trustPolicy: handMade({ ...subjects("*"), Null: { [`${issuer}:${PROJECT_CLAIM}`]: "false" } }),
    },
  ],
  [
    "contradicting-project",
    `the token's subject names project ${project}, its claim oidc.circleci.com/project-id names project ${otherProject}`,
    { claims: claims({ [PROJECT_CLAIM]: otherProject }), trustPolicy: trusting({ project, refs: "any" }) },
  ],
  [
    "contradicting-project",
    "do not trust it",
    { claims: claims({ project: otherProject, [PROJECT_CLAIM]: project }), configPath },
  ],
  [
    "wrong-project",
    `project ${otherProject}, the role trusts project ${project}`,
    {
      claims: claims({ project: otherProject, ref: "refs/heads/x" }),
      trustPolicy: trusting({ project, refs: "any" }, { project: user, repository, branches: ["main"] }),
    },
  ],
  [
    "wrong-project",
    `project ${otherProject}, the role trusts project ${project}`,
    {
      claims: claims({ project: otherProject }),
      trustPolicy: handMade({ StringEquals: { ...aud.StringEquals, [`${issuer}:${PROJECT_CLAIM}`]: project } }),
    },
  ],
  ["other-subject", "audit-logs", { claims: claims({ sub: `org/${organization}/file-streaming/audit-logs` }) }],
  [
    "caller-condition",
    "IpAddress on aws:SourceIp",
    { trustPolicy: handMade({ ...subjects(`${v1Subject}*`), IpAddress: { "aws:SourceIp": "10.0.0.0/8" } }) },
  ],
  [
    "unsupported",
    "StringResembles",
    { trustPolicy: handMade({ ...subjects(`${v1Subject}*`), StringResembles: { [`${issuer}:sub`]: "x" } }) },
  ],
];

test.each(cases)("%s is reported, with %s", (cause, text, question) => {
  const { decision, remedy } = ask(question);
  expect(decision).toBe(["caller-condition", "unsupported"].includes(cause) ? "unknown" : "refused");
  expect(remedy?.cause).toBe(cause);
  expect(`${remedy?.why} ${remedy?.remedy}`).toContain(text);
  expect(`${remedy?.why} ${remedy?.remedy}`).not.toMatch(/undefined|\[object/);
});

/** A token in compact form, whose claims AWS accepts unless they are changed. */
function tokenWith(header: object, signature: string, changes: object = {}): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part(header)}.${part({ ...claims(), ...changes })}.${signature}`;
}

test("a token of 20,000 characters is read", () => {
  const short = tokenWith({ alg: "ES512" }, "");
  expect(readToken(short + "x".repeat(20_000 - short.length)).claims.sub).toBe(claims().sub);
});

const faults: [fault: TokenFault, token: string, cause: string, remedy: string][] = [
  ["empty", " \n", "no-token", "CIRCLE_OIDC_TOKEN_V2"],
  ["variable-name", "$CIRCLE_OIDC_TOKEN_V2", "not-a-token", "double quotes"],
  ["masked", "*************", "not-a-token", "masks secrets"],
  ["access-key", "AKIAIOSFODNN7EXAMPLE", "not-a-token", "access key"],
  ["malformed", "s3cret.text", "not-a-token", "printf"],
  ["malformed", tokenWith({ alg: "RS256" }, "c2ln", { exp: 1.5 }), "not-a-token", "printf"],
  ["too-long", tokenWith({ alg: "RS256" }, "c2ln".repeat(5000)), "too-long", "CIRCLE_OIDC_TOKEN_V2"],
  ["unsigned", tokenWith({ alg: "none" }, ""), "unsigned", "copy the complete token"],
  ["unsigned", tokenWith({ alg: "None" }, "c2ln"), "unsigned", "copy the complete token"],
  ["unsigned", tokenWith({ alg: "RS256" }, ""), "unsigned", "copy the complete token"],
  ["unsupported-algorithm", tokenWith({ alg: "HS256" }, "c2ln"), "unsupported-algorithm", "signed with RS256"],
  ["unsupported-algorithm", tokenWith({ alg: "s3cret\n" }, "c2ln"), "unsupported-algorithm", "signed with RS256"],
  ["unsupported-algorithm", tokenWith({}, "c2ln"), "unsupported-algorithm", "signed with RS256"],
];

test.each(faults)("a text that is not a token (%s) is explained without repeating it", (fault, token, cause, text) => {
  const remedy = remedyForTokenError(errorOf(token));
  expect([errorOf(token).fault, remedy.cause]).toEqual([fault, cause]);
  expect(remedy.remedy).toContain(text);
  expect(remedy.why).not.toContain("s3cret");
});

function errorOf(token: string): TokenError {
  try {
    readToken(token);
  } catch (error) {
    return error as TokenError;
  }
  throw new Error("the text is a token");
}

const documented = readFileSync(join(__dirname, "../../docs/explain.md"), "utf8");

test.each([...Object.keys(CAUSES), ...["no-token", "not-a-token", "too-long", "unsigned", "unsupported-algorithm"]])(
  "%s has a case and is documented",
  (cause) => {
    expect([...cases.map(([each]) => each), ...faults.map(([, , each]) => each)]).toContain(cause);
    expect(documented).toContain(`\`${cause}\``);
  },
);

test("an explicit Deny is not hidden by an Allow statement that does not match", () => {
  const { Statement: otherAllow } = trusting({ project, repository, branches: ["release"] });
  const both = withStatement((otherAllow as object[])[0] as object);
  const trustPolicy = { ...both, Statement: [...both.Statement, deny as never] };
  expect(ask({ trustPolicy })).toMatchObject({ remedy: { cause: "denied", why: "statement 3 explicitly denies it" } });
  expect(ask({ trustPolicy }).mismatch).toBeUndefined();
});

test("the subject is explained instead of the lifetime if both checks fail", () => {
  const old = claims({ ref: "refs/heads/feature", exp: now.getTime() / 1000 - 300 });
  expect(ask({ claims: old }).remedy?.cause).toBe("wrong-branch");
});

test.each([
  ["unknown-key", { StringEquals: { [`${issuer}:vcs-ref`]: "refs/heads/main" } }],
  ["absent-key", { StringEquals: { [`${issuer}:${PROJECT_CLAIM}`]: project } }],
  ["other-value", { StringEquals: { [`${issuer}:aud`]: "other" } }],
])("the kind of a mismatch is %s", (kind, condition) => {
  const token = claims({ [PROJECT_CLAIM]: undefined });
  expect(ask({ claims: token, trustPolicy: handMade({ ...subjects("*"), ...condition }) }).mismatch?.kind).toBe(kind);
});

test("the mismatch compares the subject with the fewest differences", () => {
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

test("a condition on the request makes the decision unknown, unless the token is refused in any case", () => {
  const trustPolicy = handMade({ ...subjects(`${v1Subject}*`), IpAddress: { "aws:SourceIp": "10.0.0.0/8" } });
  expect(ask({ trustPolicy })).toMatchObject({ decision: "unknown", remedy: { cause: "caller-condition" } });
  expect(ask({ trustPolicy, claims: claims({ user: otherUser }) })).toMatchObject({ decision: "refused" });
});

test("a Deny with a condition on the request makes the decision unknown", () => {
  const condition = { NotIpAddress: { "aws:SourceIp": "10.0.0.0/8" } };
  const trustPolicy = withStatement({ ...deny, Condition: condition });
  expect(ask({ trustPolicy })).toMatchObject({ decision: "unknown" });
});

test("a policy that cannot be evaluated makes the decision unknown", () => {
  const trustPolicy = handMade({ ...subjects(`${v1Subject}*`), StringResembles: { [`${issuer}:sub`]: "x" } });
  expect(ask({ trustPolicy })).toMatchObject({ decision: "unknown", remedy: { cause: "unsupported" } });
});
