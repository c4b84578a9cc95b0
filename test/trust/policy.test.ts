import { statements } from "../../keyless/policy/document";
import { PROJECT_CLAIM, type TrustRule } from "../../keyless/trust/circleci";
import { decideTrust } from "../../keyless/trust/decide";
import { trustConditions, trustPolicy } from "../../keyless/trust/policy";
import type { Claims } from "../../keyless/trust/token";
import {
  account,
  claims,
  issuer,
  organization,
  otherProject,
  otherUser,
  project,
  repository,
  trusting,
  user,
} from "./tokens";

const server = `ci.example.com/org/${organization}`;
const pinKey = `${issuer}:${PROJECT_CLAIM}`;
const anyRef: TrustRule = { project, refs: "any" };
const onMain: TrustRule = { project: otherProject, repository, branches: ["main"] };

/** The values that each statement requires of the claim, none for a statement without the condition. */
const pins = (rules: readonly TrustRule[], by = issuer) =>
  trustConditions({ issuer: by, organizationId: organization, audiences: [organization], rules }).map((conditions) =>
    conditions.flatMap(({ variable, values }) => (variable === `${by}:${PROJECT_CLAIM}` ? values : [])),
  );

const isTrusted = (rules: readonly TrustRule[], token: Claims) =>
  decideTrust(trusting(...rules), token, account).outcome === "allowed";

describe("a rule for any ref", () => {
  test("pins the project by its id, beside the audience and the subject", () => {
    const [statement, ...others] = statements(trusting(anyRef));
    expect(others).toEqual([]);
    expect(statement?.Condition).toEqual({
      StringEquals: { [`${issuer}:aud`]: organization, [pinKey]: project },
      StringLike: { [`${issuer}:sub`]: `org/${organization}/project/${project}/user/*` },
    });
  });

  test.each([
    ["of the project", { v1: true }, true],
    ["of a branch of the project", {}, true],
    ["with another project's id", { [PROJECT_CLAIM]: otherProject }, false],
    ["with an id in upper case", { [PROJECT_CLAIM]: project.toUpperCase() }, false],
    ["with several ids", { [PROJECT_CLAIM]: [project, otherProject] }, false],
    ["without the claim", { [PROJECT_CLAIM]: undefined }, false],
    ["of another project", { project: otherProject }, false],
    ["of another project with the id of this one", { project: otherProject, [PROJECT_CLAIM]: project }, false],
  ])("a token %s: %j", (_, changes, expected) => {
    expect(isTrusted([anyRef], claims(changes))).toBe(expected);
  });

  test("of certain users has the pin too", () => {
    const rule: TrustRule = { ...anyRef, users: [user] };
    expect(pins([rule])).toEqual([[project]]);
    expect([isTrusted([rule], claims()), isTrusted([rule], claims({ user: otherUser }))]).toEqual([true, false]);
  });

  test("of several projects is one statement with each project once", () => {
    expect(pins([{ ...anyRef, project: otherProject }, anyRef, anyRef])).toEqual([[project, otherProject]]);
  });

  test("has no pin for a CircleCI server, whose claims AWS has no condition keys for", () => {
    expect(pins([anyRef, onMain], server)).toEqual([[]]);
    const trust = { providerArn: `arn:aws:iam::${account.accountId}:oidc-provider/${server}`, issuer: server };
    const policy = trustPolicy({ ...trust, organizationId: organization, audiences: [organization], rules: [anyRef] });
    expect(decideTrust(policy, claims({ iss: `https://${server}` }), account).outcome).toBe("allowed");
  });
});

describe("other rules", () => {
  test("have no pin, so that their trust policy is that of the documented module", () => {
    expect(pins([onMain, { subject: `org/${organization}/project/${project}/user/*` }])).toEqual([[]]);
  });

  test("have a statement of their own beside rules for any ref", () => {
    const rules = [anyRef, onMain];
    expect(pins(rules)).toEqual([[], [project]]);
    expect(trusting(...rules)).toEqual(trusting(...[...rules].reverse()));
    const other = { project: otherProject };
    expect([
      isTrusted(rules, claims()),
      isTrusted(rules, claims(other)),
      isTrusted(rules, claims({ ...other, ref: "refs/heads/x" })),
      // A forged subject of the project whose refs are all trusted.
      isTrusted(rules, claims({ [PROJECT_CLAIM]: otherProject })),
    ]).toEqual([true, true, false, false]);
  });
});

test.each([
  ["no audience", [], [anyRef]],
  ["no rule", [organization], []],
])("a trust policy with %s is an error", (_, audiences, rules) => {
  const trust = { issuer, organizationId: organization, audiences, rules };
  expect(() => trustConditions(trust)).toThrow("must have at least one audience and one subject");
});
