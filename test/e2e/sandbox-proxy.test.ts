import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { CreateTableCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import {
  AttachRolePolicyCommand,
  CreateOpenIDConnectProviderCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  IAMClient,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketEncryptionCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  type Credentials,
  GetCallerIdentityCommand,
  STSClient,
} from "@aws-sdk/client-sts";
import fc from "fast-check";
import { generateKeyPair, SignJWT } from "jose";
import { type Sandbox, startSandbox } from "../../keyless/sandbox";
import { claimsOf, type TokenRequest } from "../../keyless/sandbox/issuer";
import { leastPrivilegePolicy } from "../../keyless/sandbox/least-privilege";
import { accountKeys } from "../../keyless/sandbox/proxy/store";
import { webIdentityEnvironment } from "./setup";

const accountId = "123456789012";
const organization = "11111111-2222-4333-8444-555555555555";
const issuer = `oidc.circleci.com/org/${organization}`;
const provider = `arn:aws:iam::${accountId}:oidc-provider/${issuer}`;
const main: TokenRequest = {
  organization,
  project: "66666666-7777-4888-9999-000000000000",
  origin: "github.com/acme/site",
  ref: "refs/heads/main",
};
const version1 = `org/${organization}/project/${main.project}/user`;
const anyUser = "????????-????-????-????-????????????";
const roleArn = `arn:aws:iam::${accountId}:role/ci/publisher`;

const adminRole = `arn:aws:iam::${accountId}:role/administrator`;

const trust = {
  Version: "2012-10-17",
  Statement: {
    Effect: "Allow",
    Action: "sts:AssumeRoleWithWebIdentity",
    Principal: { Federated: provider },
    Condition: {
      StringEquals: { [`${issuer}:aud`]: organization },
      StringLike: { [`${issuer}:sub`]: `${version1}/${anyUser}/vcs-origin/${main.origin}/vcs-ref/${main.ref}` },
    },
  },
};

let sandbox: Sandbox;

type Keys = Partial<Credentials>;

const clientOptions = (keys?: Keys) => ({
  endpoint: sandbox.endpoint,
  region: "us-east-1",
  forcePathStyle: true,
  credentials: keys
    ? {
        accessKeyId: keys.AccessKeyId as string,
        secretAccessKey: keys.SecretAccessKey as string,
        sessionToken: keys.SessionToken,
      }
    : accountKeys(accountId),
});

const assumeWithToken = async (
  token: string,
  more: { DurationSeconds?: number; Policy?: string; RoleArn?: string } = {},
) => {
  const command = { RoleArn: roleArn, RoleSessionName: "test", WebIdentityToken: token, ...more };
  const { Credentials: keys } = await new STSClient(clientOptions()).send(
    new AssumeRoleWithWebIdentityCommand(command),
  );
  return keys as Credentials;
};

/** The output of the AWS CLI on both streams. */
const aws = (env: Sandbox["environment"], command: string) =>
  new Promise<string>((resolve) => {
    execFile("aws", command.split(" "), { env }, (_, stdout, stderr) => resolve(`${stdout}${stderr}`.trim()));
  });

const statement = (Action: string | string[], Resource: string | string[], more: object = {}) => ({
  Effect: "Allow",
  Action,
  Resource,
  ...more,
});
const document = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });

const setPolicy = (iam: IAMClient, ...statements: object[]) =>
  iam.send(
    new PutRolePolicyCommand({ RoleName: "publisher", PolicyName: "own", PolicyDocument: document(...statements) }),
  );

