import { decideTrust } from "../../keyless/trust/decide";
import { fixTrust, lintTrust } from "../../keyless/trust/lint";
import type { LintFinding } from "../../keyless/trust/lint/findings";
import {
  account,
  aud,
  claims,
  handMade,
  issuer,
  now,
  organization,
  otherProject,
  project,
  provider,
  repository,
  subjects,
  trusting,
  user,
} from "./tokens";

const sub = `${issuer}:sub`;
const projectId = `${issuer}:oidc.circleci.com/project-id`;
const jobs = `org/${organization}/project/${project}`;
const job = `${jobs}/user/????????-????-????-????-????????????/vcs-origin/${repository}`;
const onMain = `${job}/vcs-ref/refs/heads/main`;
const documented = `${jobs}/user/*/vcs-origin/${repository}/vcs-ref/refs/heads/main`;
const equals = (conditions: object) => ({ StringEquals: { ...aud.StringEquals, ...conditions } });

function lint(trustPolicy: unknown, severity?: LintFinding["severity"]): string[] {
  return lintTrust({ trustPolicy })
    .filter((found) => severity === undefined || found.severity === severity)
    .map(({ name }) => name);
}

/** The trust policy with a Deny of every subject except these. */
function denyingOthers(allow: object, exempt: object, operator = "StringNotLike") {
  const [statement] = handMade(allow).Statement;
  const [deny] = handMade({ [operator]: exempt }, { Effect: "Deny" }).Statement;
  return { Version: "2012-10-17" as const, Statement: [statement, deny] };
}

function issuedBy(host: string, condition: object, to = host) {
  return JSON.parse(
    JSON.stringify(handMade(condition))
      .replaceAll(`oidc-provider/${issuer}`, `oidc-provider/${to}`)
      .replaceAll(`${issuer}:`, `${host}:`),
  );
}

const unintended: [name: string, why: string, trustPolicy: unknown][] = [
  ["forgeable-subject", "any kind of ref that ends with main", handMade(subjects(`${job}/vcs-ref/refs/*/main`))],
  ["forgeable-subject", "any ref that ends with main", handMade(subjects(`${job}/vcs-ref/*main`))],
  ["forgeable-subject", "any ref whose last part is main", handMade(subjects(`${job}/vcs-ref/*/main`))],
  ["forgeable-subject", "any branch whose name ends with main", handMade(subjects(`${job}/vcs-ref/refs/heads/*main`))],
  ["forgeable-subject", "a ref of any kind", handMade(subjects(`${job}/vcs-ref/refs/h*/main`))],
  [
    "forgeable-subject",
    "a user of any length",
    handMade(subjects(onMain.replace(/user\/[?-]+/, `user/${"?".repeat(110)}`))),
  ],
  [
    "forgeable-subject",
    "a Deny with an exemption that can be forged",
    denyingOthers(subjects(`${jobs}/user/*`), { [sub]: documented }),
  ],
  [
    "no-subject",
    "a tag of the session whose name ends with :sub",
    handMade({ ...aud, StringLike: { "aws:RequestTag/x:sub": onMain } }),
  ],
  [
    "no-subject",
    "another issuer's subject, excluded",
    handMade({ ...aud, StringNotLike: { "token.actions.githubusercontent.com:sub": "x" } }),
  ],
  [
    "optional-condition",
    "an optional project's id, which audit log streaming does not have",
    handMade({ ...aud, StringEqualsIfExists: { [projectId]: project } }),
  ],
  [
    "no-audience",
    "a tag of the session whose name ends with :aud",
    handMade({ StringLike: { "aws:RequestTag/x:aud": "x", [sub]: onMain } }),
  ],
  ["no-audience", "the project without the audience", handMade({ StringEquals: { [projectId]: project } })],
  ["no-subject", "a pattern for the project", handMade({ ...aud, StringLike: { [projectId]: "*" } })],
  ["no-subject", "a negated project", handMade({ ...aud, StringNotEquals: { [projectId]: otherProject } })],
  [
    "whole-organization",
    "a server that is not named",
    issuedBy(`ci.example.com/org/${organization}`, subjects(`org/${organization}/*`)),
  ],
  [
    "whole-organization",
    "the root issuer of a server that is not named",
    issuedBy("ci.example.com", subjects(`org/${organization}/*`)),
  ],
  ["no-subject", "the root issuer by the audience alone", issuedBy("oidc.circleci.com", aud)],
  ["whole-organization", "every subject of the root issuer", issuedBy("oidc.circleci.com", subjects("*"))],
  [
    "whole-organization",
    "any project of the root issuer",
    issuedBy("oidc.circleci.com", subjects(`org/${organization}/project/*`)),
  ],
  [
    "unpinned-subject",
    "a project after a wildcard, which a branch of another project can contain",
    handMade(subjects(`org/${organization}/*/project/${project}/user/*`)),
  ],
  [
    "whole-organization",
    "a Deny that an attacker avoids",
    {
      ...denyingOthers(subjects(`org/${organization}/*`), { [sub]: onMain, "aws:SourceIp": "192.0.2.1" }),
    },
  ],
];

