import { readDocument } from "../../../keyless/review/delta/documents";
import { trustDelta } from "../../../keyless/review/delta/trust";
import { renderRichText } from "../../../keyless/review/rich-text";
import { ANY, ISSUER, ORG, onBranch, PROJECT, policy, statement } from "../plans";

const WHERE = `project ${PROJECT} (organization ${ORG})`;
const MAIN = `branch main of github.com/acme/site in ${WHERE}`;
const ALL = `every branch, tag and trigger of ${WHERE}`;

function delta(before: string | null, after: string | null): string[] {
  return trustDelta("role r", readDocument(before), readDocument(after)).map(
    ({ kind, effect, what }) => `${effect}: ${kind}: ${renderRichText(what)}`,
  );
}

test("the subjects of a new role are newly trusted", () => {
  expect(delta(null, policy(statement(onBranch("main"))))).toEqual([`gain: newly-trusted: ${MAIN}`]);
});

test("the subjects of a destroyed role are no longer trusted", () => {
  expect(delta(policy(statement(ANY)), null)).toEqual([`loss: no-longer-trusted: ${ALL}`]);
});

test("from one branch to every branch broadens the trust", () => {
  expect(delta(policy(statement(onBranch("main"))), policy(statement(ANY)))).toEqual([
    `gain: trust-broadened: ${MAIN} → ${ALL}`,
  ]);
});

test("from every branch to one narrows the trust", () => {
  expect(delta(policy(statement(ANY)), policy(statement(onBranch("main"))))).toEqual([
    `loss: trust-narrowed: ${ALL} → ${MAIN}`,
  ]);
});

test("an added branch is newly trusted; the existing one is not reported", () => {
  expect(delta(policy(statement(onBranch("main"))), policy(statement([onBranch("main"), onBranch("dev")])))).toEqual([
    `gain: newly-trusted: branch dev of github.com/acme/site in ${WHERE}`,
  ]);
});

test("another spelling of the same trust is no change", () => {
  const before = policy(statement([onBranch("main"), onBranch("dev")], { Sid: "A" }));
  const after = policy(
    statement(onBranch("dev")),
    statement([onBranch("main")], { Action: ["sts:assumerolewithwebidentity"] }),
  );
  expect(delta(before, after)).toEqual([]);
});

test("StringEquals compares wildcards literally", () => {
  const equals = statement([], { Condition: { StringEquals: { [`${ISSUER}:aud`]: ORG, [`${ISSUER}:sub`]: ANY } } });
  expect(delta(policy(equals), policy(statement(ANY))).map((each) => each.split(":")[1])).toEqual([" trust-broadened"]);
});

test("a finding contains the subject pattern that AWS compares", () => {
  const [broadened] = trustDelta(
    "role r",
    readDocument(policy(statement(onBranch("main")))),
    readDocument(policy(statement(ANY))),
  );
  expect(broadened?.tokens).toEqual([ANY]);
});

test("removing the subject condition trusts every subject", () => {
  const open = statement([], { Condition: { StringEquals: { [`${ISSUER}:aud`]: ORG } } });
  expect(delta(policy(statement(ANY)), policy(open))).toEqual([
    `gain: trust-broadened: ${ALL} → the tokens of ${ISSUER}`,
  ]);
});

test("removing the audience condition broadens the trust, adding it narrows it", () => {
  const open = policy(statement(ANY, { Condition: { StringLike: { [`${ISSUER}:sub`]: ANY } } }));
  expect(delta(policy(statement(ANY)), open)).toEqual([`gain: trust-broadened: ${ALL} → ${ALL}, any audience`]);
  expect(delta(open, policy(statement(ANY)))).toEqual([`loss: trust-narrowed: ${ALL}, any audience → ${ALL}`]);
});

test("adding a condition on the project's id narrows the trust, removing or extending it broadens it", () => {
  const pinned = (...ids: string[]) =>
    policy(
      statement(ANY, {
        Condition: {
          StringEquals: { [`${ISSUER}:aud`]: ORG, [`${ISSUER}:oidc.circleci.com/project-id`]: ids },
          StringLike: { [`${ISSUER}:sub`]: ANY },
        },
      }),
    );
  const open = policy(statement(ANY));
  const changes = (before: string, after: string) => delta(before, after).map((each) => each.split(": ", 2).join(" "));
  const other = "77777777-7777-4888-9999-000000000000";
  expect(changes(open, pinned(PROJECT))).toEqual(["loss trust-narrowed"]);
  expect(changes(pinned(PROJECT), open)).toEqual(["gain trust-broadened"]);
  expect(changes(pinned(PROJECT), pinned(PROJECT, other))).toEqual(["gain trust-broadened"]);
  expect(changes(pinned(PROJECT), pinned(PROJECT))).toEqual([]);
});

