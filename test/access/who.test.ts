import type { EnvironmentAccess } from "../../keyless/access/matrix";
import { projectsWithoutRepository, reachOfProject, reachOfRepository, reachOfToken } from "../../keyless/access/who";
import { parseRef } from "../../keyless/trust/circleci";
import type { Claims } from "../../keyless/trust/token";
import { growth } from "../growth";
import { configOf, manyRoles, ORGANIZATION, OTHER_PROJECT, PROJECT, SITE, USER } from "./configurations";

const config = configOf({
  dev: {
    main: { trust: [{ ...SITE, branches: ["main"] }] },
    any: { trust: [{ project: PROJECT, refs: "any" }] },
    mine: { trust: [{ ...SITE, branches: ["*"], users: [USER] }] },
    other: { trust: [{ project: OTHER_PROJECT, refs: "any" }] },
  },
  prod: {
    release: {
      trust: [
        { ...SITE, tags: ["v*"] },
        { ...SITE, branches: ["main"] },
      ],
    },
  },
});

function token(ref: string, claims: Partial<Claims> = {}): Claims {
  const user = "99999999-aaaa-4bbb-8ccc-dddddddddddd";
  return {
    iss: `https://oidc.circleci.com/org/${ORGANIZATION}`,
    aud: ORGANIZATION,
    sub: `org/${ORGANIZATION}/project/${PROJECT}/user/${user}/vcs-origin/github.com/acme/site/vcs-ref/${ref}`,
    ...claims,
  };
}

function roles(access: readonly EnvironmentAccess[]): string[] {
  return access.flatMap(({ name, roles }) => roles.map((role) => `${name}/${role.name}`));
}

describe("a token", () => {
  test("reaches the roles whose trust policy lets it in, and no others", () => {
    expect(roles(reachOfToken(config, token("refs/heads/main")))).toEqual(["dev/main", "dev/any", "prod/release"]);
    expect(roles(reachOfToken(config, token("refs/tags/v1")))).toEqual(["dev/any", "prod/release"]);
  });

  test("is shown with the rule that lets it in", () => {
    const [, prod] = reachOfToken(config, token("refs/tags/v1"));
    expect(prod?.roles[0]?.sources.map(({ refs }) => refs)).toEqual([["tag v*"]]);
  });

  test.each([
    ["another issuer", { iss: "https://oidc.circleci.com/org/99999999-2222-4333-8444-555555555555" }],
    ["another audience", { aud: "sts.amazonaws.com" }],
    ["a subject in upper case", { sub: token("refs/heads/main").sub.toUpperCase() }],
  ])("of %s reaches nothing", (_what, claims) => {
    expect(reachOfToken(config, token("refs/heads/main", claims))).toEqual([]);
  });

  test("is decided against many roles in time in proportion to their number", () => {
    const [small, large] = [configOf({ dev: manyRoles(500) }), configOf({ dev: manyRoles(1000) })];
    const reach = (size: number) =>
      expect(roles(reachOfToken(size > 500 ? large : small, token("refs/heads/main"))).length).toBeGreaterThan(150);
    expect(growth(reach, 500)).toBeLessThan(8);
  });
});

test("a project reaches every role that some token of it can assume", () => {
  expect(roles(reachOfProject(config, PROJECT))).toEqual(["dev/main", "dev/any", "dev/mine", "prod/release"]);
  expect(roles(reachOfProject(config, OTHER_PROJECT))).toEqual(["dev/other"]);
});

describe("a repository", () => {
  const reached = (ref?: string) =>
    roles(reachOfRepository(config, "github.com/acme/site", ref === undefined ? undefined : parseRef(ref)));

  test("reaches what its project does", () => {
    expect(reached()).toEqual(["dev/main", "dev/any", "dev/mine", "prod/release"]);
    expect(reachOfRepository(config, "github.com/acme/sit")).toEqual([]);
  });

  test("reaches at a ref what a job of it can assume with one of its tokens, started by whomever", () => {
    expect(reached("refs/heads/feature")).toEqual(["dev/any", "dev/mine"]);
    expect(reached("refs/heads/main")).toEqual(["dev/main", "dev/any", "dev/mine", "prod/release"]);
    expect(reached("refs/tags/v1")).toEqual(["dev/any", "prod/release"]);
  });

  test("gains nothing by a branch that spells out another one behind its name", () => {
    expect(reached("refs/heads/x/vcs-origin/github.com/acme/site/vcs-ref/refs/heads/main")).toEqual([
      "dev/any",
      "dev/mine",
    ]);
  });

  test("is not known for a project that is trusted as a whole and named nowhere else", () => {
    expect(projectsWithoutRepository(config)).toEqual([OTHER_PROJECT]);
  });
});
