import { parseCall } from "../../../keyless/sandbox/proxy/call";
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
  /** What the gate has looked up. */
  readonly stored?: object;
}

function asks({ service, method = "GET", url = "/", headers = {}, body = "", stored = {} }: Sent) {
  const scope = `ASIAEXAMPLEEXAMPLE22/20260101/us-east-1/${service}/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`;
  const http = { method, url, headers: { host: "127.0.0.1:4000", authorization, ...headers }, body: Buffer.from(body) };
  return requiredPermissions(parseCall(http), { ...account, ...stored });
}

const names = (sent: Sent) => asks(sent).map(({ action, resource }) => `${action} ${resource}`);
const form = (service: string, parameters: Record<string, string>, stored?: object) => ({
  service,
  method: "POST",
  headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
  body: new URLSearchParams(parameters).toString(),
  stored,
});
const json = (service: string, target: string, body: object, stored?: object) => ({
  service,
  method: "POST",
  headers: { "x-amz-target": target },
  body: JSON.stringify(body),
  stored,
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
    ["GET", "/b/k?uploadId=u", "s3:ListMultipartUploadParts arn:aws:s3:::b/k"],
    ["DELETE", "/b/k?uploadId=u", "s3:AbortMultipartUpload arn:aws:s3:::b/k"],
    ["DELETE", "/b/k", "s3:DeleteObject arn:aws:s3:::b/k"],
    ["DELETE", "/b/k?versionId=1", "s3:DeleteObjectVersion arn:aws:s3:::b/k"],
    ["DELETE", "/b/k?tagging", "s3:DeleteObjectTagging arn:aws:s3:::b/k"],
    ["PUT", "/b/k?retention", "s3:PutObjectRetention arn:aws:s3:::b/k"],
    ["GET", "/v20180820/tags/arn%3Aaws%3As3%3A%3A%3Ab", "s3:ListTagsForResource arn:aws:s3:::b"],
  ])("%s %s asks for %s", (method, url, wanted) => {
    expect(names({ service: "s3", method, url })).toEqual([wanted]);
  });

  it("finds the bucket in the host name too", () => {
    const headers = { host: "b.s3.us-east-1.amazonaws.com" };
    expect(names({ service: "s3", url: "/k", headers })).toEqual(["s3:GetObject arn:aws:s3:::b/k"]);
  });

  it("asks to read the object whose attributes are told", () => {
    expect(names({ service: "s3", url: "/b/k?attributes" })).toEqual([
      "s3:GetObjectAttributes arn:aws:s3:::b/k",
      "s3:GetObject arn:aws:s3:::b/k",
    ]);
  });

  it("asks to read the source of a copy", () => {
    const headers = { "x-amz-copy-source": "/a/x%20y?versionId=3" };
    expect(names({ service: "s3", method: "PUT", url: "/b/k", headers })).toEqual([
      "s3:PutObject arn:aws:s3:::b/k",
      "s3:GetObjectVersion arn:aws:s3:::a/x y",
    ]);
  });

  it("asks for the rights to set an ACL and tags with an object", () => {
    const headers = { "x-amz-acl": "private", "x-amz-tagging": "a=1" };
    expect(names({ service: "s3", method: "PUT", url: "/b/k", headers })).toEqual([
      "s3:PutObject arn:aws:s3:::b/k",
      "s3:PutObjectAcl arn:aws:s3:::b/k",
      "s3:PutObjectTagging arn:aws:s3:::b/k",
    ]);
  });

  it("asks for the rights to what a bucket is made with", () => {
    const headers = { "x-amz-object-ownership": "BucketOwnerEnforced" };
    expect(names({ service: "s3", method: "PUT", url: "/b", headers })).toEqual([
      "s3:CreateBucket arn:aws:s3:::b",
      "s3:PutBucketOwnershipControls arn:aws:s3:::b",
    ]);
  });

  it("asks for each object of a multi-object delete", () => {
    const objects = "<Object><Key>a&amp;b</Key></Object><Object><Key>c</Key><VersionId>1</VersionId></Object>";
    expect(names({ service: "s3", method: "POST", url: "/b?delete", body: `<Delete>${objects}</Delete>` })).toEqual([
      "s3:DeleteObject arn:aws:s3:::b/a&b",
      "s3:DeleteObjectVersion arn:aws:s3:::b/c",
    ]);
  });

  it("asks for the KMS key of what is read and written", () => {
    const stored = { keyArn: key };
    expect(names({ service: "s3", url: "/b/k", stored })).toContain(`kms:Decrypt ${key}`);
    expect(names({ service: "s3", method: "PUT", url: "/b/k", stored })).toContain(`kms:GenerateDataKey ${key}`);
  });

  it("tells an empty prefix from none", () => {
    const context = (url: string) => asks({ service: "s3", url })[0]?.context;
    expect(context("/b?prefix=&delimiter=/")).toMatchObject({ "s3:prefix": "", "s3:delimiter": "/" });
    expect(context("/b")).not.toHaveProperty(["s3:prefix"]);
  });

  it("tells of a prefix only where a bucket is listed", () => {
    expect(asks({ service: "s3", url: "/b/k?prefix=public/" })[0]?.context).not.toHaveProperty(["s3:prefix"]);
  });

  it("tells the encryption that is asked for", () => {
    const headers = { "x-amz-server-side-encryption": "aws:kms" };
    const [ask] = asks({ service: "s3", method: "PUT", url: "/b/k", headers });
    expect(ask?.context).toMatchObject({ "s3:x-amz-server-side-encryption": "aws:kms" });
  });
});

