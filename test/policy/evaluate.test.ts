import type { PolicyDocument } from "../../keyless/policy/document";
import { evaluate, type Policies, type Request } from "../../keyless/policy/evaluate";
import { growth } from "../growth";
import { account, allow, asking, bucketObject, deny, oldPolicy, policy, role, session, user, when } from "./asking";

const decide = (policies: Policies, request: Partial<Request> = {}) => evaluate(policies, asking(request));
const granted = (statement: object, request: Partial<Request> = {}) =>
  decide({ identity: [policy(statement)] }, request).outcome === "allowed";
const trusted = (principal: object, asker: Request["principal"]) =>
  decide({ resource: [policy(allow(principal))] }, { principal: asker }).outcome === "allowed";

describe("an action matches", () => {
  it.each([
    [{ Action: "s3:GetObject" }, true],
    [{ Action: "S3:getobject" }, true],
    [{ Action: "s3:Get*" }, true],
    [{ Action: "s3:?etObject" }, true],
    [{ Action: "*" }, true],
    [{ Action: "*:*" }, true],
    [{ Action: "s3:Get" }, false],
    [{ Action: ["s3:PutObject", "s3:GetObject"] }, true],
    [{ Action: [] }, false],
    [{ Action: undefined, NotAction: "s3:PutObject" }, true],
    [{ Action: undefined, NotAction: ["s3:PutObject", "s3:get*"] }, false],
  ])("%j: %j", (statement, expected) => {
    expect(granted(allow(statement))).toBe(expected);
  });
});

describe("a resource matches", () => {
  it.each([
    [{ Resource: bucketObject }, true],
    [{ Resource: "*" }, true],
    [{ Resource: "arn:aws:s3:::site/*" }, true],
    [{ Resource: "arn:aws:s3:::sit?/*.html" }, true],
    [{ Resource: "arn:aws:s3:*" }, true],
    [{ Resource: "arn:aws:s3:::SITE/*" }, false],
    [{ Resource: "arn:aws:s3:::site" }, false],
    [{ Resource: ["arn:aws:s3:::other", "arn:aws:s3:::site*"] }, true],
    [{ Resource: [] }, false],
    [{ Resource: undefined, NotResource: "arn:aws:s3:::other/*" }, true],
    [{ Resource: undefined, NotResource: ["arn:aws:s3:::other/*", bucketObject] }, false],
    [{ Resource: "arn:aws:s3:::${aws:PrincipalTag/site}/*" }, true],
    [{ Resource: "arn:aws:s3:::${aws:PrincipalTag/none}*" }, false],
    [{ Resource: undefined, NotResource: "arn:aws:s3:::${aws:PrincipalTag/none}" }, false],
  ])("%j: %j", (statement, expected) => {
    expect(granted(allow(statement), { context: { "aws:PrincipalTag/site": "site" } })).toBe(expected);
  });

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
  const table = "arn:aws:dynamodb:us-east-1:123456789012:table/prod-x";
  const stream = "arn:aws:logs:us-east-1:123456789012:log-group:app:log-stream:a";
  const otherRole = `arn:aws:iam::${account}:role/x`;
  it.each<[pattern: string, resource: string, allows: boolean, denies: boolean]>([
    ["arn:aws:dynamodb:*:123456789012:table/prod-*", table, true, true],
    ["arn:aws:dynamodb:*", table, true, true],
    ["arn:aws:dynamodb:us-east-1:123456789012:*", table, true, true],
    ["arn:*", table, true, true],
    ["arn:aws:logs:*:*:log-group:*:log-stream:?", stream, true, true],
    ["arn:aws:logs:us-*-1:*:log-group:*", stream, true, true],
    // Only the last part of an ARN contains colons.
    ["arn:aws:dynamodb:us?east-1?123456789012?table/prod-x", table, false, false],
    ["arn:aws:dynamodb:us*2:table/prod-x", table, false, false],
    ["arn:aws:dynamodb:*/prod-x", table, false, false],
    ["arn:aws:dynamodb:us-east-1?123*", table, false, false],
    ["arn:aws:dynamodb:*-1:1234*2:table/prod-?", table, true, true],
    ["arn:aws:dynamodb:*:table/dev-*", table, false, false],
    // A `*` at the end of a part "can expand to match beyond the colon boundaries": ambiguous.
    ["arn:aws:dynamodb:*:table/prod-*", table, false, true],
    ["arn:aws:logs:us*:log-group:app:*", stream, false, true],
    // An ARN of fewer parts without `*` at its end: not documented.
    [`arn:aws:iam::${account}`, otherRole, false, true],
    ["arn:aws:iam:", otherRole, false, true],
    ["arn:aws:iam", otherRole, false, true],
    ["arn:aws:iam::999999999999", otherRole, false, false],
    // A wildcard in the service, or in the type of resource, is not accepted.
    ["arn:aws:*:us-east-1:*:*", table, false, true],
    ["arn:aws:dynamo*", table, false, true],
    [`arn:aws:iam::${account}:r*`, otherRole, false, true],
    [`arn:aws:iam::${account}:*/x`, otherRole, false, true],
    [`arn:aws:iam::${account}:*`, otherRole, true, true],
  ])("%s on %s: allowed %j, denied %j", (pattern, resource, allows, denies) => {
    const decideFor = (...statements: readonly object[]) => decide({ identity: [policy(...statements)] }, { resource });
    expect(decideFor(allow({ Resource: pattern })).outcome).toBe(allows ? "allowed" : "refused");
    expect(decideFor(allow(), deny({ Resource: pattern })).outcome).toBe(denies ? "refused" : "allowed");
    const inverse = { Resource: undefined, NotResource: pattern };
    expect(decideFor(allow(inverse)).outcome).toBe(denies ? "refused" : "allowed");
    expect(decideFor(allow(), deny(inverse)).outcome).toBe(allows ? "allowed" : "refused");
  });

  it("literally with a variable in version 2008-10-17", () => {
    const statement = allow({ Resource: "arn:aws:s3:::${aws:username}" });
    const request = { resource: "arn:aws:s3:::${aws:username}", context: { "aws:username": "ada" } };
    expect(decide({ identity: [oldPolicy(statement)] }, request).outcome).toBe("allowed");
    expect(decide({ identity: [oldPolicy(statement)] }, { ...request, resource: "arn:aws:s3:::ada" }).outcome).toBe(
      "refused",
    );
  });

  it("with NotResource and an unresolved variable, in a Deny", () => {
    const exceptOwn = deny({ Resource: undefined, NotResource: "arn:aws:s3:::${aws:username}/*" });
    expect(decide({ identity: [policy(allow(), exceptOwn)] }).reason).toBe("explicit-deny");
  });
});

