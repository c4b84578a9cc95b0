import { statements } from "../../keyless/policy/document";
import { decideTrust } from "../../keyless/trust/decide";
import { fixTrust, lintTrust } from "../../keyless/trust/lint";
import type { FindingName } from "../../keyless/trust/lint/findings";
import { isRefName } from "../../keyless/trust/ref-name";
import {
  account,
  aud,
  claims,
  handMade,
  issuer,
  now,
  organization,
  otherOrganization,
  project,
  provider,
  repository,
  subjects,
  trusting,
  user,
} from "./tokens";

const sub = `${issuer}:sub`;
const jobs = `org/${organization}/project/${project}`;
const onMain = `${jobs}/user/????????-????-????-????-????????????/vcs-origin/${repository}/vcs-ref/refs/heads/main`;
const documented = `${jobs}/user/*/vcs-origin/${repository}/vcs-ref/refs/heads/main`;
const administrator = [{ name: "arn:aws:iam::aws:policy/AdministratorAccess" }];

const faulty: [name: FindingName, why: string, trustPolicy: unknown][] = [
  ["malformed-policy", "it is not an object", "a policy"],
  ["malformed-policy", "it has no statement", { Version: "2012-10-17" }],
  ["malformed-policy", "its version is unknown", { Version: "2020-01-01", Statement: [] }],
  ["malformed-policy", "an element is misspelled", handMade(subjects(onMain), { Conditions: {} })],
  ["malformed-policy", "the effect is misspelled", handMade(subjects(onMain), { Effect: "allow" })],
  ["malformed-policy", "an operator does not exist", handMade({ ...aud, StringLikes: { [sub]: onMain } })],
  ["malformed-policy", "the condition is a list", handMade([])],
  ["malformed-policy", "a statement is a string", { Version: "2012-10-17", Statement: ["x"] }],
  ["any-principal", "the principal is *", handMade(subjects(onMain), { Principal: "*" })],
  ["any-principal", "every AWS account is trusted", handMade(subjects(onMain), { Principal: { AWS: "*" } })],
  [
    "any-principal",
    "every principal except one is trusted",
    handMade(subjects(onMain), { Principal: undefined, NotPrincipal: { AWS: "arn:aws:iam::123456789012:root" } }),
  ],
  [
    "other-principal",
    "another account is trusted too",
    handMade(subjects(onMain), { Principal: { Federated: provider, AWS: "arn:aws:iam::999999999999:root" } }),
  ],
  [
    "other-principal",
    "another issuer is trusted too",
    handMade(subjects(onMain), {
      Principal: {
        Federated: [provider, "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"],
      },
    }),
  ],
  ["no-audience", "there is no condition on aud", handMade({ StringLike: { [sub]: onMain } })],
  [
    "no-audience",
    "aud only has to be present",
    handMade({ Null: { [`${issuer}:aud`]: "false" }, StringLike: { [sub]: onMain } }),
  ],
  ["no-subject", "there is no condition on sub", handMade(aud)],
  ["no-subject", "there is no condition at all", handMade(undefined)],
  [
    "optional-condition",
    "sub is compared only if it exists",
    handMade({ ...aud, StringLikeIfExists: { [sub]: onMain } }),
  ],
  [
    "optional-condition",
    "sub has the qualifier ForAllValues",
    handMade({ ...aud, "ForAllValues:StringLike": { [sub]: [onMain] } }),
  ],
  [
    "optional-condition",
    "aud has the qualifier ForAllValues",
    handMade({ "ForAllValues:StringEquals": { [`${issuer}:aud`]: organization }, StringLike: { [sub]: onMain } }),
  ],
  [
    "negated-condition",
    "sub is compared by StringNotLike",
    handMade({ ...aud, StringNotLike: { [sub]: `${jobs}/user/*/vcs-ref/refs/heads/dev` } }),
  ],
  [
    "negated-condition",
    "aud is compared by StringNotEquals",
    handMade({ StringNotEquals: { [`${issuer}:aud`]: "x" }, StringLike: { [sub]: onMain } }),
  ],
  [
    "loose-audience",
    "aud is a policy variable",
    handMade({ StringEquals: { [`${issuer}:aud`]: `\${${issuer}:aud}` }, StringLike: { [sub]: onMain } }),
  ],
  ["unpinned-subject", "sub is a policy variable", handMade({ ...aud, StringLike: { [sub]: `\${${issuer}:sub}` } })],
  ["loose-audience", "aud is *", handMade({ StringLike: { [`${issuer}:aud`]: "*", [sub]: onMain } })],
  ["whole-organization", "sub is *", handMade(subjects("*"))],
  ["whole-organization", "sub is any subject of the organization", handMade(subjects(`org/${organization}/*`))],
  ["whole-organization", "sub is any project of the organization", handMade(subjects(`org/${organization}/project/*`))],
  ["whole-organization", "the project is a wildcard", handMade(subjects(`org/${organization}/project/*/user/*`))],
  ["unpinned-subject", "the project id is truncated", handMade(subjects(`org/${organization}/project/6666*`))],
  ["unpinned-subject", "the subject begins with a wildcard", handMade(subjects(`*/project/${project}/user/*`))],
  [
    "unknown-condition-key",
    "AWS has no condition key for the claim",
    handMade({
      ...subjects(onMain),
      StringEquals: { ...aud.StringEquals, [`${issuer}:oidc.circleci.com/vcs-ref`]: "refs/heads/main" },
    }),
  ],
  [
    "unknown-condition-key",
    "AWS has no condition key for contexts",
    handMade({ ...subjects(onMain), "ForAnyValue:StringEquals": { [`${issuer}:oidc.circleci.com/context-ids`]: "x" } }),
  ],
  [
    "unknown-condition-key",
    "the key begins with https://",
    handMade({ ...aud, StringLike: { [`https://${sub}`]: onMain } }),
  ],
  [
    "unknown-condition-key",
    "the key is for another organization",
    handMade({ ...aud, StringLike: { [`oidc.circleci.com/org/${otherOrganization}:sub`]: onMain } }),
  ],
  ["wildcard-action", "every action of STS is allowed", handMade(subjects(onMain), { Action: "sts:*" })],
  [
    "wildcard-action",
    "every action except one is allowed",
    handMade(subjects(onMain), { Action: undefined, NotAction: "sts:AssumeRole" }),
  ],
  [
    "literal-wildcard",
    "StringEquals compares a pattern",
    handMade({ StringEquals: { ...aud.StringEquals, [sub]: `${jobs}/user/*` } }),
  ],
  [
    "unmatched-subject",
    "the organization is another",
    handMade(subjects(`org/${otherOrganization}/project/${project}/user/*`)),
  ],
  [
    "unmatched-subject",
    "the project is in upper case",
    handMade(subjects(`org/${organization}/project/${project.toUpperCase()}/user/*`)),
  ],
  ["unmatched-subject", "the ref lacks refs/heads/", handMade(subjects(onMain.replace("refs/heads/", "")))],
  [
    "unmatched-subject",
    "the repository is a URL",
    handMade(subjects(onMain.replace("github.com", "https://github.com"))),
  ],
  ["v1-subject", "the subject ends with the user", handMade(subjects(`${jobs}/user/${user}`))],
  [
    "v1-subject",
    "the subject equals one that ends with the user",
    handMade({ StringEquals: { ...aud.StringEquals, [sub]: `${jobs}/user/${user}` } }),
  ],
  ["ref-without-effect", "main is listed and any ref is trusted", handMade(subjects(onMain, `${jobs}/user/*`))],
  ["forgeable-subject", "the user is *, as CircleCI documents it", handMade(subjects(documented))],
  [
    "no-circleci-trust",
    "only a service is trusted",
    handMade(undefined, { Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }),
  ],
];