test.each(unintended)("%s is an error for %s", (name, _why, trustPolicy) => {
  expect(lint(trustPolicy, "error")).toContain(name);
  const fixed = fixTrust({ trustPolicy });
  expect(lint(fixed, "error")).toEqual([]);
});

const warned: [name: string, why: string, trustPolicy: unknown][] = [
  ["forgeable-subject", "any branch with a last part", handMade(subjects(`${job}/vcs-ref/refs/heads/*/hotfix`))],
  [
    "forgeable-subject",
    "a fork that names the repository in a branch",
    handMade(subjects(`${jobs}/user/*/vcs-origin/${repository}/*`)),
  ],
  ["any-ref-of-project", "the project by its condition key alone", handMade(equals({ [projectId]: project }))],
  [
    "any-ref-of-project",
    "a whole organization and a project",
    handMade({ ...equals({ [projectId]: project }), StringLike: { [sub]: `org/${organization}/*` } }),
  ],
  ...["oidc.circleci.com/project-id", `${issuer}:project-id`, `${issuer}:project_id`, `${issuer}:projectId`].map(
    (key): (typeof warned)[number] => [
      "unknown-condition-key",
      `the project's id under the key ${key}`,
      handMade({ ...equals({ [key]: project }), StringLike: { [sub]: onMain } }),
    ],
  ),
  [
    "unmatched-project",
    "another project than the subject's",
    handMade({ ...equals({ [projectId]: otherProject }), StringLike: { [sub]: onMain } }),
  ],
  [
    "unmatched-project",
    "the subject's project, excluded",
    handMade({ ...subjects(onMain), StringNotEquals: { [projectId]: project } }),
  ],
  [
    "unmatched-project",
    "an id in upper case",
    handMade({ ...equals({ [projectId]: project.toUpperCase() }), StringLike: { [sub]: onMain } }),
  ],
  ["unmatched-project", "a name in place of the id", handMade(equals({ [projectId]: "gh/acme/site" }))],
  [
    "unmatched-project",
    "one name beside an id",
    handMade({ ...subjects(onMain), ...equals({ [projectId]: [project, ""] }) }),
  ],
  [
    "literal-wildcard",
    "a pattern for the id that is compared literally",
    handMade(equals({ [projectId]: `${project.slice(0, 8)}*` })),
  ],
  [
    "unmatched-subject",
    "a second project whose id is not listed",
    handMade({
      ...equals({ [projectId]: project }),
      StringLike: { [sub]: [onMain, onMain.replace(project, otherProject)] },
    }),
  ],
  [
    "ref-without-effect",
    "a ref in another statement than the rule for any ref",
    trusting({ project, refs: "any" }, { project, repository, branches: ["main"] }),
  ],
  [
    "unknown-condition-key",
    "a role that the issuer authorizes",
    handMade({ ...subjects(onMain), Bool: { "sts:RoleAuthorizedByIdp": "true" } }),
  ],
  [
    "unknown-condition-key",
    "a role that the issuer authorizes, without a subject",
    handMade({ Bool: { "sts:RoleAuthorizedByIdp": "true" } }),
  ],
];

