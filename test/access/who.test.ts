import type { EnvironmentAccess } from "../../keyless/access/matrix";
import {
  accessOfProject,
  accessOfRepository,
  accessOfToken,
  projectsWithoutRepository,
} from "../../keyless/access/who";
import { PROJECT_CLAIM, parseRef } from "../../keyless/trust/circleci";
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
    [PROJECT_CLAIM]: PROJECT,
    ...claims,
  };
}

function roles(access: readonly EnvironmentAccess[]): string[] {
  return access.flatMap(({ name, roles }) => roles.map((role) => `${name}/${role.name}`));
}

describe("a token", () => {
  test("has the roles that trust it, and no others", () => {
    expect(roles(accessOfToken(config, token("refs/heads/main")))).toEqual(["dev/main", "dev/any", "prod/release"]);
    expect(roles(accessOfToken(config, token("refs/tags/v1")))).toEqual(["dev/any", "prod/release"]);
  });

  test("has only the sources that match it", () => {
    const [, prod] = accessOfToken(config, token("refs/tags/v1"));
    expect(prod?.roles[0]?.sources.map(({ refs }) => refs)).toEqual([[{ kind: "tag", name: "v*" }]]);
  });

  test.each([
    ["another issuer", { iss: "https://oidc.circleci.com/org/99999999-2222-4333-8444-555555555555" }],
    ["another audience", { aud: "sts.amazonaws.com" }],
    ["a subject in upper case", { sub: token("refs/heads/main").sub.toUpperCase() }],
  ])("of %s has no role", (_what, claims) => {
    expect(accessOfToken(config, token("refs/heads/main", claims))).toEqual([]);
  });

  test("is evaluated against many roles in linear time", () => {
    const [small, large] = [configOf({ dev: manyRoles(120) }), configOf({ dev: manyRoles(960) })];
    const evaluate = (count: number) => {
      const trusting = roles(accessOfToken(count === 120 ? small : large, token("refs/heads/main")));
      expect(trusting.length).toBeGreaterThan(count / 4);
    };
    expect(growth(evaluate, 120)).toBeLessThan(25);
  });
});

test("a project has every role that trusts one of its tokens", () => {
  expect(roles(accessOfProject(config, PROJECT))).toEqual(["dev/main", "dev/any", "dev/mine", "prod/release"]);
  expect(roles(accessOfProject(config, OTHER_PROJECT))).toEqual(["dev/other"]);
});

describe("a repository", () => {
  const reached = (ref?: string) =>
    roles(accessOfRepository(config, "github.com/acme/site", ref === undefined ? undefined : parseRef(ref)));

  test("has the roles of its project", () => {
    expect(reached()).toEqual(["dev/main", "dev/any", "dev/mine", "prod/release"]);
    expect(accessOfRepository(config, "github.com/acme/sit")).toEqual([]);
  });

  test("at a ref, has the roles that trust one of the tokens of its jobs, started by any user", () => {
    expect(reached("refs/heads/feature")).toEqual(["dev/any", "dev/mine"]);
    expect(reached("refs/heads/main")).toEqual(["dev/main", "dev/any", "dev/mine", "prod/release"]);
    expect(reached("refs/tags/v1")).toEqual(["dev/any", "prod/release"]);
  });

  test("has no more roles for a branch whose name contains the subject of another one", () => {
    expect(reached("refs/heads/x/vcs-origin/github.com/acme/site/vcs-ref/refs/heads/main")).toEqual([
      "dev/any",
      "dev/mine",
    ]);
  });

  test("is unknown for a project that only rules without a repository trust", () => {
    expect(projectsWithoutRepository(config)).toEqual([OTHER_PROJECT]);
  });
});
