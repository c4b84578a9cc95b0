import {
  ANY_USER,
  auditLogSubject,
  describeRef,
  describeSubject,
  formatIssuer,
  formatRef,
  formatSubject,
  imitatingBranch,
  isPinnedSubject,
  isRepository,
  organizationOf,
  parseIssuer,
  parseRef,
  parseSubject,
  type Ref,
} from "../../keyless/trust/circleci";
import { issuerOfArn, parseProviderArn, providerArn } from "../../keyless/trust/provider";
import { account, issuer, organization, project, provider, repository, user } from "./tokens";

const start = `org/${organization}/project/${project}`;

describe("a ref", () => {
  test.each<[text: string, ref: Ref, description: string]>([
    ["refs/heads/main", { kind: "branch", name: "main" }, "branch main"],
    ["refs/heads/feature/a", { kind: "branch", name: "feature/a" }, "branch feature/a"],
    ["refs/heads/refs/tags/v1", { kind: "branch", name: "refs/tags/v1" }, "branch refs/tags/v1"],
    ["refs/tags/v*", { kind: "tag", name: "v*" }, "tag v*"],
    ["refs/tags/*", { kind: "tag", name: "*" }, "any tag"],
  ])("%s is parsed, formatted and described", (text, ref, description) => {
    expect(parseRef(text)).toEqual(ref);
    expect(formatRef(ref)).toBe(text);
    expect(describeRef(ref)).toBe(description);
  });

  test.each(["", "main", "refs/heads", "refs/heads/", "refs/tags/", "refs/pull/1/head", "*", "refs/*", "Refs/heads/x"])(
    "%j is not a full ref",
    (text) => expect(parseRef(text)).toBeUndefined(),
  );
});

describe("an issuer", () => {
  test("is parsed and formatted, of circleci.com or of a server", () => {
    expect(formatIssuer({ organization })).toBe(`oidc.circleci.com/org/${organization}`);
    expect(parseIssuer(formatIssuer({ host: "ci.example.com", organization }))).toEqual({
      host: "ci.example.com",
      organization,
    });
    expect(parseIssuer("token.actions.githubusercontent.com")).toBeUndefined();
  });

  test("has an organization only if its host is circleci.com's or a given server's", () => {
    const server = formatIssuer({ host: "ci.example.com", organization });
    expect(organizationOf(issuer)).toBe(organization);
    expect(organizationOf(server)).toBeUndefined();
    expect(organizationOf(server, ["ci.example.com"])).toBe(organization);
  });

  test("is parsed from the ARN of its provider", () => {
    expect(providerArn(issuer, account)).toBe(provider);
    expect(parseProviderArn(provider)).toEqual({ ...account, issuer });
    expect(issuerOfArn(provider)).toBe(issuer);
    expect(parseProviderArn("arn:aws:iam::123456789012:role/x")).toBeUndefined();
    expect(issuerOfArn("x")).toBe("x");
  });
});

describe("a subject", () => {
  test("has the V1 form without repository and ref, and the V2 form with both", () => {
    const v1 = { organization, project, user };
    const v2 = { ...v1, repository, ref: "refs/heads/main" };
    expect(formatSubject(v1)).toBe(`${start}/user/${user}`);
    expect(formatSubject(v2)).toBe(`${start}/user/${user}/vcs-origin/${repository}/vcs-ref/refs/heads/main`);
    expect({ ...parseSubject(formatSubject(v2)) }).toEqual(v2);
  });

  test("of the audit log streamer is not a job's", () => {
    expect({ ...parseSubject(auditLogSubject(organization)) }).not.toHaveProperty("project", expect.anything());
  });
});

const onMain = `vcs-origin/${repository}/vcs-ref/refs/heads/main`;
const pinned = { organization, project };

describe("a subject pattern", () => {
  test.each<[pattern: string, scope: ReturnType<typeof describeSubject>]>([
    ["*", { kind: "any" }],
    ["org/a$" + "{*}b", { kind: "literal", subject: "org/a*b" }],
    [`org/${organization}/*`, { kind: "organization", organization }],
    [`org/${organization}/project/*`, { kind: "organization", organization }],
    [`${start}/*`, { kind: "project", ...pinned, rest: "*" }],
    [`${start}/user/*`, { kind: "project", ...pinned, rest: "user/*" }],
    [`${start}/user/${user}`, { kind: "v1", ...pinned, user, rest: `user/${user}` }],
    [`${start}/user/${ANY_USER}`, { kind: "v1", ...pinned, rest: `user/${ANY_USER}` }],
    [`${start}/user/${user}/*`, { kind: "partial", ...pinned, rest: `user/${user}/*` }],
    [`${start}/x/user/${user}`, { kind: "partial", ...pinned, user, rest: `x/user/${user}` }],
    [`${start}/user/*/vcs-origin/*`, { kind: "partial", ...pinned, rest: "user/*/vcs-origin/*" }],
    ["org/*/project/*/user/*", { kind: "other" }],
    [`${start}*`, { kind: "other" }],
  ])("%s is classified", (pattern, scope) => {
    expect(describeSubject(pattern)).toEqual(scope);
  });

  test.each<[user: string, forgeable: boolean]>([
    [user, false],
    [ANY_USER, false],
    ["aaaaaaaa-????-????-????-????????????", false],
    ["*", true],
    ["a*", true],
    // `?` also matches `/`, so that wildcards of another length than an id's can match more than the user.
    ["?".repeat(80), true],
  ])("with the user %s and a ref can be forged: %s", (user, forgeable) => {
    const scope = describeSubject(`${start}/user/${user}/${onMain}`);
    expect(scope).toMatchObject({ kind: "ref", repository, ref: "refs/heads/main", forgeable });
  });

  test("is split at the first occurrence of a prefix, not at one in a branch name", () => {
    const ref = formatRef({ kind: "branch", name: imitatingBranch(repository, { kind: "branch", name: "main" }) });
    const scope = describeSubject(formatSubject({ ...pinned, user, repository, ref }));
    expect(scope).toMatchObject({ kind: "ref", repository, ref });
  });

  test.each([
    [`${start}/user/*`, true],
    [`${start}*`, true],
    [start, true],
    [`org/${organization}/project/6666*`, false],
    [`org/*/project/${project}/user/*`, false],
    [`org/${organization}/*`, false],
    ["*", false],
  ])("%s pins a project: %s", (pattern, isPinned) => {
    expect(isPinnedSubject(pattern)).toBe(isPinned);
  });
});

test.each([
  ["github.com/acme/site", true],
  ["gitlab.com/a/b/c", true],
  ["https://github.com/acme/site", false],
  ["github.com/acme/site.git", false],
  ["github.com/acme", false],
  ["gitlab.com/a/b/vcs-ref/refs", false],
])("%s is a repository as tokens contain it: %s", (text, expected) => {
  expect(isRepository(text)).toBe(expected);
});
