import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { defineConfig } from "../../keyless/config/define";
import { formatIssuer, formatSubject, imitatingBranch, type TrustRule } from "../../keyless/trust/circleci";
import { decideTrust } from "../../keyless/trust/decide";
import { explain } from "../../keyless/trust/explain";
import type { Cause } from "../../keyless/trust/explain/causes";
import type { Question } from "../../keyless/trust/explain/types";
import { trustPolicy } from "../../keyless/trust/policy";
import type { Claims } from "../../keyless/trust/token";
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
const anyUser = "????????-????-????-????-????????????";
const v1 = `org/${organization}/project/${project}/user/${user}`;
const onMain: TrustRule = { project, repository, branches: ["main"] };
const fork = "github.com/stranger/site";
const forged = `refs/heads/${imitatingBranch(repository, { kind: "branch", name: "main" })}`;
const sub = (pattern: string) => handMade(subjects(pattern));
const inProject = (text: string) => sub(`org/${organization}/project/${text}/user/*`);
const inOrganization = (text: string) => sub(`org/${text}/project/${project}/user/*`);
const ofSource = (source: string, ref = "refs/heads/main") =>
  sub(`org/${organization}/project/${project}/user/${anyUser}/vcs-origin/${source}/vcs-ref/${ref}`);
const inEquals = (key: string, value: string) => ({
  ...subjects(`${v1}*`),
  StringEquals: { [`${issuer}:aud`]: organization, [key]: value },
});
const projectKey = `${issuer}:oidc.circleci.com/project-id`;

function ask(question: Partial<Question>) {
  return explain({
    claims: claims(),
    trustPolicy: trusting(onMain),
    account,
    audiences: [organization],
    now,
    ...question,
  });
}

/** The question after the advised rule was added: in config.ts or by hand, it is a statement more. */
function withRule(question: Partial<Question>, rule: TrustRule): Partial<Question> {
  const { trustPolicy: before = trusting(onMain) } = question;
  const Statement = [...(before.Statement as never[]), ...(trusting(rule).Statement as never[])];
  return { ...question, trustPolicy: { ...before, Statement } };
}

type Change = Partial<Question> | "rule";

/**
 * A question, its cause, a part of the remedy, and the change that the remedy advises: `rule` adds the advised rule.
 * After the change, the token is trusted.
 */