describe("a principal matches", () => {
  const aws = (id: string) => ({ kind: "AWS", id }) as const;
  const provider = { kind: "Federated", id: `arn:aws:iam::${account}:oidc-provider/oidc.circleci.com/org/O` } as const;
  const lambda = { kind: "Service", id: "lambda.amazonaws.com" } as const;

  it.each<[principal: unknown, asker: Request["principal"], expected: boolean]>([
    ["*", aws(user), true],
    ["*", provider, true],
    [{ AWS: "*" }, aws(session), true],
    [{ AWS: user }, aws(user), true],
    [{ AWS: [`${user}x`, user] }, aws(user), true],
    [{ AWS: user }, aws(`${user}x`), false],
    [{ AWS: role }, aws(role), true],
    [{ AWS: role }, aws(session), true],
    [{ AWS: session }, aws(session), true],
    [{ AWS: session }, aws(`${session}8`), false],
    [{ AWS: session }, aws(role), false],
    [{ AWS: `arn:aws:iam::${account}:role/Deploy` }, aws(session), false],
    [{ AWS: "arn:aws:iam::999999999999:role/deploy" }, aws(session), false],
    [{ AWS: user }, aws(`arn:aws:sts::${account}:federated-user/ada`), true],
    [{ Federated: provider.id }, provider, true],
    [{ Federated: provider.id }, aws(provider.id), false],
    [{ AWS: provider.id }, provider, false],
    [{ AWS: account }, provider, false],
    [{ Service: lambda.id }, lambda, true],
    [{ Service: "s3.amazonaws.com" }, lambda, false],
    [{ AWS: [] }, aws(user), false],
    [{ AWS: user, Service: lambda.id }, lambda, true],
  ])("%j on %j: %j", (Principal, asker, expected) => {
    expect(trusted({ Principal }, asker)).toBe(expected);
  });

  it("for a role with a path only if the request has aws:PrincipalArn", () => {
    const withPath = `arn:aws:iam::${account}:role/ci/deploy`;
    const resource = [policy(allow({ Principal: { AWS: withPath } }))];
    expect(decide({ resource }, { context: { "aws:PrincipalArn": withPath } }).outcome).toBe("allowed");
    expect(decide({ resource }, { context: { "aws:PrincipalArn": role } }).reason).toBe("no-matching-allow");
    expect(decide({ resource }).reason).toBe("unsupported");
  });

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
  const rootArn = `arn:aws:iam::${account}:root`;
  it.each([
    [user, "*", "allowed"],
    [user, { AWS: [user, account] }, "allowed"],
    [user, { AWS: [user, rootArn] }, "allowed"],
    [user, { AWS: user }, "refused"],
    [user, { AWS: [user, "999999999999"] }, "refused"],
    [user, { AWS: rootArn }, "refused"],
    [user, { AWS: session }, "refused"],
    [session, { AWS: [session, role, rootArn] }, "allowed"],
    [session, { AWS: [session, role] }, "refused"],
    [session, { AWS: [session, rootArn] }, "refused"],
    [session, { AWS: [role, rootArn] }, "refused"],
    [session, { AWS: role }, "refused"],
    [session, { Federated: session }, "refused"],
  ])("NotPrincipal in a Deny: %s under %j is %s", (id, NotPrincipal, expected) => {
    const resource = [policy(deny({ NotPrincipal }))];
    expect(decide({ identity: [policy(allow())], resource }, { principal: aws(id) }).outcome).toBe(expected);
  });

  it("not under NotPrincipal in a Deny if it has a permissions boundary", () => {
    const exempt = (NotPrincipal: object, principal: Request["principal"]) =>
      decide(
        {
          identity: [policy(allow())],
          boundary: policy(allow()),
          resource: [policy(allow({ Principal: "*" }), deny({ NotPrincipal }))],
        },
        { principal },
      ).reason;
    expect(exempt({ AWS: [user, account] }, aws(user))).toBe("explicit-deny");
    expect(exempt({ Service: lambda.id }, lambda)).toBe("allowed");
  });

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-accounts
  it.each([
    [account, true, true],
    [rootArn, true, true],
    [`arn:aws-us-gov:iam::${account}:root`, false, false],
    ["999999999999", false, false],
    ["arn:aws:iam::999999999999:root", false, false],
    // Not documented.
    [`arn:aws:iam::${account}`, false, true],
    [`arn:aws:iam::${account}:*`, false, true],
  ])("as an account, %s: allowed %j, denied %j", (AWS, allows, denies) => {
    const identity = [policy(allow())];
    const resource = "arn:aws:sqs:us-east-1:999999999999:queue";
    const decideFor = (...statements: readonly object[]) =>
      decide({ identity, resource: [policy(...statements)] }, { resource }).outcome;
    expect(decideFor(allow({ Principal: { AWS } }))).toBe(allows ? "allowed" : "refused");
    expect(decideFor(allow({ Principal: "*" }), deny({ Principal: { AWS } }))).toBe(denies ? "refused" : "allowed");
  });

  it("for all principals of an account in a Deny", () => {
    const resource = [policy(deny({ Principal: { AWS: account } }))];
    expect(decide({ identity: [policy(allow())], resource }).reason).toBe("explicit-deny");
  });
});