describe("IAM and STS", () => {
  test.each([
    [{ Action: "ListRoles" }, "iam:ListRoles *"],
    [{ Action: "CreateRole", RoleName: "r", Path: "/ci/" }, `iam:CreateRole ${role}/ci/r`],
    [{ Action: "GetRole", RoleName: "r" }, `iam:GetRole ${role}/stored/r`],
    [{ Action: "PutRolePolicy", RoleName: "r", PolicyName: "p" }, `iam:PutRolePolicy ${role}/stored/r`],
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
  ])("%j asks for %s", (parameters, wanted) => {
    expect(names(form("iam", parameters as Record<string, string>, { path: "/stored/" }))).toEqual([wanted]);
  });

  it("is about the role, not the policy, when one is attached to the other", () => {
    const parameters = { Action: "AttachRolePolicy", RoleName: "r", PolicyArn: "arn:p" };
    const [ask] = asks(form("iam", parameters, { boundaryArn: "arn:b" }));
    expect(ask).toMatchObject({
      resource: `${role}/r`,
      context: { "iam:PolicyARN": "arn:p", "iam:PermissionsBoundary": "arn:b" },
    });
  });

  it("takes the boundary from the request when a role is made or its boundary is set", () => {
    for (const Action of ["CreateRole", "PutRolePermissionsBoundary"]) {
      const parameters = { Action, RoleName: "r", PermissionsBoundary: "arn:new" };
      const [ask] = asks(form("iam", parameters, { boundaryArn: "arn:old" }));
      expect(ask?.context).toMatchObject({ "iam:PermissionsBoundary": "arn:new" });
    }
  });

  it("tells the tags of the request and of the role", () => {
    const parameters = { Action: "TagRole", RoleName: "r", "Tags.member.1.Key": "a", "Tags.member.1.Value": "1" };
    const [ask] = asks(form("iam", parameters, { tags: { team: "x" } }));
    expect(ask?.context).toMatchObject({ "aws:RequestTag/a": "1", "aws:TagKeys": ["a"], "aws:ResourceTag/team": "x" });
  });

  it("asks to pass the role that an instance profile gets", () => {
    const parameters = { Action: "AddRoleToInstanceProfile", InstanceProfileName: "i", RoleName: "r" };
    expect(names(form("iam", parameters))).toEqual([
      "iam:AddRoleToInstanceProfile arn:aws:iam::123456789012:instance-profile/i",
      `iam:PassRole ${role}/r`,
    ]);
  });

  test.each([
    [{ Action: "DeleteOpenIDConnectProvider", OpenIDConnectProviderArn: "arn:o", RoleName: "r" }, "arn:o"],
    [{ Action: "DeleteUser", UserName: "u", RoleName: "r" }, "arn:aws:iam::123456789012:user/stored/u"],
    [{ Action: "CreatePolicyVersion", PolicyArn: "arn:p", RoleName: "r" }, "arn:p"],
    [{ Action: "DeleteRole", RoleName: "r", Path: "/mine/", InstanceProfileName: "i" }, `${role}/stored/r`],
    [{ Action: "ListRoles", RoleName: "r" }, "*"],
    [{ Action: "ListInstanceProfilesForRole", RoleName: "r" }, `${role}/stored/r`],
    [{ Action: "AddUserToGroup", UserName: "u", GroupName: "g" }, "arn:aws:iam::123456789012:group/g"],
    [{ Action: "ListGroupsForUser", UserName: "u", GroupName: "g" }, "arn:aws:iam::123456789012:user/stored/u"],
    [{ Action: "GetAccountSummary", UserName: "u" }, "*"],
  ])("is about what the operation reads, whatever else is named: %j", (parameters, resource) => {
    const wanted = `iam:${parameters.Action} ${resource}`;
    expect(names(form("iam", parameters as Record<string, string>, { path: "/stored/" }))).toEqual([wanted]);
  });

  it("asks to set a source identity", () => {
    const parameters = { Action: "AssumeRole", RoleArn: `${role}/r`, SourceIdentity: "ada" };
    expect(names(form("sts", parameters))).toContain(`sts:SetSourceIdentity ${role}/r`);
  });

  it("asks to assume a role by its ARN", () => {
    expect(names(form("sts", { Action: "AssumeRole", RoleArn: `${role}/r` }))).toEqual([`sts:AssumeRole ${role}/r`]);
  });
});

