import fc from "fast-check";
import { capabilitiesOf } from "../../keyless/access/capabilities";
import { grantsAdministrator } from "../../keyless/policy/administrator";
import type { PolicyDocument } from "../../keyless/policy/document";
import { evaluate } from "../../keyless/policy/evaluate";
import { readDocument } from "../../keyless/review/delta/documents";
import { permissionDelta } from "../../keyless/review/delta/permissions";
import { richText } from "../../keyless/review/rich-text";
import { lintTrust } from "../../keyless/trust/lint";
import { devOf } from "../config/configuration";
import { project, trusting } from "../trust/tokens";

const scope = devOf();
const trustPolicy = trusting({ project, refs: "any" });

/** Whether each of the three users treats the holder of a policy as an administrator. */
function usersOf(name: string, document?: PolicyDocument) {
  const arns = document === undefined ? [name] : [];
  const inline = document === undefined ? {} : { [name]: document };
  const [capability] = capabilitiesOf({ managedPolicyArns: arns, inlinePolicies: inline }, scope);
  const grant = document === undefined ? { arn: name } : { document: readDocument(JSON.stringify(document)) };
  return {
    access: capability?.level === "administrator",
    lint: lintTrust({ trustPolicy, policies: [{ name, document }] }).some(
      (finding) => finding.name === "administrator-any-ref",
    ),
    review: permissionDelta("role r", [], [{ source: richText`p`, ...grant }]).some((finding) => finding.administrator),
  };
}

const oneOrMany = (values: readonly string[]) =>
  fc.oneof(fc.constantFrom(...values), fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 }));

const iam = (resource: string) => `arn:aws:iam::123456789012:${resource}`;
const actions = oneOrMany([
  ...["*", "*:*", "iam:*", "IAM:putrolePOLICY", "iam:Put*", "iam:PassRole", "iam:Get*", "iam:?assRole", "sts:*"],
  ...["sts:AssumeRole", "sts:Get*", "s3:*", "s3:GetObject", "organizations:*", "iam:CreatePolicyVersion"],
]);
const resources = oneOrMany([
  ...["*", iam("*"), iam("role/*"), iam("role/f*"), iam("role/ci-?"), iam("user/*"), iam("group/*"), iam("policy/?*")],
  ...["arn:aws:iam::*:role/*", "arn:aws:s3:::*", "arn:*", iam("role/${aws:username}*"), iam("role/ci")],
]);
const conditions = fc.constantFrom<object | undefined>(
  ...[undefined, undefined, undefined],
  { StringEquals: { "iam:PassedToService": "ec2.amazonaws.com" } },
  { StringLikeIfExists: { "aws:PrincipalTag/team": "*" } },
  { "ForAllValues:StringLike": { "aws:TagKeys": ["a", "**"] } },
  { Bool: { "aws:MultiFactorAuthPresent": "true" } },
);
const statement = fc
  .record({
    Effect: fc.constantFrom("Allow", "Allow", "Deny"),
    action: fc.oneof(
      { weight: 3, arbitrary: actions.map((Action) => ({ Action })) },
      actions.map((NotAction) => ({ NotAction })),
    ),
    resource: fc.oneof(
      { weight: 3, arbitrary: resources.map((Resource) => ({ Resource })) },
      resources.map((NotResource) => ({ NotResource })),
    ),
    Condition: conditions,
  })
  .map(({ Effect, action, resource, Condition }) => ({
    Effect,
    ...action,
    ...resource,
    ...(Condition !== undefined && { Condition }),
  }));
const policy = fc
  .array(statement, { minLength: 1, maxLength: 3 })
  .map((Statement) => ({ Version: "2012-10-17", Statement }) as unknown as PolicyDocument);

test("access, lint and review agree on which policies make an administrator", () => {
  const answers = new Set<string>();
  fc.assert(
    fc.property(policy, (document) => {
      const answer = grantsAdministrator({ name: "p", document });
      answers.add(answer);
      expect({ answer, ...usersOf("p", document) }).toEqual({
        answer,
        access: answer === "yes",
        lint: answer === "yes",
        // When the effect is unknown, the review assumes that access was granted.
        review: answer !== "no",
      });
    }),
    { numRuns: 500 },
  );
  expect([...answers].sort()).toEqual(["no", "unknown", "yes"]);
});

test("a policy that makes an administrator allows an escalating action on a role, user, group or policy", () => {
  const byType: { [type: string]: readonly string[] } = {
    group: ["AddUserToGroup", "AttachGroupPolicy", "PutGroupPolicy"],
    policy: ["CreatePolicyVersion", "SetDefaultPolicyVersion"],
    role: [
      ...["AttachRolePolicy", "DeleteRolePermissionsBoundary", "PassRole", "PutRolePermissionsBoundary"],
      ...["PutRolePolicy", "UpdateAssumeRolePolicy"],
    ],
    user: [
      ...["AttachUserPolicy", "CreateAccessKey", "CreateLoginProfile", "DeleteUserPermissionsBoundary"],
      ...["PutUserPermissionsBoundary", "PutUserPolicy", "UpdateLoginProfile"],
    ],
  };
  const escalations = Object.entries(byType).flatMap(([type, names]) =>
    names.map((name) => [`iam:${name}`, type] as const),
  );
  fc.assert(
    fc.property(policy, fc.stringMatching(/^[A-Z][a-z]{5,10}$/), (document, name) => {
      const isAllowed = ([action, type]: readonly [string, string]) =>
        evaluate(
          { identity: [{ name: "p", document }] },
          {
            principal: { kind: "AWS", id: "arn:aws:sts::123456789012:assumed-role/r/s" },
            action,
            resource: iam(`${type}/${name}`),
            context: { "aws:username": "someone" },
          },
        ).outcome === "allowed";
      // The name matches none of the names in the policies, so an exception for one of them does not apply.
      if (grantsAdministrator({ name: "p", document }) === "yes") expect(escalations.some(isAllowed)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test.each([
  ["arn:aws:iam::aws:policy/AdministratorAccess", true],
  ["arn:aws-cn:iam::aws:policy/IAMFullAccess", true],
  ["arn:aws:iam::aws:policy/ReadOnlyAccess", false],
  ["arn:aws:iam::123456789012:policy/AdministratorAccess", false],
])("access, lint and review agree on %s: %s", (arn, expected) => {
  expect(usersOf(arn)).toEqual({ access: expected, lint: expected, review: expected });
});