describe("several policies", () => {
  const yes = policy(allow());
  const no = policy(allow({ Action: "s3:PutObject" }));
  const denying = policy(deny());
  const naming = (AWS: string) => policy(allow({ Principal: { AWS } }));
  const forbidding = policy(deny({ Principal: "*" }));

  it.each<[name: string, policies: Policies, reason: string]>([
    ["nothing", {}, "no-matching-allow"],
    ["an identity policy", { identity: [no, yes] }, "allowed"],
    ["no matching Allow", { identity: [no] }, "no-matching-allow"],
    ["a Deny and an Allow in two policies", { identity: [yes, denying] }, "explicit-deny"],
    ["a Deny before an Allow in one policy", { identity: [policy(deny(), allow())] }, "explicit-deny"],
    ["a resource policy's Deny", { identity: [yes], resource: [forbidding] }, "explicit-deny"],
    ["a boundary's Deny", { identity: [yes], boundary: denying }, "explicit-deny"],
    ["a session policy's Deny", { identity: [yes], session: [yes, denying] }, "explicit-deny"],
    ["a boundary that allows", { identity: [yes], boundary: yes }, "allowed"],
    ["a boundary that does not", { identity: [yes], boundary: no }, "boundary"],
    ["a boundary alone", { boundary: yes }, "no-matching-allow"],
    ["one session policy of two", { identity: [yes], session: [no, yes] }, "allowed"],
    ["no session policy", { identity: [yes], session: [] }, "allowed"],
    ["session policies that do not", { identity: [yes], session: [no] }, "session"],
    ["session policies alone", { session: [yes] }, "no-matching-allow"],
    ["a resource policy for the role", { resource: [naming(role)] }, "allowed"],
    ["a resource policy for the role, within a boundary", { resource: [naming(role)], boundary: yes }, "allowed"],
    ["a resource policy for the role, outside a boundary", { resource: [naming(role)], boundary: no }, "boundary"],
    [
      "a resource policy for the role, outside a session policy",
      { resource: [naming(role)], session: [no] },
      "session",
    ],
    ["a resource policy for the session", { resource: [naming(session)], boundary: no, session: [no] }, "allowed"],
    ["a resource policy for all principals", { resource: [naming("*")], boundary: no }, "allowed"],
    ["a resource policy for the account", { resource: [naming(account)] }, "no-matching-allow"],
    [
      "a resource policy for the account, and an identity policy",
      { identity: [yes], resource: [naming(account)] },
      "allowed",
    ],
  ])("%s", (_, policies, reason) => {
    const decision = decide(policies);
    expect(decision).toMatchObject({ reason, outcome: reason === "allowed" ? "allowed" : "refused" });
    expect(decision.because).not.toBe("");
  });

  it("must both allow a cross-account request", () => {
    const request = { action: "sqs:SendMessage", resource: "arn:aws:sqs:us-east-1:999999999999:queue" };
    const identity = [policy(allow({ Action: "sqs:*" }))];
    const resource = [policy(allow({ Action: "sqs:*", Principal: { AWS: session } }))];
    expect(decide({ identity }, request).outcome).toBe("refused");
    expect(decide({ resource }, request).outcome).toBe("refused");
    expect(decide({ identity, resource }, request).outcome).toBe("allowed");
    expect(decide({ identity, resource, boundary: no }, request).reason).toBe("boundary");
  });

  it("must both allow access to a bucket of another account, given by aws:ResourceAccount", () => {
    const resource = [policy(allow({ Principal: { AWS: session } }))];
    const context = { "aws:ResourceAccount": "999999999999" };
    expect(decide({ resource }, { context }).outcome).toBe("refused");
    expect(decide({ identity: [yes] }, { context }).outcome).toBe("refused");
    expect(decide({ identity: [yes], resource }, { context }).outcome).toBe("allowed");
    expect(decide({ resource }, { context: { "aws:ResourceAccount": account } }).outcome).toBe("allowed");
  });

  it("require the trust policy to allow assuming a role", () => {
    const request = { action: "sts:AssumeRole", resource: `arn:aws:iam::${account}:role/other` };
    const identity = [policy(allow({ Action: "sts:AssumeRole" }))];
    const trust = (AWS: string) => policy({ Effect: "Allow", Action: "sts:AssumeRole", Principal: { AWS } });
    expect(decide({ identity }, request).outcome).toBe("refused");
    expect(decide({ identity, resource: [trust("999999999999")] }, request).outcome).toBe("refused");
    expect(decide({ identity, resource: [trust(account)] }, request).outcome).toBe("allowed");
    expect(decide({ resource: [trust(account)] }, request).outcome).toBe("refused");
    expect(decide({ resource: [trust(role)] }, request).outcome).toBe("allowed");
  });

  it("require the policy of a KMS key to name the account or the role", () => {
    const request = { action: "kms:Decrypt", resource: `arn:aws:kms:us-east-1:${account}:key/k` };
    const identity = [policy(allow({ Action: "kms:Decrypt" }))];
    const key = (AWS: string) => policy(allow({ Action: "kms:*", Principal: { AWS } }));
    expect(decide({ identity, resource: [key(user)] }, request).outcome).toBe("refused");
    expect(decide({ identity, resource: [key(account)] }, request).outcome).toBe("allowed");
  });
});