test.each(warned)("%s is a warning for %s", (name, _why, trustPolicy) => {
  expect(lint(trustPolicy)).toEqual([name]);
  expect(lint(trustPolicy, "warning")).toEqual([name]);
});

test.each([
  ["a CircleCI server", `ci.example.com/org/${organization}`],
  ["the root issuer", "oidc.circleci.com"],
])("AWS does not have the condition key of the project's id for %s", (_, host) => {
  const condition = { ...equals({ [projectId]: project }), StringLike: { [sub]: onMain } };
  const trustPolicy = issuedBy(host, condition);
  const [found, ...others] = lintTrust({ trustPolicy, servers: ["ci.example.com"] });
  expect([found?.name, found?.attack, others]).toEqual([
    "unknown-condition-key",
    "none: the condition is never true, so that no token matches",
    [],
  ]);
  expect(JSON.stringify(found?.fixed)).not.toContain("project-id");
});

const intended: [why: string, trustPolicy: unknown][] = [
  [
    "a pinning StringLike beside StringNotLike",
    handMade({ ...subjects(`${jobs}/user/*`), StringNotLike: { [sub]: `${job}/vcs-ref/refs/heads/dev` } }),
  ],
  [
    "a pinned ref beside StringNotLike",
    handMade({ ...subjects(`${job}/vcs-ref/refs/heads/release/*`), StringNotLike: { [sub]: "*/wip" } }),
  ],
  [
    "ForAllValues of a required audience",
    handMade({
      "ForAllValues:StringEquals": { [`${issuer}:aud`]: organization },
      Null: { [`${issuer}:aud`]: "false" },
      StringLike: { [sub]: onMain },
    }),
  ],
  [
    "ForAllValues of a required subject",
    handMade({ ...aud, "ForAllValues:StringLike": { [sub]: [onMain] }, Null: { [sub]: "false" } }),
  ],
  [
    "IfExists beside a required subject",
    handMade({ ...aud, StringLikeIfExists: { [sub]: `${jobs}/*` }, StringLike: { [sub]: onMain } }),
  ],
  [
    "a whole organization under a Deny of everything but main",
    denyingOthers(subjects(`org/${organization}/*`), { [sub]: onMain }),
  ],
  ["no subject under a Deny of everything but main", denyingOthers(aud, { [sub]: onMain })],
  [
    "no audience under a Deny of every other",
    denyingOthers({ StringLike: { [sub]: onMain } }, { [`${issuer}:aud`]: organization }, "StringNotEquals"),
  ],
  [
    "a whole organization narrowed by StringEquals",
    handMade({
      ...equals({ [sub]: onMain.replace(/\?{4,12}/g, (run) => "a".repeat(run.length)) }),
      StringLike: { [sub]: `org/${organization}/*` },
    }),
  ],
  [
    "a forgeable pattern narrowed by another one",
    handMade({ ...subjects(documented), "ForAnyValue:StringLike": { [sub]: onMain } }),
  ],
  [
    "a pattern for the audience narrowed by StringEquals",
    handMade({ ...equals({}), StringLike: { [`${issuer}:aud`]: "*", [sub]: onMain } }),
  ],
  [
    "a project pinned by subject and condition key",
    handMade({ ...equals({ [projectId]: project }), StringLike: { [sub]: `${jobs}/user/*` } }),
  ],
  [
    "two projects pinned by subject and condition key, one by a pattern",
    handMade({
      StringEquals: { ...aud.StringEquals },
      StringLike: {
        [projectId]: [project, `${otherProject.slice(0, 8)}*`],
        [sub]: [onMain, onMain.replace(project, otherProject)],
      },
    }),
  ],
  [
    "an id that is compared without regard to case",
    handMade({ ...subjects(onMain), StringEqualsIgnoreCase: { [projectId]: project.toUpperCase() } }),
  ],
  [
    "any ref of one project and a ref of another",
    trusting({ project, refs: "any" }, { project: otherProject, repository, branches: ["main"] }),
  ],
  ["the root issuer with a pinned project", issuedBy("oidc.circleci.com", subjects(onMain))],
  [
    "a role that the issuer does not authorize",
    handMade({ ...subjects(onMain), Bool: { "sts:RoleAuthorizedByIdp": "false" } }),
  ],
  ["V1 tokens of a user and V2 tokens", handMade(subjects(`${jobs}/user/${user}`, `${jobs}/user/${user}/*`))],
];