beforeAll(async () => {
  sandbox = await startSandbox({ accountId });
  const iam = new IAMClient(clientOptions());
  await iam.send(new CreateOpenIDConnectProviderCommand({ Url: `https://${issuer}`, ClientIDList: [organization] }));
  const role = { RoleName: "publisher", Path: "/ci/", AssumeRolePolicyDocument: JSON.stringify(trust) };
  await iam.send(new CreateRoleCommand({ ...role, MaxSessionDuration: 7200 }));
  await setPolicy(
    iam,
    statement("s3:ListBucket", "arn:aws:s3:::site", { Condition: { StringLike: { "s3:prefix": "public/*" } } }),
    statement(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::site/public/*"),
    statement("s3:*", "*", { Effect: "Deny", Condition: { StringNotEquals: { "aws:RequestedRegion": "us-east-1" } } }),
    statement("s3:DeleteObject", "*", { Effect: "Deny" }),
    statement("dynamodb:PutItem", `arn:aws:dynamodb:us-east-1:${accountId}:table/lock`),
  );
  const administrator = { RoleName: "administrator", AssumeRolePolicyDocument: JSON.stringify(trust) };
  await iam.send(new CreateRoleCommand(administrator));
  const PolicyArn = "arn:aws:iam::aws:policy/AdministratorAccess";
  await iam.send(new AttachRolePolicyCommand({ RoleName: "administrator", PolicyArn }));
  await new S3Client(clientOptions()).send(new CreateBucketCommand({ Bucket: "site" }));
});

afterAll(() => sandbox.stop());

describe("a token", () => {
  it("of the trusted branch is exchanged for credentials of the role", async () => {
    const keys = await assumeWithToken(await sandbox.issuer.token(main));
    expect(keys.AccessKeyId).toMatch(/^ASIA/);
  });

  const notAuthorized = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
  test.each<[string, TokenRequest, object, string, string]>([
    ["of another branch", { ...main, ref: "refs/heads/other" }, {}, "AccessDenied", notAuthorized],
    [
      "of a branch whose name contains the trusted subject's suffix",
      { ...main, ref: `refs/heads/x/vcs-origin/${main.origin}/vcs-ref/${main.ref}` },
      {},
      "AccessDenied",
      notAuthorized,
    ],
    ["without a ref", { ...main, ref: undefined }, {}, "AccessDenied", notAuthorized],
    ["for a role that does not exist", main, { RoleArn: `${roleArn}x` }, "AccessDenied", notAuthorized],
    ["for a role ARN with another path", main, { RoleArn: roleArn.replace("ci/", "") }, "AccessDenied", notAuthorized],
    ["that is expired", { ...main, lifetime: -1 }, {}, "ExpiredTokenException", "Token expired"],
    [
      "for another audience",
      { ...main, claims: { aud: "other" } },
      {},
      "InvalidIdentityToken",
      "Incorrect token audience",
    ],
    [
      "of an organization without a provider",
      { ...main, organization: "other" },
      {},
      "InvalidIdentityToken",
      "No OpenIDConnect provider found in your account for https://oidc.circleci.com/org/other",
    ],
    [
      "in an account without a provider",
      main,
      { RoleArn: roleArn.replace(accountId, "210987654321") },
      "InvalidIdentityToken",
      "No OpenIDConnect provider found",
    ],
    [
      "for a session longer than the role's maximum",
      main,
      { DurationSeconds: 7201 },
      "ValidationError",
      "MaxSessionDuration",
    ],
    [
      "for a session shorter than 15 minutes",
      main,
      { DurationSeconds: 899 },
      "ValidationError",
      "greater than or equal to 900",
    ],
    ["with an invalid session name", main, { RoleSessionName: "a b" }, "ValidationError", "roleSessionName"],
  ])("%s is rejected with AWS's error", async (_, job, more, name, message) => {
    const refused = assumeWithToken(await sandbox.issuer.token(job), more);
    await expect(refused).rejects.toMatchObject({ Code: name, message: expect.stringContaining(message) });
  });

  it("signed with another key is rejected", async () => {
    const { privateKey } = await generateKeyPair("RS256");
    const token = new SignJWT(claimsOf(main)).setProtectedHeader({ alg: "RS256", kid: "local" });
    await expect(assumeWithToken(await token.sign(privateKey))).rejects.toMatchObject({ Code: "InvalidIdentityToken" });
  });

  it("without a signature is rejected", async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const token = `${part({ alg: "none" })}.${part(claimsOf(main))}.`;
    await expect(assumeWithToken(token)).rejects.toMatchObject({ Code: "InvalidIdentityToken" });
  });

  it("that is not a JWT is rejected", async () => {
    await expect(assumeWithToken("none.at.all")).rejects.toMatchObject({ Code: "InvalidIdentityToken" });
  });
});

describe("a role session", () => {
  const who = `User: arn:aws:sts::${accountId}:assumed-role/publisher/circleci`;
  let job: Sandbox["environment"];

  beforeAll(async () => {
    job = webIdentityEnvironment(sandbox, roleArn, await sandbox.issuer.token(main));
  });

  test.each([
    ["sts get-caller-identity --query Arn --output text", `arn:aws:sts::${accountId}:assumed-role/publisher/circleci`],
    ["s3 ls s3://site/public/", ""],
    [
      "s3 ls s3://site",
      `An error occurred (AccessDenied) when calling the ListObjectsV2 operation: ${who} is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::site" because no identity-based policy allows the s3:ListBucket action`,
    ],
    [
      "s3api delete-object --bucket site --key public/x",
      `An error occurred (AccessDenied) when calling the DeleteObject operation: ${who} is not authorized to perform: s3:DeleteObject on resource: "arn:aws:s3:::site/public/x" with an explicit deny in an identity-based policy`,
    ],
    [
      "s3api head-object --bucket site --key other",
      "An error occurred (403) when calling the HeadObject operation: Forbidden",
    ],
    [
      "iam delete-role --role-name publisher",
      `An error occurred (AccessDenied) when calling the DeleteRole operation: ${who} is not authorized to perform: iam:DeleteRole on resource: ${roleArn} because no identity-based policy allows the iam:DeleteRole action`,
    ],
    [
      "dynamodb scan --table-name lock",
      `An error occurred (AccessDeniedException) when calling the Scan operation: ${who} is not authorized to perform: dynamodb:Scan on resource: arn:aws:dynamodb:us-east-1:${accountId}:table/lock because no identity-based policy allows the dynamodb:Scan action`,
    ],
    [
      "cloudfront create-invalidation --distribution-id E1 --paths /*",
      `An error occurred (AccessDenied) when calling the CreateInvalidation operation: ${who} is not authorized to perform: cloudfront:CreateInvalidation on resource: arn:aws:cloudfront::${accountId}:distribution/E1 because no identity-based policy allows the cloudfront:CreateInvalidation action`,
    ],
  ])("gets the response of AWS to `aws %s`", async (command, wanted) => {
    await expect(aws(job, command)).resolves.toBe(wanted);
  });

  it("transfers objects unchanged, also with keys that need escaping", async () => {
    const body = Buffer.alloc(1_000_000, "0123456789");
    const keys = await assumeWithToken(await sandbox.issuer.token(main));
    const s3 = new S3Client(clientOptions(keys));
    const object = { Bucket: "site", Key: "public/a b+c%20/é" };
    await s3.send(new PutObjectCommand({ ...object, Body: body, ChecksumAlgorithm: "CRC32" }));
    const { Body } = await s3.send(new GetObjectCommand(object));
    expect(body.equals((await Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(true);
  });

  it("gets an error whose name the AWS SDK recognizes", async () => {
    const keys = await assumeWithToken(await sandbox.issuer.token(main));
    const put = new PutItemCommand({ TableName: "other", Item: { LockID: { S: "x" } } });
    const refused = new DynamoDBClient(clientOptions(keys)).send(put);
    await expect(refused).rejects.toMatchObject({ name: "AccessDeniedException" });
  });

  it("is limited by its session policy", async () => {
    const Policy = document(statement("s3:GetObject", "*"));
    const keys = await assumeWithToken(await sandbox.issuer.token(main), { Policy });
    const put = new PutObjectCommand({ Bucket: "site", Key: "public/x", Body: "x" });
    await expect(new S3Client(clientOptions(keys)).send(put)).rejects.toThrow(
      "because no session policy allows the s3:PutObject action",
    );
  });

  it("is denied by the bucket policy", async () => {
    const keys = await assumeWithToken(await sandbox.issuer.token(main));
    const s3 = new S3Client(clientOptions(keys));
    const deny = statement("s3:PutObject", "arn:aws:s3:::site/public/held", { Effect: "Deny", Principal: "*" });
    const policy = new PutBucketPolicyCommand({ Bucket: "site", Policy: document(deny) });
    await new S3Client(clientOptions()).send(policy);
    const put = (Key: string) => s3.send(new PutObjectCommand({ Bucket: "site", Key, Body: "x" }));
    await expect(put("public/held")).rejects.toThrow("with an explicit deny in a resource-based policy");
    await expect(put("public/free")).resolves.toMatchObject({ ETag: expect.any(String) });
  });

  it("requires the permission for the KMS key of an encrypted bucket", async () => {
    const admin = new S3Client(clientOptions());
    const created = await aws(sandbox.environment, "kms create-key --query KeyMetadata.Arn --output text");
    const ApplyServerSideEncryptionByDefault = { SSEAlgorithm: "aws:kms" as const, KMSMasterKeyID: created };
    const ServerSideEncryptionConfiguration = { Rules: [{ ApplyServerSideEncryptionByDefault }] };
    await admin.send(new CreateBucketCommand({ Bucket: "sealed" }));
    await admin.send(new PutBucketEncryptionCommand({ Bucket: "sealed", ServerSideEncryptionConfiguration }));
    const Policy = document(statement("s3:*", "*"));
    const keys = await assumeWithToken(await sandbox.issuer.token(main), { RoleArn: adminRole, Policy });
    const put = new PutObjectCommand({ Bucket: "sealed", Key: "k", Body: "x" });
    await expect(new S3Client(clientOptions(keys)).send(put)).rejects.toThrow(
      `is not authorized to perform: kms:GenerateDataKey on resource: ${created} because no session policy allows`,
    );
    const free = await assumeWithToken(await sandbox.issuer.token(main), { RoleArn: adminRole });
    await expect(new S3Client(clientOptions(free)).send(put)).resolves.toMatchObject({ SSEKMSKeyId: created });
  });

  it("expires", async () => {
    const keys = await assumeWithToken(await sandbox.issuer.token(main), { DurationSeconds: 900 });
    const later = Date.now() + 901_000;
    const clock = jest.spyOn(Date, "now").mockReturnValue(later);
    const put = new PutObjectCommand({ Bucket: "site", Key: "public/x", Body: "x" });
    const refused = new S3Client(clientOptions(keys)).send(put);
    await expect(refused).rejects.toMatchObject({ name: "ExpiredToken" });
    clock.mockRestore();
  });

  it("is rejected without its session token", async () => {
    const { SessionToken: _, ...keys } = await assumeWithToken(await sandbox.issuer.token(main));
    const put = new PutObjectCommand({ Bucket: "site", Key: "public/x", Body: "x" });
    await expect(new S3Client(clientOptions(keys)).send(put)).rejects.toMatchObject({ name: "InvalidAccessKeyId" });
  });

  it("of an earlier sandbox is rejected", async () => {
    const keys = { AccessKeyId: "ASIAEXAMPLEEXAMPLE22", SecretAccessKey: "x", SessionToken: "x" };
    await expect(
      new IAMClient(clientOptions(keys)).send(new CreateRoleCommand({ RoleName: "x", AssumeRolePolicyDocument: "{}" })),
    ).rejects.toMatchObject({ Code: "InvalidClientTokenId" });
  });

  it("is recorded, for the least-privilege policy", () => {
    const recorded = sandbox.proxy.recorded(`arn:aws:sts::${accountId}:assumed-role/publisher/circleci`);
    expect(recorded).toContainEqual(expect.objectContaining({ action: "iam:DeleteRole", decision: "refused" }));
    expect(leastPrivilegePolicy(recorded).Statement).toContainEqual({
      Effect: "Allow",
      Action: ["s3:ListBucket"],
      Resource: ["arn:aws:s3:::site"],
    });
  });
});

describe("a role that manages roles", () => {
  const boundary = `arn:aws:iam::${accountId}:policy/boundary`;
  let keys: Keys;

  beforeAll(async () => {
    const iam = new IAMClient(clientOptions());
    const role = { RoleName: "manager", AssumeRolePolicyDocument: JSON.stringify(trust) };
    await iam.send(new CreateRoleCommand(role));
    await iam.send(
      new CreatePolicyCommand({ PolicyName: "boundary", PolicyDocument: document(statement("iam:*", "*")) }),
    );
    const PolicyDocument = document(
      statement("iam:CreateRole", "*", { Condition: { StringEquals: { "iam:PermissionsBoundary": boundary } } }),
      statement("iam:AttachRolePolicy", "*", {
        Condition: { ArnEquals: { "iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess" } },
      }),
      statement("sts:AssumeRole", "*"),
      statement("s3:*", "*"),
    );
    await iam.send(new PutRolePolicyCommand({ RoleName: "manager", PolicyName: "own", PolicyDocument }));
    await iam.send(new PutRolePermissionsBoundaryCommand({ RoleName: "manager", PermissionsBoundary: boundary }));
    keys = await assumeWithToken(await sandbox.issuer.token(main), {
      RoleArn: `arn:aws:iam::${accountId}:role/manager`,
    });
  });

  const create = (more: object) =>
    new IAMClient(clientOptions(keys)).send(
      new CreateRoleCommand({ RoleName: "made", AssumeRolePolicyDocument: JSON.stringify(trust), ...more }),
    );
  const attach = (name: string) =>
    new IAMClient(clientOptions(keys)).send(
      new AttachRolePolicyCommand({ RoleName: "publisher", PolicyArn: `arn:aws:iam::aws:policy/${name}` }),
    );

  it("creates a role only with the required permissions boundary", async () => {
    await expect(create({})).rejects.toThrow("iam:CreateRole");
    const { Role } = await create({ PermissionsBoundary: boundary });
    expect(Role).toMatchObject({ PermissionsBoundary: { PermissionsBoundaryArn: boundary } });
  });

  it("attaches only the policy that it is allowed to attach", async () => {
    await expect(attach("AdministratorAccess")).rejects.toThrow("iam:AttachRolePolicy");
    await expect(attach("ReadOnlyAccess")).resolves.toMatchObject({ $metadata: { httpStatusCode: 200 } });
  });

  it("is limited by its permissions boundary", async () => {
    const create = new CreateBucketCommand({ Bucket: "made" });
    await expect(new S3Client(clientOptions(keys)).send(create)).rejects.toThrow(
      "because no permissions boundary allows the s3:CreateBucket action",
    );
  });

  it("cannot assume a role that does not trust it", async () => {
    const assume = new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: "test" });
    await expect(new STSClient(clientOptions(keys)).send(assume)).rejects.toMatchObject({ Code: "AccessDenied" });
  });
});

describe("a request that moto would execute differently", () => {
  let keys: Credentials;
  const admin = () => new S3Client(clientOptions());

  beforeAll(async () => {
    keys = await assumeWithToken(await sandbox.issuer.token(main));
  });

  interface RawRequest {
    readonly service?: string;
    readonly accessKeyId?: string;
    readonly method?: string;
    readonly url: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  }

  /** Sends a request of the session, with the path and the query as they are. */
  const send = ({ service = "s3", accessKeyId = keys.AccessKeyId, method = "GET", url, headers, body }: RawRequest) =>
    new Promise<{ status?: number; text: string }>((resolve, reject) => {
      const scope = `${accessKeyId}/20260101/us-east-1/${service}/aws4_request`;
      const signed = {
        authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
        "x-amz-security-token": keys.SessionToken,
        ...headers,
      };
      const { hostname, port } = new URL(sandbox.endpoint);
      const outgoing = request({ hostname, port, method, path: url, headers: signed }, (answer) => {
        text(answer).then((content) => resolve({ status: answer.statusCode, text: content }), reject);
      });
      outgoing.on("error", reject).end(body);
    });

  const form = { "content-type": "application/x-www-form-urlencoded" };
  const administrator = accountKeys(accountId).accessKeyId;

  it.each<[name: string, sent: RawRequest]>([
    ["to moto's API", { method: "POST", url: "/moto-api/reset", accessKeyId: administrator }],
    ["to moto's API, after two slashes", { service: "ec2", url: "//moto-api/data.json", accessKeyId: administrator }],
    ["to moto's API, as a bucket", { url: "/data.json", headers: { host: "moto-api.localhost" } }],
    ["to another host", { url: "/site/public/a", headers: { host: "rebound.example.com" } }],
    ["of a service that the proxy does not know", { service: "ec2", url: "/?Action=DescribeVpcs&Version=2016-11-15" }],
    ["of another service than its host", { service: "sts", url: "/", headers: { host: "iam.amazonaws.com" } }],
    ["with an access key that is not the administrator's", { url: "/site/public/a", accessKeyId: "test" }],
    ["with a parameter that the session's policy allows, and another one", { url: "/site?prefix=public/&%70refix=" }],
    ["with a subresource that moto ignores", { url: "/site/public/a?retention" }],
    ["with an empty upload id, which moto ignores", { url: "/site/other?uploadId=" }],
    ["with the object in a form", { method: "POST", url: "/site", headers: form, body: "key=other&file=x" }],
  ])("%s is denied", async (_, sent) => {
    const { status } = await send(sent);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });

  it("is executed as it is authorized: an operation in a JSON text", async () => {
    const create = new CreateTableCommand({
      TableName: "kept",
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      BillingMode: "PAY_PER_REQUEST",
    });
    await new DynamoDBClient(clientOptions()).send(create);
    const body = JSON.stringify({ TableName: "kept", Key: { id: { S: "&Action=DeleteTable&x=" } } });
    const headers = { "x-amz-target": "DynamoDB_20120810.GetItem", "content-type": "text/plain" };
    const sent = { service: "dynamodb", method: "POST", url: "/", headers, body, accessKeyId: administrator };
    await expect(send(sent)).resolves.toEqual({ status: 200, text: "{}" });
    await expect(send(sent)).resolves.toEqual({ status: 200, text: "{}" });
  });

  it("is executed as it is authorized: an object with any key", async () => {
    const unit = fc.constantFrom(..."ab/.;?&=+%#'\"<> \\~é😀", "..", "//", ".s3.cn-north-1.amazonaws.com");
    const bucket = "keys";
    await admin().send(new CreateBucketCommand({ Bucket: bucket }));
    const put = async (units: string[]) => {
      const key = units.join("");
      const url = `/${bucket}/${encodeURIComponent(key)}`;
      await expect(send({ method: "PUT", url, accessKeyId: administrator })).resolves.toMatchObject({ status: 200 });
      const { Contents = [] } = await admin().send(new ListObjectsV2Command({ Bucket: bucket }));
      expect(Contents.map(({ Key }) => Key)).toEqual([key]);
      await admin().send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: [{ Key: key }] } }));
    };
    const keysOf = fc.array(unit, { minLength: 1, maxLength: 6 });
    await fc.assert(fc.asyncProperty(keysOf, put), { numRuns: 50 });
  });

  it("is denied with the id of an upload to another key", async () => {
    const { UploadId } = await admin().send(new CreateMultipartUploadCommand({ Bucket: "site", Key: "other" }));
    const url = `/site/public/a?partNumber=1&uploadId=${UploadId}`;
    await expect(send({ method: "PUT", url, body: "x" })).resolves.toMatchObject({ status: 404 });
  });
});