describe("a malformed policy", () => {
  it.each<[name: string, statement: object, named: string]>([
    ["no Effect", { Effect: undefined }, "Effect"],
    ["an Effect of the wrong case", { Effect: "allow" }, "allow"],
    ["an Effect that is an object", { Effect: JSON.parse('{"toString":1}') }, "Effect"],
    ["an unknown element", { Foo: 1 }, "Foo"],
    ["an element of the wrong case", { condition: {} }, "condition"],
    ["no Action", { Action: undefined }, "Action"],
    ["Action and NotAction", { NotAction: "s3:PutObject" }, "NotAction"],
    ["an empty NotAction", { Action: undefined, NotAction: [] }, "NotAction"],
    ["an action without a service", { Action: ["GetObject", "*"] }, "GetObject"],
    ["an action with a wildcard for service", { Action: "s*:GetObject" }, "s*:GetObject"],
    ["an action that is not a string", { Action: 7 }, "Action"],
    ["no Resource", { Resource: undefined }, "Resource"],
    ["Resource and NotResource", { NotResource: "*" }, "NotResource"],
    ["a resource that is not an ARN", { Resource: ["site/*", "*"] }, "site/*"],
    ["a variable before the fifth colon", { Resource: "arn:aws:${x}:::site/*" }, "${x}"],
    ["a Principal in an identity policy", { Principal: "*" }, "Principal"],
    ["a Condition that is a list", { Condition: [] }, "Condition"],
  ])("with a malformed statement never allows and counts as a Deny: %s", (_, fault, named) => {
    for (const statements of [[allow(fault)], [allow(), deny(fault)]]) {
      const decision = decide({ identity: [policy(...statements)] });
      expect(decision).toMatchObject({ outcome: "refused", reason: "unsupported" });
      expect(decision.because).toContain(named);
    }
  });

  it.each<[name: string, statement: object]>([
    ["no Principal", {}],
    ["a Principal that is a name", { Principal: "ada" }],
    ["an unknown kind of principal", { Principal: { User: user } }],
    ["a principal that is a number", { Principal: { AWS: 123456789012 } }],
    ["part of a principal as a wildcard", { Principal: { AWS: `arn:aws:iam::${account}:role/*` } }],
    ["a wildcard for issuers", { Principal: { Federated: "*" } }],
    ["a canonical user", { Principal: { CanonicalUser: "79a59df900b949e5" } }],
    ["Principal beside NotPrincipal", { Principal: "*", NotPrincipal: { AWS: user } }],
  ])("with a malformed principal never allows and counts as a Deny: %s", (_, fault) => {
    expect(decide({ resource: [policy(allow(fault))] }).reason).toBe("unsupported");
    expect(decide({ identity: [policy(allow())], resource: [policy(deny(fault))] }).reason).toBe("unsupported");
  });

  it("includes NotPrincipal in an Allow", () => {
    expect(
      decide({ resource: [policy(allow({ NotPrincipal: { AWS: "arn:aws:iam::999999999999:user/x" } }))] }).reason,
    ).toBe("unsupported");
  });

  it("includes NotPrincipal in a trust policy", () => {
    const trust = { Action: "sts:AssumeRole", Resource: undefined };
    const other = { NotPrincipal: { AWS: [user, account] } };
    const resource = [policy(allow({ ...trust, Principal: "*" }), deny({ ...trust, ...other }))];
    const request = { action: "sts:AssumeRole", resource: role, principal: { kind: "AWS", id: user } } as const;
    expect(decide({ resource }, request).reason).toBe("unsupported");
  });

  it("includes a Resource in a trust policy", () => {
    const resource = [policy(allow({ Action: "sts:AssumeRole", Principal: "*" }))];
    expect(decide({ resource }, { action: "sts:AssumeRole", resource: role }).reason).toBe("unsupported");
  });

  it.each<[name: string, document: unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["text", "{}"],
    ["a list", []],
    ["no statement", { Version: "2012-10-17" }],
    ["an unknown version", { Version: "2012-10-18", Statement: [allow()] }],
    ["an unknown element", { Version: "2012-10-17", Statement: [allow()], Rules: [] }],
    ["a statement that is text", { Statement: "Allow" }],
    ["a statement that is null", { Statement: [null] }],
  ])("refuses every request, because it may contain a Deny: %s", (_, document) => {
    const bad = { name: "broken", document: document as PolicyDocument };
    const decision = decide({ identity: [policy(allow()), bad] });
    expect(decision).toMatchObject({ outcome: "refused", reason: "unsupported" });
    expect(decision.because).toContain('"broken"');
  });

  it("does not deny if another part of the statement does not match", () => {
    const elsewhere = deny({ Action: "s3:PutObject", Condition: { StringMatches: { k: "a" } } });
    expect(decide({ identity: [policy(allow(), elsewhere)] }).outcome).toBe("allowed");
  });

  it("does not affect another Allow", () => {
    expect(decide({ identity: [policy(allow({ Foo: 1 }), allow())] }).outcome).toBe("allowed");
  });
});