test.each(faulty)("%s is reported when %s, and the fixed statement does not have it", (name, _why, trustPolicy) => {
  const found = lintTrust({ trustPolicy }).filter((finding) => finding.name === name);
  expect(found).not.toHaveLength(0);
  for (const { fixed, attack, problem } of found) {
    expect([attack, problem]).not.toContain("");
    if (fixed === undefined) continue;
    const rest = lintTrust({ trustPolicy: { Version: "2012-10-17", Statement: [fixed] } }).filter(
      (finding) => finding.name === name,
    );
    expect(rest.length).toBeLessThan(found.length);
  }
});

test.each(faulty)("after %s is fixed when %s, no fixable finding remains", (_name, _why, trustPolicy) => {
  const fixed = fixTrust({ trustPolicy });
  if (fixed === undefined) return;
  expect(lintTrust({ trustPolicy: fixed }).filter(({ fixed }) => fixed !== undefined)).toEqual([]);
});

test("accepted findings are not fixed", () => {
  const fixed = fixTrust({ trustPolicy: handMade(undefined) }, ["no-subject"]);
  expect(lintTrust({ trustPolicy: fixed }).map(({ name }) => name)).toEqual(["no-subject"]);
});

test("only the findings that apply are reported", () => {
  const names = (trustPolicy: unknown) => lintTrust({ trustPolicy }).map(({ name }) => name);
  expect(names(handMade(subjects(onMain)))).toEqual([]);
  expect(names(handMade(subjects(documented)))).toEqual(["forgeable-subject"]);
  expect(names(handMade(aud))).toEqual(["no-subject"]);
  expect(names(handMade(subjects(`org/${organization}/*`)))).toEqual(["whole-organization"]);
  expect(names(handMade(undefined))).toEqual(["no-audience", "no-subject"]);
  expect(names(handMade({ ...aud, StringLike: { [`https://${sub}`]: onMain } }))).toEqual(["unknown-condition-key"]);
});