const fixable: [cause: Cause, remedy: string, question: Partial<Question>, change: Change][] = [
  // Project: a URL, a slug or a name in place of the id.
  ...[
    "https://app.circleci.com/pipelines/github/acme/site",
    "https://app.circleci.com/settings/project/github/acme/site",
    "https://circleci.com/gh/acme/site.git",
    "https://github.com/acme/site",
  ].map((url): (typeof fixable)[number] => [
    "url-for-id",
    `write ${project} in the role's trust policy, if Project Settings → Overview shows it for ${url}`,
    { trustPolicy: inProject(url) },
    { trustPolicy: inProject(project) },
  ]),
  ...["gh/acme/site", "github/acme/site", "circleci/AbCdEf/GhIjKl", "acme-site", "site", "app.circleci.com/site"].map(
    (name): (typeof fixable)[number] => [
      "name-for-id",
      `write ${project} in the role's trust policy, if Project Settings → Overview shows it for ${name}`,
      { trustPolicy: inProject(name) },
      { trustPolicy: inProject(project) },
    ],
  ),
  [
    "name-for-id",
    `write ${project} in the claims`,
    { claims: claims({ project: "gh/acme/site" }), trustPolicy: trusting(onMain) },
    { claims: claims() },
  ],
  [
    "url-for-id",
    `write ${project} in the claims`,
    { claims: claims({ project: "https://app.circleci.com/pipelines/github/acme/site" }) },
    { claims: claims() },
  ],
  [
    "name-for-id",
    `write ${project} in`,
    { trustPolicy: handMade(inEquals(projectKey, "gh/acme/site")) },
    { trustPolicy: handMade(inEquals(projectKey, project)) },
  ],
  ["wrong-project", "add a statement to", { trustPolicy: handMade(inEquals(projectKey, otherProject)) }, "rule"],
  [
    "wrong-project",
    `{ project: "${otherProject}", `,
    { configPath, claims: claims({ project: otherProject }) },
    "rule",
  ],
  [
    "wrong-project",
    'refs: "any"',
    { configPath, trustPolicy: trusting({ project: otherProject, refs: "any" }) },
    "rule",
  ],
  // Organization.
  [
    "url-for-id",
    `write ${organization} in`,
    { trustPolicy: inOrganization(`https://${issuer}`) },
    { trustPolicy: inOrganization(organization) },
  ],
  [
    "url-for-id",
    "if Organization Settings → Overview shows it for https://app.circleci.com/pipelines/github/acme",
    { trustPolicy: inOrganization("https://app.circleci.com/pipelines/github/acme") },
    { trustPolicy: inOrganization(organization) },
  ],
  [
    "name-for-id",
    "if Organization Settings → Overview shows it for gh/acme",
    { trustPolicy: inOrganization("gh/acme") },
    { trustPolicy: inOrganization(organization) },
  ],
  // Repository.
  [
    "url-for-id",
    `write ${repository} in`,
    { trustPolicy: ofSource(`git@github.com:acme/site.git`) },
    { trustPolicy: ofSource(repository) },
  ],
  [
    "name-for-id",
    `write ${repository} in`,
    { trustPolicy: ofSource("acme/site") },
    { trustPolicy: ofSource(repository) },
  ],
  [
    "other-repository",
    'repository: "github.com/acme/new-site", branches: ["main"]',
    { configPath, claims: claims({ repository: "github.com/acme/new-site" }) },
    "rule",
  ],
  [
    "other-repository",
    'repository: "github.com/acme/new-site", branches: ["next"]',
    { configPath, claims: claims({ repository: "github.com/acme/new-site", ref: "refs/heads/next" }) },
    "rule",
  ],
  // Audience.
  [
    "several-audiences",
    "CIRCLE_OIDC_TOKEN_V2, which has the default audience",
    { claims: claims({ aud: [organization, "sts.amazonaws.com"] }) },
    { claims: claims() },
  ],
  [
    "several-audiences",
    `circleci run oidc get --claims '{"aud":"vault"}'`,
    { claims: claims({ aud: ["vault", "x"] }), audiences: ["vault"] },
    {
      claims: claims({ aud: "vault" }),
      trustPolicy: handMade({ ...subjects(`${v1}*`), StringEquals: { [`${issuer}:aud`]: "vault" } }),
    },
  ],
  [
    "custom-audience",
    "use CIRCLE_OIDC_TOKEN_V2, which has the default audience",
    { claims: claims({ aud: "vault" }) },
    { claims: claims() },
  ],
  [
    "custom-audience",
    `circleci run oidc get --claims '{"aud":"vault"}'`,
    {
      claims: claims({ aud: "other" }),
      audiences: ["vault"],
      trustPolicy: handMade({ ...subjects(`${v1}*`), StringEquals: { [`${issuer}:aud`]: "vault" } }),
    },
    { claims: claims({ aud: "vault" }) },
  ],
  [
    "wildcard-in-equals",
    `use StringLike for ${issuer}:aud`,
    {
      trustPolicy: handMade({ StringLike: { [`${issuer}:sub`]: `${v1}*` }, StringEquals: { [`${issuer}:aud`]: "*" } }),
    },
    { trustPolicy: handMade({ StringLike: { [`${issuer}:sub`]: `${v1}*`, [`${issuer}:aud`]: "*" } }) },
  ],
  [
    "wildcard-in-equals",
    `with ${anyUser} as the user`,
    {
      trustPolicy: handMade({
        StringEquals: {
          [`${issuer}:sub`]: `org/${organization}/project/${project}/user/*/vcs-origin/${repository}/vcs-ref/refs/heads/main`,
        },
      }),
    },
    { trustPolicy: ofSource(repository) },
  ],
  // Ref.
  [
    "wrong-branch",
    'add branches: ["x"] to the rule in',
    { configPath, claims: claims({ ref: "refs/heads/x" }) },
    "rule",
  ],
  ["wrong-branch", `vcs-ref/refs/heads/x (StringLike)`, { claims: claims({ ref: "refs/heads/x" }) }, "rule"],
  [
    "wrong-branch",
    'branches: ["x"], users: ["',
    {
      configPath,
      claims: claims({ ref: "refs/heads/x", user: otherUser }),
      trustPolicy: trusting({ ...onMain, users: [user] }),
    },
    "rule",
  ],
  [
    "tag-for-branch",
    'add tags: ["v1"] to the rule in',
    { configPath, claims: claims({ ref: "refs/tags/v1" }) },
    "rule",
  ],
  [
    "upper-case",
    'add branches: ["Main"] to the rule in',
    { configPath, claims: claims({ ref: "refs/heads/Main" }) },
    "rule",
  ],
  [
    "bare-ref",
    "write the ref as refs/heads/main",
    { trustPolicy: ofSource(repository, "main") },
    { trustPolicy: ofSource(repository) },
  ],
  [
    "bare-ref",
    "write the ref as refs/tags/v1",
    { claims: claims({ ref: "refs/tags/v1" }), trustPolicy: ofSource(repository, "tags/v1") },
    { trustPolicy: ofSource(repository, "refs/tags/v1") },
  ],
  ["wrong-branch", "the role's trust policy", { trustPolicy: ofSource(repository, "refs/*/release") }, "rule"],
  // Tokens without a ref, and roles that trust only those.
  ["v1-token", "send CIRCLE_OIDC_TOKEN_V2", { claims: claims({ v1: true }) }, { claims: claims() }],
  ["v2-token", 'branches: ["main"], users: ["', { configPath, trustPolicy: sub(v1) }, "rule"],
  [
    "webhook-trigger",
    'refs: "any"',
    { configPath, claims: claims({ v1: true }), source: "CIRCLE_OIDC_TOKEN_V2" },
    "rule",
  ],
  // User.
  [
    "wrong-user",
    otherUser,
    { configPath, claims: claims({ user: otherUser }), trustPolicy: trusting({ ...onMain, users: [user] }) },
    "rule",
  ],
  [
    "wrong-user",
    'refs: "any"',
    { configPath, claims: claims({ user: otherUser }), trustPolicy: trusting({ project, refs: "any", users: [user] }) },
    "rule",
  ],
  // A trusted subject that no token has.
  [
    "other-subject",
    "add a statement to",
    { trustPolicy: sub(`org/${organization}/project/${project}/vcs-origin/${repository}/vcs-ref/refs/heads/main`) },
    "rule",
  ],
  [
    "other-subject",
    "add a statement to",
    { trustPolicy: sub(`org/${organization}/project/${project}/user/${user}/vcs-ref/refs/heads/main`) },
    "rule",
  ],
  ["other-subject", "add a statement to", { trustPolicy: sub("repo:acme/site:ref:refs/heads/main") }, "rule"],
  // Conditions on keys that AWS does not have.
  [
    "unknown-condition-key",
    "remove that condition",
    { trustPolicy: handMade(inEquals(`${issuer}:vcs-ref`, "refs/heads/main")) },
    { trustPolicy: trusting(onMain) },
  ],
  ...["oidc.circleci.com/project-id", `${issuer}:project-id`, `${issuer}:project_id`, `${issuer}/project-id`].map(
    (key): (typeof fixable)[number] => [
      "unknown-condition-key",
      `write ${projectKey} in`,
      { trustPolicy: handMade(inEquals(key, project)) },
      { trustPolicy: handMade(inEquals(projectKey, project)) },
    ],
  ),
];