describe("a decision", () => {
  it("contains the values and the verdict of every part", () => {
    const statement = allow({
      Sid: "Read",
      Action: "s3:Get*",
      ...when({ StringLike: { "aws:UserAgent": ["aws-cli/*"] } }),
    });
    const { policies } = decide({ identity: [policy(statement)] }, { context: { "AWS:useragent": "curl" } });
    expect(policies).toEqual([
      {
        name: "under test",
        kind: "identity",
        statements: [
          {
            index: 0,
            sid: "Read",
            effect: "Allow",
            verdict: "not-matched",
            elements: [
              { element: "Action", wanted: ["s3:Get*"], actual: "s3:GetObject", verdict: "matched" },
              { element: "Resource", wanted: ["*"], actual: bucketObject, verdict: "matched" },
            ],
            conditions: [
              {
                operator: "StringLike",
                key: "aws:UserAgent",
                wanted: ["aws-cli/*"],
                actual: ["curl"],
                verdict: "not-matched",
              },
            ],
          },
        ],
      },
    ]);
  });

  it("names the statement that allows the request", () => {
    expect(decide({ identity: [policy(deny({ Action: "s3:PutObject" }), allow({ Sid: "Read" }))] }).because).toBe(
      `statement 2 (Read) of the policy "under test" allows s3:GetObject on ${bucketObject}`,
    );
  });

  it("names the closest Allow, and the part that does not match", () => {
    const far = allow({ Action: "s3:PutObject", Resource: "arn:aws:s3:::other" });
    const near = allow({ Sid: "Site", Resource: "arn:aws:s3:::other" });
    expect(decide({ identity: [policy(far, near)] }).because).toBe(
      `no statement allows s3:GetObject; statement 2 (Site) of the policy "under test" does not match: ` +
        `Resource: the policy has "arn:aws:s3:::other", the request "${bucketObject}"`,
    );
  });
});