describe("a presigned URL", () => {
  let url: string;

  beforeAll(async () => {
    const keys = await assumeWithToken(await sandbox.issuer.token(main));
    await new S3Client(clientOptions()).send(new PutObjectCommand({ Bucket: "site", Key: "public/a", Body: "signed" }));
    const folder = mkdtempSync(join(tmpdir(), "keyless-test-"));
    const AWS_CONFIG_FILE = join(folder, "config");
    writeFileSync(AWS_CONFIG_FILE, "[default]\ns3 =\n  signature_version = s3v4\n  addressing_style = path\n");
    const env = {
      ...sandbox.environment,
      AWS_CONFIG_FILE,
      AWS_ACCESS_KEY_ID: keys.AccessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.SecretAccessKey,
      AWS_SESSION_TOKEN: keys.SessionToken,
    };
    url = await aws(env, "s3 presign s3://site/public/a");
    rmSync(folder, { recursive: true });
  });

  it("is accepted", async () => {
    const response = await fetch(url);
    await expect(response.text()).resolves.toBe("signed");
  });

  it.each([
    ["another method", { method: "DELETE" }, (signed: string) => signed],
    ["another object", {}, (signed: string) => signed.replace("public/a", "public/b")],
    ["another expiry", {}, (signed: string) => signed.replace(/X-Amz-Expires=\d+/, "X-Amz-Expires=604800")],
  ])("is denied with %s", async (_, options, change) => {
    const response = await fetch(change(url), options);
    expect(response.status).toBe(403);
    await expect(response.text()).resolves.toContain("SignatureDoesNotMatch");
  });
});