test("adding a condition narrows the trust, removing it broadens it", () => {
  const capped = policy(
    statement(ANY, {
      Condition: { ...statement(ANY).Condition, IpAddress: { "aws:SourceIp": "192.0.2.0/24" } },
    }),
  );
  expect(delta(policy(statement(ANY)), capped)).toEqual([
    `loss: trust-narrowed: ${ALL} → ${ALL}, if IpAddress aws:sourceip 192.0.2.0/24`,
  ]);
  expect(delta(capped, policy(statement(ANY)))).toEqual([
    `gain: trust-broadened: ${ALL}, if IpAddress aws:sourceip 192.0.2.0/24 → ${ALL}`,
  ]);
});

test("a condition on the subject of another issuer does not restrict this issuer's subjects", () => {
  const foreign = statement(ANY, { Condition: { StringLike: { "other.example.com:sub": ANY } } });
  expect(delta(null, policy(foreign))[0]).toContain(`gain: newly-trusted: the tokens of ${ISSUER}`);
});

test.each([
  ["another operator", statement(ANY, { Condition: { StringNotEquals: { [`${ISSUER}:sub`]: "x" } } })],
  ["IfExists", statement(ANY, { Condition: { StringLikeIfExists: { [`${ISSUER}:sub`]: ANY } } })],
  ["ForAllValues", statement(ANY, { Condition: { "ForAllValues:StringLike": { [`${ISSUER}:sub`]: ANY } } })],
  ["an AWS account", statement(ANY, { Principal: { AWS: "210987654321" }, Action: "sts:AssumeRole", Condition: {} })],
  ["a wildcard principal", statement(ANY, { Principal: "*", Action: "sts:AssumeRole", Condition: undefined })],
  [
    "a service",
    statement(ANY, { Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole", Condition: {} }),
  ],
  [
    "SAML",
    statement(ANY, {
      Principal: { Federated: "arn:aws:iam::123456789012:saml-provider/x" },
      Action: "sts:AssumeRoleWithSAML",
    }),
  ],
  ["NotPrincipal", statement(ANY, { Principal: undefined, NotPrincipal: { AWS: "123456789012" } })],
  ["NotAction", statement(ANY, { Action: undefined, NotAction: "sts:AssumeRole" })],
  ["an unknown element", { ...statement(ANY), Surprise: true }],
])("adding a statement with %s is a gain or not assessed", (_name, added) => {
  const effects = delta(policy(statement(onBranch("main"))), policy(statement(onBranch("main")), added)).map(
    (each) => each.split(":")[0],
  );
  expect(effects.filter((effect) => effect !== "loss")).not.toEqual([]);
});

test("removing a Deny is not assessed, adding one narrows the trust", () => {
  const deny = { Effect: "Deny", Principal: "*", Action: "*" };
  const before = policy(statement(ANY));
  expect(delta(policy(statement(ANY), deny), before)).toEqual([expect.stringContaining("unknown: not-assessed")]);
  expect(delta(before, policy(statement(ANY), deny))).toEqual([expect.stringContaining("loss: trust-narrowed")]);
});

test("the effect of text that is not a policy is unknown", () => {
  expect(delta(policy(statement(ANY)), "garbage")).toContainEqual(expect.stringContaining("unknown: not-assessed"));
  expect(delta("garbage", "rubbish")).toContainEqual(expect.stringContaining("unknown: not-assessed"));
});

test("from every AWS principal to one account narrows the trust", () => {
  const trust = (principal: string) =>
    policy({ Effect: "Allow", Principal: { AWS: principal }, Action: "sts:AssumeRole" });
  expect(delta(trust("*"), trust("123456789012"))).toEqual([
    "loss: trust-narrowed: every AWS principal, in any account → principals of account 123456789012 that its policies allow",
  ]);
  expect(delta(trust("123456789012"), trust("arn:aws:iam::123456789012:root"))).toEqual([]);
  const effects = (before: string, after: string) =>
    delta(trust(before), trust(after)).map((each) => each.split(":")[0]);
  expect(effects("123456789012", "arn:aws:iam::123456789012:role/one")).toEqual(["loss"]);
  expect(effects("arn:aws:iam::123456789012:role/one", "123456789012")).toEqual(["gain"]);
  expect(effects("123456789012", "arn:aws:iam::210987654321:role/one")).toEqual(["gain", "loss"]);
});