it("evaluates a condition with several wildcards in time linear in the length of the subject", () => {
  const issuer = "oidc.circleci.com/org/O";
  const provider = `arn:aws:iam::${account}:oidc-provider/${issuer}`;
  const conditions = when({
    StringEquals: { [`${issuer}:aud`]: "O" },
    StringLike: { [`${issuer}:sub`]: "org/O/project/P/user/*/vcs-ref/*x/*y" },
  });
  const action = "sts:AssumeRoleWithWebIdentity";
  const trust = policy({ Effect: "Allow", Principal: { Federated: provider }, Action: action, ...conditions });
  const decideFor = (size: number) => {
    const subject = `org/O/project/P/user/U/vcs-origin/github.com/acme/site/vcs-ref/${"x/".repeat(size)}`;
    const context = { [`${issuer}:aud`]: "O", [`${issuer}:sub`]: subject };
    const request = { principal: { kind: "Federated", id: provider }, action, resource: role, context } as const;
    for (let index = 0; index < 20; index++) expect(evaluate({ resource: [trust] }, request).outcome).toBe("refused");
  };
  expect(growth(decideFor, 4000)).toBeLessThan(25);
});

it("evaluates a resource with several wildcards in time linear in the length of the ARN", () => {
  const identity = [policy(allow({ Resource: "arn:aws:s3:*:*:x*" }), deny({ Resource: "arn:aws:s3:*:*:x*y" }))];
  const decideFor = (size: number) => {
    const resource = `arn:aws:s3:::${"a:".repeat(size)}`;
    expect(decide({ identity }, { resource }).outcome).toBe("refused");
  };
  expect(growth(decideFor, 4000)).toBeLessThan(25);
});
