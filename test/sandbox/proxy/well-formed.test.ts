import { parseCall } from "../../../keyless/sandbox/proxy/call";
import { requireWellFormed } from "../../../keyless/sandbox/proxy/well-formed";

interface Sent {
  readonly service?: string;
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const scope = (service: string) => `ASIAEXAMPLEEXAMPLE22/20260101/us-east-1/${service}/aws4_request`;
const signed = (service: string) => `AWS4-HMAC-SHA256 Credential=${scope(service)}, SignedHeaders=host, Signature=0`;

function check({ service = "s3", method = "GET", url = "/", headers = {}, body = "" }: Sent): void {
  const all = { host: "127.0.0.1:4000", authorization: signed(service), ...headers };
  requireWellFormed(parseCall({ method, url, headers: all, body: Buffer.from(body) }));
}

const form = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
const getRole = "Action=GetRole&RoleName=r";
const getItem = { "x-amz-target": "DynamoDB_20120810.GetItem" };
const deletion = (objects: string) => ({ method: "POST", url: "/b?delete", body: `<Delete>${objects}</Delete>` });
const copy = (source: string) => ({ method: "PUT", url: "/b/k", headers: { "x-amz-copy-source": source } });

describe("accepts requests that AWS clients send:", () => {
  it.each<[name: string, sent: Sent]>([
    ["an object with a special key", { url: "/b/a//..%2F%C3%A9%23?x-id=GetObject" }],
    ["a virtual-hosted-style request", { url: "/k", headers: { host: "b.s3.us-east-1.amazonaws.com" } }],
    ["an ACL of a version", { url: "/b/k?acl&versionId=3" }],
    ["a part of an upload", { method: "PUT", url: "/b/k?partNumber=1&uploadId=u" }],
    ["a copy", copy("b/a%20b?versionId=3.x_y")],
    ["a copy whose source is fully encoded", copy("b%2Fk")],
    [
      "a multi-object delete",
      {
        ...deletion(""),
        body:
          '<?xml version="1.0" encoding="UTF-8"?>\n<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
          "<Object><Key>a&amp;b</Key><VersionId>1</VersionId></Object><Quiet>true</Quiet></Delete>",
      },
    ],
    [
      "a presigned URL",
      { url: `/b/k?X-Amz-Credential=${scope("s3")}`, headers: { authorization: undefined as never } },
    ],
    ["a form", { service: "iam", method: "POST", headers: form, body: getRole }],
    ["JSON", { service: "dynamodb", method: "POST", headers: getItem, body: "{}" }],
    ["a path of a REST service", { service: "lambda", url: "/2015-03-31/functions?tags=a&tags=b" }],
    ["a query of CloudFront", { service: "cloudfront", url: "/2020-05-31/tagging?Resource=arn:d" }],
  ])("%s", (_, sent) => {
    expect(() => check(sent)).not.toThrow();
  });
});

describe("rejects ambiguous requests:", () => {
  it.each<[name: string, sent: Sent]>([
    ["an absolute URL", { url: "http://127.0.0.1/b/k" }],
    ["a fragment", { url: "/b/k#x" }],
    ["an invalid percent-encoding", { url: "/b/%E0%A4%A" }],
    ["an empty bucket name", { url: "//b/k" }],
    ["a bucket name with an encoded slash", { url: "/b%2Fk" }],
    ["two subresources", { method: "PUT", url: "/b?acl&policy" }],
    ["two prefixes", { url: "/b?prefix=a&prefix=b" }],
    ["two signatures", { url: `/b/k?X-Amz-Credential=${scope("s3")}` }],
    ["a signature with two scopes", { headers: { authorization: signed("s3").replace(" ", ` X=${scope("iam")}, `) } }],
    ["a signature of another kind", { headers: { authorization: "AWS AKIA:signature" } }],
    ["an upper-case service", { service: "S3" }],
    [
      "an action in the query and in the form",
      { service: "iam", method: "POST", url: `/?${getRole}`, headers: form, body: "Action=DeleteRole" },
    ],
    [
      "an action in a header and in the form",
      { service: "iam", method: "POST", headers: { ...form, "x-amz-target": "x.GetRole" }, body: "Action=DeleteRole" },
    ],
    [
      "a form with another content type",
      {
        service: "iam",
        method: "POST",
        url: `/?${getRole}`,
        headers: { "content-type": "multipart/form-data" },
        body: "x",
      },
    ],
    ["an action given twice", { service: "iam", method: "POST", headers: form, body: `${getRole}&Action=DeleteRole` }],
    ["no action", { service: "iam", method: "POST", headers: form, body: "RoleName=r" }],
    ["an action with a path", { service: "sts", url: "/b/k?Action=GetCallerIdentity" }],
    [
      "an operation in a header and in the query",
      {
        service: "kms",
        method: "POST",
        url: "/?Action=Decrypt",
        headers: { "x-amz-target": "TrentService.DescribeKey" },
        body: "{}",
      },
    ],
    [
      "an operation of an older protocol",
      { service: "dynamodb", method: "POST", headers: { "x-amz-target": "DynamoDB_20111205.GetItem" }, body: "{}" },
    ],
    ["invalid JSON", { service: "dynamodb", method: "POST", headers: getItem, body: "{" }],
    ["a delete with a tag that only some parsers accept", deletion("<Object ><Key>a</Key></Object >")],
    ["a delete with a key in CDATA", deletion("<Object><Key><![CDATA[a]]></Key></Object>")],
    ["a delete with two keys in one object", deletion("<Object><Key>a</Key><Key>b</Key></Object>")],
    ["a delete with a comment", deletion("<!-- <Object><Key>a</Key></Object> -->")],
    ["a copy with an empty source bucket", copy("//b/k")],
    ["a copy with another query parameter", copy("b/k?x=1&versionId=3")],
  ])("%s", (_, sent) => {
    expect(() => check(sent)).toThrow();
  });
});