it("denies the sessions of a role that was deleted and created again", async () => {
  const iam = new IAMClient(clientOptions());
  const role = { RoleName: "created-again", AssumeRolePolicyDocument: JSON.stringify(trust) };
  await iam.send(new CreateRoleCommand(role));
  const RoleArn = `arn:aws:iam::${accountId}:role/created-again`;
  const keys = await assumeWithToken(await sandbox.issuer.token(main), { RoleArn });
  const identify = () => new STSClient(clientOptions(keys)).send(new GetCallerIdentityCommand());
  await expect(identify()).resolves.toMatchObject({ Account: accountId });
  await iam.send(new DeleteRoleCommand(role));
  await iam.send(new CreateRoleCommand(role));
  await expect(identify()).rejects.toMatchObject({ Code: "InvalidClientTokenId" });
});

it("evaluates the tags of a session before those of its role", async () => {
  const iam = new IAMClient(clientOptions());
  const Tags = [{ Key: "team", Value: "role" }];
  const role = { RoleName: "tagged", AssumeRolePolicyDocument: JSON.stringify(trust), Tags };
  await iam.send(new CreateRoleCommand(role));
  const ofTeam = { Condition: { StringEquals: { "aws:PrincipalTag/team": "session" } } };
  const PolicyDocument = document(statement("s3:PutObject", "arn:aws:s3:::site/*", ofTeam));
  await iam.send(new PutRolePolicyCommand({ RoleName: "tagged", PolicyName: "own", PolicyDocument }));
  const put = async (more: object) => {
    const assume = { RoleArn: `arn:aws:iam::${accountId}:role/tagged`, RoleSessionName: "test", ...more };
    const { Credentials: keys } = await new STSClient(clientOptions()).send(new AssumeRoleCommand(assume));
    return new S3Client(clientOptions(keys)).send(new PutObjectCommand({ Bucket: "site", Key: "tagged", Body: "x" }));
  };
  await expect(put({})).rejects.toMatchObject({ name: "AccessDenied" });
  await expect(put({ Tags: [{ Key: "team", Value: "session" }] })).resolves.toMatchObject({ ETag: expect.any(String) });
});