test("trust in a whole organization includes its audit log streaming", () => {
  const problem = (pattern: string) => lintTrust({ trustPolicy: handMade(subjects(pattern)) })[0]?.problem;
  expect(problem(`org/${organization}/*`)).toContain("audit log streaming");
  expect(problem(`org/${organization}/project/*`)).not.toContain("audit log streaming");
});

const forgeries: [pattern: string, branch: string][] = [
  [documented, `e/vcs-origin/${repository}/vcs-ref/refs/heads/main`],
  [`${jobs}/user/*/vcs-origin/${repository}/vcs-ref/refs/tags/v*`, `e/vcs-origin/${repository}/vcs-ref/refs/tags/vx`],
  [`${jobs}/user/${user}/vcs-origin/*/vcs-ref/refs/heads/main`, "e/vcs-ref/refs/heads/main"],
  [`${jobs}/*/vcs-ref/refs/heads/main`, "e/vcs-ref/refs/heads/main"],
  [`${jobs}/user/*refs/heads/main`, "erefs/heads/main"],
  [`${jobs}/*main`, "emain"],
];

test.each(forgeries)("%s: the reported branch name is valid in git and forges the subject", (pattern, branch) => {
  const trustPolicy = handMade(subjects(pattern));
  const found = lintTrust({ trustPolicy }).find(({ name }) => name === "forgeable-subject");
  expect(found?.branch).toBe(branch);
  expect(isRefName(branch)).toBe(true);
  const forged = claims({ ref: `refs/heads/${branch}` });
  expect(decideTrust(trustPolicy, forged, account, now).outcome).toBe("allowed");
  const fixed = { ...trustPolicy, Statement: [found?.fixed ?? statements(trustPolicy)[0]] as never };
  expect(decideTrust(fixed, forged, account, now).outcome).toBe("refused");
});

test.each([
  `${jobs}/user/????????-????-????-????-????????????/vcs-origin/github.com/other/*/vcs-ref/refs/heads/main`,
  `${jobs}/user/aaaa*/vcs-origin/github.com/other/x?/vcs-ref/refs/heads/main`,
  `${jobs}/user/aaaa????-*/vcs-ref/refs/heads/main`,
])("a forging branch is found when user and repository are patterns: %s", (pattern) => {
  const names = lintTrust({ trustPolicy: handMade(subjects(pattern)) }).map(({ name }) => name);
  expect(names).toContain("forgeable-subject");
});

const harmless = [
  onMain,
  onMain.replace("main", "release/*"),
  `${jobs}/user/*`,
  `${jobs}/user/${user}/*`,
  onMain.replace("main", "release/*/hotfix"),
  onMain.replace("heads/main", "tags/v?.?"),
];

test.each(harmless)("no finding for %s, which no branch can forge", (pattern) => {
  expect(lintTrust({ trustPolicy: handMade(subjects(pattern)) })).toEqual([]);
});

const rules = [
  { project, refs: "any" as const },
  { project, refs: "any" as const, users: [user] },
  { project, repository, branches: ["main", "release/*"], tags: ["v*"] },
  { project, repository, branches: ["*"], users: [user] },
];