test.each(fixable)("%s: after the remedy (%s), the token is trusted", (cause, text, question, change) => {
  const { decision, remedy } = ask(question);
  expect([decision, remedy?.cause]).toEqual(["refused", cause]);
  expect(remedy?.remedy).toContain(text);
  expect(`${remedy?.why} ${remedy?.remedy}`).not.toMatch(/undefined|\[object/);
  expect(remedy?.rule === undefined).toBe(change !== "rule");
  const changed = change === "rule" ? withRule(question, remedy?.rule as TrustRule) : { ...question, ...change };
  expect(ask(changed)).toMatchObject({ decision: "allowed" });
});

const otherIssuer = (host: string, id: string) => `https://${formatIssuer({ host, organization: id })}`;

/** Tokens that no remedy may trust, and texts that the remedy must not contain. */
const untrusted: [cause: Cause, question: Partial<Question>, avoid: string][] = [
  ["forged-ref", { configPath, claims: claims({ ref: forged }) }, "evil"],
  ["forged-ref", { claims: claims({ ref: forged }) }, "evil"],
  ["forged-ref", { claims: claims({ ref: forged }), trustPolicy: sub(v1) }, "evil"],
  ["forged-ref", { claims: claims({ ref: "refs/heads/refs/heads/main" }) }, "add"],
  ["forged-ref", { claims: claims({ ref: forged.replace("heads/evil", "tags/evil") }) }, "evil"],
  ["forged-ref", { claims: claims({ ref: forged, project: otherProject }) }, otherProject],
  ["forged-ref", { claims: claims({ ref: forged, aud: "vault" }) }, "vault"],
  ["forged-ref", { claims: claims({ ref: forged }), trustPolicy: trusting({ ...onMain, users: [otherUser] }) }, "add"],
  ...["refs/heads/pull/7", "refs/pull/7/head", "refs/heads/pull/7/merge"].flatMap(
    (ref): (typeof untrusted)[number][] => [
      ["fork", { configPath, claims: claims({ ref }) }, "add"],
      ["fork", { configPath, claims: claims({ ref, repository: fork }) }, fork],
      ["fork", { claims: claims({ ref, repository: fork }), trustPolicy: sub(v1) }, fork],
      ["fork", { claims: claims({ ref, repository: fork, project: otherProject }) }, otherProject],
      ["fork", { claims: claims({ ref, repository: fork, aud: "vault" }) }, "vault"],
    ],
  ),
  [
    "other-organization",
    { configPath, claims: claims({ iss: `https://${formatIssuer({ organization: otherOrganization })}` }) },
    otherOrganization,
  ],
  ["other-server", { configPath, claims: claims({ iss: otherIssuer("evil.example.com", otherOrganization) }) }, "evil"],
  ["other-issuer", { claims: claims({ iss: "https://evil.example.com" }) }, "evil"],
  ["other-issuer", { claims: claims({ iss: "https://oidc.circleci.com" }) }, "trust"],
  ["other-subject", { claims: claims({ sub: `org/${organization}/file-streaming/audit-logs` }) }, "add"],
  [
    "name-for-id",
    {
      claims: claims({ iss: `https://${formatIssuer({ organization: otherOrganization })}` }),
      trustPolicy: handMade(undefined, {
        Principal: { Federated: "arn:aws:iam::123456789012:oidc-provider/oidc.circleci.com/org/acme" },
      }),
    },
    otherOrganization,
  ],
];

test.each(untrusted)("%s: the remedy does not trust the token", (cause, question, avoid) => {
  const { decision, remedy } = ask(question);
  expect([decision, remedy?.cause, remedy?.rule]).toEqual(["refused", cause, undefined]);
  expect(remedy?.remedy).not.toContain(avoid);
});

test("a fork that a Deny statement refuses is not trusted by narrowing it", () => {
  const before = trusting({ project, refs: "any" });
  const deny = {
    Effect: "Deny",
    Principal: "*",
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: { StringLike: { [`${issuer}:sub`]: "*/vcs-ref/refs/heads/pull/*" } },
  };
  const refused = ask({
    claims: claims({ ref: "refs/heads/pull/7", repository: fork }),
    trustPolicy: { ...before, Statement: [...(before.Statement as never[]), deny as never] },
  });
  expect(refused.remedy).toMatchObject({ cause: "fork", remedy: expect.not.stringContaining("Deny") });
});

test.each([
  ["StringNotEquals", "refs/heads/evil"],
  ["StringNotLike", "*"],
  ["StringNotEqualsIgnoreCase", "x"],
  ["StringEqualsIfExists", "refs/heads/main"],
  ["ForAllValues:StringEquals", "refs/heads/main"],
  ["Null", "true"],
])("%s on a key that AWS does not have is always met, and decideTrust refuses it", (operator, value) => {
  const key = `${issuer}:vcs-ref`;
  const policy = handMade({ ...subjects(`${v1}*`), [operator]: { [key]: value } });
  const { decision, warnings } = ask({ trustPolicy: policy });
  expect(decision).toBe("allowed");
  expect(warnings).toEqual([expect.stringContaining(`${operator} on ${key} is always met: AWS has no condition key`)]);
  expect(decideTrust(policy, claims(), account, now).outcome).toBe("refused");
  // The condition is not the cause of another refusal.
  expect(ask({ trustPolicy: policy, claims: claims({ project: otherProject }) }).remedy?.cause).toBe("wrong-project");
});

test("a positive operator on a key that AWS does not have is never met", () => {
  const trustPolicy = handMade({
    ...subjects(`${v1}*`),
    StringLike: { [`${issuer}:vcs-ref`]: "*", [`${issuer}:sub`]: `${v1}*` },
  });
  expect(ask({ trustPolicy }).remedy).toMatchObject({
    cause: "unknown-condition-key",
    why: expect.stringContaining("is never met"),
  });
});

const refs = [
  "refs/heads/main",
  "refs/heads/Main",
  "refs/heads/x",
  "refs/tags/v1",
  "refs/heads/pull/7",
  "refs/heads/é${x}",
  forged,
];
const anyClaims = fc
  .record({
    project: fc.constantFrom(project, otherProject),
    user: fc.constantFrom(user, otherUser),
    repository: fc.constantFrom(repository, "github.com/acme/other", fork),
    ref: fc.constantFrom(...refs),
    v1: fc.boolean(),
    aud: fc.constantFrom(organization, "vault"),
  })
  .map((parts): Claims => claims(parts));
const anyRule: fc.Arbitrary<TrustRule> = fc
  .record({
    project: fc.constantFrom(project, otherProject),
    users: fc.constantFrom(undefined, [user], [otherUser]),
    source: fc.constantFrom<object>(
      { refs: "any" },
      { repository, branches: ["main"] },
      { repository, branches: ["release/*"], tags: ["v*"] },
      { repository: "github.com/acme/other", tags: ["v1"] },
    ),
  })
  .map(({ users, source, project }) => ({ project, ...source, ...(users && { users }) }) as TrustRule);
const anyRules = fc.array(anyRule, { minLength: 1, maxLength: 3 });
const anySource = fc.constantFrom("file", "CIRCLE_OIDC_TOKEN", "CIRCLE_OIDC_TOKEN_V2");

test("an advised rule is valid in config.ts, trusts the token, and trusts neither a fork nor a forged ref", () => {
  fc.assert(
    fc.property(
      anyClaims,
      anyRules,
      anySource,
      fc.constantFrom(configPath, undefined),
      (token, rules, source, path) => {
        const { decision, remedy } = ask({ claims: token, trustPolicy: trusting(...rules), source, configPath: path });
        if (decision === "allowed") return;
        expect(`${remedy?.why} ${remedy?.remedy}`).not.toMatch(/undefined|\[object/);
        const isUntrusted = /pull\/7|evil/.test(token.sub);
        if (isUntrusted && remedy?.cause !== "webhook-trigger") expect(remedy?.remedy).not.toMatch(/ add /);
        if (remedy?.rule === undefined) return;
        expect(isUntrusted).toBe(false);
        expect(decideTrust(trusting(...rules, remedy.rule), token, account, now).outcome).toBe("allowed");
        expect(() => configOf(remedy.rule as TrustRule)).not.toThrow();
      },
    ),
  );
});

/** The value that a remedy's text has in config.ts. */
function inConfig(source: string) {
  return JSON.parse(JSON.stringify(runInNewContext(`(${source})`)));
}

test("the text that a remedy adds to config.ts is valid there, makes the role trust the token, and depends on a decision", () => {
  let [whole, refs] = [0, 0];
  fc.assert(
    fc.property(anyClaims, anyRules, anySource, (token, rules, source) => {
      const { remedy: { remedy = "", rule } = {} } = ask({
        claims: token,
        trustPolicy: trusting(...rules),
        source,
        configPath,
      });
      if (rule === undefined) return expect(remedy).not.toMatch(/ add (\{|branches|tags)/);
      expect(remedy).toMatch(/\bif .+ (should have access|was renamed or moved), add /);
      const [, added] = / add (\{.*\}) to /.exec(remedy) ?? [];
      const [, list] = / add ((?:branches|tags): \[.*\]) to the rule in /.exec(remedy) ?? [];
      expect([added, list].filter((text) => text !== undefined)).toHaveLength(1);
      const [candidates, count] =
        added === undefined ? [rules.map((each) => merged(each, inConfig(`{ ${list} }`))), 0] : [[inConfig(added)], 1];
      [whole, refs] = [whole + count, refs + 1 - count];
      for (const each of candidates) expect(() => configOf(each)).not.toThrow();
      if (added !== undefined) expect(inConfig(added)).toEqual(rule);
      const trusts = (each: TrustRule) =>
        decideTrust(trusting(...rules, each), token, account, now).outcome === "allowed";
      expect(candidates.some(trusts)).toBe(true);
    }),
    { numRuns: 500 },
  );
  expect([whole, refs].every((number) => number > 0)).toBe(true);
});

/** A rule with the branches or tags of another one added to its own; rules for any ref stay as they are. */
function merged(rule: TrustRule, more: { readonly branches?: string[]; readonly tags?: string[] }): TrustRule {
  if (!("repository" in rule)) return rule;
  const join = (name: "branches" | "tags") => {
    const all = [...(rule[name] ?? []), ...(more[name] ?? [])];
    return all.length === 0 ? {} : { [name]: all };
  };
  return { ...rule, ...join("branches"), ...join("tags") };
}

function configOf(rule: TrustRule) {
  return defineConfig({
    circleci: { organizationId: organization },
    environments: {
      dev: {
        accountId: "123456789012",
        region: "us-east-1",
        state: { bucket: "acme-state", lockTable: "acme-lock" },
        roles: { site: { trust: [rule] } },
      },
    },
  });
}

test("the subjects of an advised statement are those of the rule", () => {
  const { remedy } = ask({ claims: claims({ ref: "refs/heads/x" }) });
  const pattern = formatSubject({ organization, project, user: anyUser, repository, ref: "refs/heads/x" });
  expect(remedy?.remedy).toContain(`trusts the subject ${pattern} (StringLike)`);
  expect(remedy?.rule).toEqual({ project, repository, branches: ["x"] });
});

test("the remedy for an audience keeps a condition that excludes it", () => {
  const trustPolicy = handMade({ ...aud, ...subjects(`${v1}*`), StringNotEquals: { [`${issuer}:aud`]: organization } });
  expect(ask({ trustPolicy }).remedy?.cause).toBe("other-condition");
});

test("the remedy for a project's id that a role requires of a CircleCI server is to remove the condition", () => {
  const server = formatIssuer({ host: "ci.example.com", organization });
  const key = `${server}:oidc.circleci.com/project-id`;
  const json = JSON.stringify(handMade(inEquals(projectKey, project))).replaceAll(issuer, server);
  const question = { claims: claims({ iss: `https://${server}` }), trustPolicy: JSON.parse(json) };
  expect(ask(question)).toMatchObject({
    decision: "refused",
    remedy: {
      cause: "unknown-condition-key",
      why: expect.stringContaining(`StringEquals on ${key} is never met: AWS has no condition key "${key}"`),
      remedy: "remove that condition from the role's trust policy; restrict the project by the subject instead",
    },
  });
});

test("a role that trusts a CircleCI server and a token of the same organization on circleci.com", () => {
  const server = formatIssuer({ host: "ci.example.com", organization });
  const trusted = trustPolicy({
    providerArn: `arn:aws:iam::123456789012:oidc-provider/${server}`,
    issuer: server,
    organizationId: organization,
    audiences: [organization],
    rules: [onMain],
  });
  expect(ask({ trustPolicy: trusted, configPath }).remedy).toMatchObject({
    cause: "other-server",
    remedy: "remove circleci.server in config.ts, or run the job on the CircleCI server at ci.example.com",
  });
});