it.each([
  ["an empty session policy", { Policy: "" }, "ValidationError"],
  ["a session policy without statements", { Policy: "{}" }, "MalformedPolicyDocument"],
])("rejects %s", async (_, more, code) => {
  const token = await sandbox.issuer.token(main);
  await expect(assumeWithToken(token, more)).rejects.toMatchObject({ Code: code });
});

it("isolates accounts from each other", async () => {
  const other = sandbox.accountEnvironment("210987654321");
  await expect(aws(other, "sts get-caller-identity --query Account --output text")).resolves.toBe("210987654321");
  await expect(aws(other, "s3 ls s3://site")).resolves.toContain("AccessDenied");
  await expect(aws(other, "iam list-roles --query Roles --output text")).resolves.toBe("");
});

it("gives a lock to one of several concurrent clients", async () => {
  const dynamodb = new DynamoDBClient(clientOptions());
  const LockID = { AttributeName: "LockID" };
  await dynamodb.send(
    new CreateTableCommand({
      TableName: "lock",
      AttributeDefinitions: [{ ...LockID, AttributeType: "S" }],
      KeySchema: [{ ...LockID, KeyType: "HASH" }],
      BillingMode: "PAY_PER_REQUEST",
    }),
  );
  const take = (id: string) =>
    dynamodb.send(
      new PutItemCommand({
        TableName: "lock",
        Item: { LockID: { S: id } },
        ConditionExpression: "attribute_not_exists(LockID)",
      }),
    );
  for (let round = 0; round < 20; round++) {
    const taken = await Promise.allSettled(Array.from({ length: 8 }, () => take(`lock ${round}`)));
    expect(taken.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  }
});