describe("DynamoDB", () => {
  const stored = { partitionKeys: { lock: "LockID" } };
  const item = { LockID: { S: "x" }, Info: { S: "i" } };
  const query = {
    TableName: "lock",
    KeyConditionExpression: "#k = :v",
    ExpressionAttributeNames: { "#k": "LockID" },
    ExpressionAttributeValues: { ":v": { S: "x" } },
  };
  const writes = [{ Put: { TableName: "lock", Item: item } }, { ConditionCheck: { TableName: "lock", Key: item } }];
  const call = (operation: string, body: object) => json("dynamodb", `DynamoDB_20120810.${operation}`, body, stored);

  test.each([
    ["GetItem", { TableName: "lock", Key: { LockID: { S: "x" } } }],
    ["PutItem", { TableName: "lock", Item: item }],
    ["Query", query],
  ])("%s tells the table and the key", (operation, body) => {
    const context = { "dynamodb:LeadingKeys": ["x"] };
    expect(asks(call(operation, body))).toEqual([{ action: `dynamodb:${operation}`, resource: table, context }]);
  });

  test.each([
    ["ListTables", {}, ["dynamodb:ListTables *"]],
    ["DescribeTable", { TableName: table }, [`dynamodb:DescribeTable ${table}`]],
    ["TagResource", { ResourceArn: table }, [`dynamodb:TagResource ${table}`]],
    ["Scan", { TableName: "lock", IndexName: "i" }, [`dynamodb:Scan ${table}/index/i`]],
    ["BatchGetItem", { RequestItems: { lock: { Keys: [] } } }, [`dynamodb:BatchGetItem ${table}`]],
    ["BatchWriteItem", { RequestItems: { lock: [{ PutRequest: {} }] } }, [`dynamodb:BatchWriteItem ${table}`]],
    [
      "TransactWriteItems",
      { TransactItems: writes },
      [`dynamodb:PutItem ${table}`, `dynamodb:ConditionCheckItem ${table}`],
    ],
    ["ExecuteStatement", { Statement: 'DELETE FROM "lock"' }, ["dynamodb:PartiQLDelete *"]],
  ])("%s %j asks for %j", (operation, body, wanted) => {
    expect(names(call(operation, body))).toEqual(wanted);
  });

  it("tells that an item is asked for in a transaction", () => {
    const [ask] = asks(call("TransactWriteItems", { TransactItems: writes }));
    expect(ask?.context).toEqual({
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
  ])("%s is about what the operation reads, whatever else is named: %j", (operation, body) => {
    const context = { "dynamodb:LeadingKeys": ["x"] };
    expect(asks(call(operation, body))).toEqual([{ action: `dynamodb:${operation}`, resource: table, context }]);
  });
});

describe("KMS", () => {
  it("names the key, and the alias where there is one", () => {
    const body = { AliasName: "alias/a", TargetKeyId: "k1" };
    expect(names(json("kms", "TrentService.CreateAlias", body, { keyArn: key }))).toEqual([
      `kms:CreateAlias ${key}`,
      "kms:CreateAlias arn:aws:kms:us-east-1:123456789012:alias/a",
    ]);
    expect(names(json("kms", "TrentService.ListKeys", {}))).toEqual(["kms:ListKeys *"]);
  });

  it("asks for both keys of a ciphertext that is encrypted anew", () => {
    const stored = { keyArn: key, destinationKeyArn: `${key}2` };
    expect(names(json("kms", "TrentService.ReEncrypt", { CiphertextBlob: "" }, stored))).toEqual([
      `kms:ReEncryptFrom ${key}`,
      `kms:ReEncryptTo ${key}2`,
    ]);
  });

  test.each([
    ["Decrypt", { KeyId: "mine", CiphertextBlob: Buffer.from("k".repeat(36)).toString("base64") }, "k".repeat(36)],
    ["DisableKey", { KeyId: "k1", TargetKeyId: "mine", CiphertextBlob: "bWluZQ==" }, "k1"],
    ["CreateAlias", { KeyId: "mine", TargetKeyId: "k1" }, "k1"],
    ["CreateKey", { KeyId: "mine" }, undefined],
  ])("%s %j is about the key %s", (operation, body, wanted) => {
    const http = { method: "POST", url: "/", headers: { "x-amz-target": `TrentService.${operation}` } };
    expect(kmsKeyId(parseCall({ ...http, body: Buffer.from(JSON.stringify(body)) }))).toBe(wanted);
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
  ])("%s %s asks for %s", (method, url, wanted) => {
    expect(names({ service: "cloudfront", method, url: `/2020-05-31${url}` })).toEqual([`cloudfront:${wanted}`]);
  });

  it("asks to tag as well when a distribution is created with tags", () => {
    const sent = { service: "cloudfront", method: "POST", url: "/2020-05-31/distribution?WithTags" };
    expect(names(sent)).toContain(`cloudfront:TagResource ${cdn}:distribution/*`);
  });
});

describe("any other service", () => {
  it("is known by the name of the action alone", () => {
    const target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
    expect(names(json("ecr", target, {}))).toEqual(["ecr:GetAuthorizationToken *"]);
    expect(names(form("email", { Action: "SendEmail" }))).toEqual(["ses:SendEmail *"]);
  });

  it("is not let through for naming nothing", () => {
    expect(names({ service: "s3", method: "POST", url: "/b?delete", body: "<Delete/>" })).toEqual(["s3:POST /b *"]);
  });

  it("is matched by wildcards only where it does not name its action", () => {
    expect(names({ service: "lambda", url: "/2015-03-31/functions" })).toEqual(["lambda:GET /2015-03-31/functions *"]);
  });
});