test.each(rules)("a trust rule of the configuration has no findings: %j", (rule) => {
  const policies = [{ name: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" }];
  expect(lintTrust({ trustPolicy: trusting(rule), policies })).toEqual([]);
});

const anyRefCases: [expected: string | undefined, rule: Parameters<typeof trusting>[0]][] = [
  ["error", { project, refs: "any" }],
  ["error", { project, repository, branches: ["*"] }],
  ["error", { project, repository, tags: ["*"] }],
  ["warning", { project, repository, branches: ["main"], tags: ["v*"] }],
  ["warning", { project, repository, tags: ["v1"] }],
  ["warning", { project, repository, branches: ["main", "release/*"] }],
  [undefined, { project, repository, branches: ["main", "release/1"] }],
];

test.each(anyRefCases)("administrator-any-ref is reported (%s) for %j", (expected, rule) => {
  const found = lintTrust({ trustPolicy: trusting(rule), policies: administrator });
  expect(found.map(({ name, severity }) => [name, severity])).toEqual(
    expected ? [["administrator-any-ref", expected]] : [],
  );
});

test("an administrator is recognized by the permissions of the policy, not by its name", () => {
  const policy = (Action: string, Resource: string) => ({
    name: "deploy",
    document: { Version: "2012-10-17" as const, Statement: [{ Effect: "Allow" as const, Action, Resource }] },
  });
  const trustPolicy = trusting({ project, refs: "any" });
  const found = (Action: string, Resource: string) =>
    lintTrust({ trustPolicy, policies: [policy(Action, Resource)] }).map(({ severity }) => severity);
  expect(found("*", "*")).toEqual(["error"]);
  expect(found("iam:*", "arn:aws:iam::123456789012:*")).toEqual(["error"]);
  expect(found("iam:PutRolePolicy", "arn:aws:iam::123456789012:role/site-*")).toEqual(["error"]);
  expect(found("iam:PassRole", "arn:aws:iam::123456789012:role/site")).toEqual(["warning"]);
  expect(found("s3:*", "*")).toEqual([]);
});

test("an unknown condition key is an error if the condition restricts nothing", () => {
  const key = `${issuer}:oidc.circleci.com/ssh-rerun`;
  const severity = (condition: object, statement: object) =>
    lintTrust({ trustPolicy: handMade(condition, statement) }).find(({ name }) => name === "unknown-condition-key")
      ?.severity;
  expect(severity({ ...subjects(onMain), Bool: { [key]: "false" } }, {})).toBe("warning");
  expect(severity({ ...subjects(onMain), BoolIfExists: { [key]: "false" } }, {})).toBe("error");
  expect(severity({ ...subjects(onMain), StringNotEquals: { [key]: "true" } }, {})).toBe("error");
  expect(severity({ Bool: { [key]: "true" } }, { Effect: "Deny" })).toBe("error");
});

test("the issuer of a CircleCI server is accepted if its host is given", () => {
  const text = JSON.stringify(handMade(aud)).replaceAll("oidc.circleci.com", "ci.example.com");
  const names = (servers: string[]) => lintTrust({ trustPolicy: JSON.parse(text), servers }).map(({ name }) => name);
  expect(names(["ci.example.com"])).toEqual(["no-subject"]);
  expect(names([])).toEqual(["other-principal", "no-subject"]);
});

test("a provider of another account is reported if the role's account is known", () => {
  const names = (accountId?: string) =>
    lintTrust({ trustPolicy: handMade(subjects(onMain)), accountId }).map(({ name }) => name);
  expect(names("123456789012")).toEqual([]);
  expect(names("210987654321")).toEqual(["other-principal"]);
  expect(names()).toEqual([]);
});

test("the form of a condition is checked even if its key or a policy variable in it is unknown", () => {
  const problems = (condition: object) =>
    lintTrust({ trustPolicy: handMade({ ...subjects(onMain), ...condition }) })
      .filter(({ name }) => name === "malformed-policy")
      .map(({ problem }) => problem);
  expect(problems({ Bool: { [`${issuer}:ssh-rerun`]: "maybe" } })).toEqual(['malformed value "maybe"']);
  expect(problems({ Null: { "x:y": "maybe" } })).toEqual(['the value of Null must be "true" or "false"']);
  expect(problems({ ArnLike: { "aws:SourceArn": "${aws:username} ${" } })).toEqual([
    'policy variable without a closing brace in "${aws:username} ${"',
  ]);
  expect(problems({ NumericLessThan: { "aws:CurrentTime": "5" } })).toEqual([
    "the value in the request has another type",
  ]);
});

test("the account is that of the issuer's provider, not of another trusted principal", () => {
  const trustPolicy = handMade(subjects(`${jobs}/user/*`), {
    Principal: { AWS: "arn:aws:iam::999999999999:root", Federated: provider },
  });
  const names = lintTrust({ trustPolicy, policies: administrator }).map(({ name }) => name);
  expect(names).toEqual(["other-principal", "administrator-any-ref"]);
});