test.each(intended)("there is no finding for %s", (_why, trustPolicy) => {
  expect(lint(trustPolicy)).toEqual([]);
});

const pinned: [pin: string, trustPolicy: ReturnType<typeof handMade>, lost: string][] = [
  ["the project", handMade({ StringEquals: { [projectId]: project } }), project],
  [
    "the project under a misspelled key",
    handMade({ ...equals({ [`${issuer}:project-id`]: project }), StringLike: { [sub]: onMain } }),
    `"${projectId}":"${project}"`,
  ],
  [
    "the project in upper case",
    handMade({ ...equals({ [projectId]: project.toUpperCase() }), StringLike: { [sub]: onMain } }),
    `"${projectId}":"${project}"`,
  ],
  ["the listed audience", handMade({ StringLike: { [`${issuer}:aud`]: ["vault", "x*"], [sub]: onMain } }), "vault"],
  ["the ref", handMade(subjects(documented.replace("heads/main", "tags/v?.?"))), "refs/tags/v?.?"],
  ["the kind of the ref", handMade(subjects(`${job}/vcs-ref/refs/heads/*/hotfix`)), "refs/heads/hotfix"],
  ["the end of the ref", handMade(subjects(`${job}/vcs-ref/*/release/1`)), "refs/heads/release/1"],
  ["the beginning of the user", handMade(subjects(documented.replace("user/*", "user/aaaa*"))), "user/aaaa????-"],
  [
    "another condition on the subject",
    handMade({ ...subjects(`${jobs}/*`), StringEqualsIgnoreCase: { [sub]: onMain.replace(/\?/g, "a") } }),
    `${jobs}/*`,
  ],
  [
    "a condition with a correct key",
    handMade({ ...aud, StringLike: { [sub]: `${jobs}/user/*`, [`https://${sub}`]: onMain } }),
    `${jobs}/user/*`,
  ],
];

test.each(pinned)("the fix keeps %s", (_pin, trustPolicy, kept) => {
  expect(JSON.stringify(fixTrust({ trustPolicy }))).toContain(kept);
});

test("the finding names a branch that the engine trusts, also if a Deny can be circumvented", () => {
  const trustPolicy = denyingOthers(subjects(`${jobs}/user/*`), { [sub]: documented });
  const [found] = lintTrust({ trustPolicy: trustPolicy as never });
  expect(found).toMatchObject({
    name: "forgeable-subject",
    statement: 1,
    branch: `e/vcs-origin/${repository}/vcs-ref/refs/heads/main`,
  });
  const forged = claims({ ref: `refs/heads/${found?.branch}` });
  expect(decideTrust(trustPolicy as never, forged, account, now).outcome).toBe("allowed");
  expect(decideTrust(fixTrust({ trustPolicy }) as never, forged, account, now).outcome).toBe("refused");
});

test("a policy that makes an administrator is reported in an account, whatever the trust", () => {
  const administrator = { name: "arn:aws:iam::aws:policy/AdministratorAccess" };
  const found = (configuredPolicies?: string[], pattern = onMain) =>
    lintTrust({ trustPolicy: handMade(subjects(pattern)), policies: [administrator], configuredPolicies }).map(
      ({ name, severity }) => [name, severity],
    );
  expect(found()).toEqual([]);
  expect(found([])).toEqual([["administrator-policy", "error"]]);
  expect(found([administrator.name])).toEqual([["administrator-policy", "warning"]]);
  expect(found([], `${jobs}/user/*`)).toEqual([["administrator-any-ref", "error"]]);
  const trustPolicy = handMade(undefined, { Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" });
  const names = lintTrust({ trustPolicy, policies: [administrator], configuredPolicies: [] }).map(({ name }) => name);
  expect(names).toContain("administrator-policy");
  expect(provider).toContain(account.accountId);
});
