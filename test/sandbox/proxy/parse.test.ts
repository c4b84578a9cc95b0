import fc from "fast-check";
import type { Call } from "../../../keyless/sandbox/proxy/call";
import type { HttpRequest } from "../../../keyless/sandbox/proxy/http";
import { parseCall } from "../../../keyless/sandbox/proxy/parse";
import { requiredPermissions } from "../../../keyless/sandbox/proxy/services";
import { deletedObjects } from "../../../keyless/sandbox/proxy/services/s3-delete";

interface Sent {
  readonly service?: string;
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Record<string, string | undefined>;
  readonly body?: string;
}

const now = new Date("2026-01-02T12:00:00Z");

beforeEach(() => jest.useFakeTimers({ now }));
afterEach(() => jest.useRealTimers());

const scope = (service: string) => `ASIAEXAMPLEEXAMPLE22/20260101/us-east-1/${service}/aws4_request`;
const signed = (service: string) => `AWS4-HMAC-SHA256 Credential=${scope(service)}, SignedHeaders=host, Signature=0`;

function parse({ service = "s3", method = "GET", url = "/", headers = {}, body = "" }: Sent): Call {
  const all = { host: "127.0.0.1:4000", authorization: signed(service), ...headers };
  return parseCall({ method, url, headers: all, body: Buffer.from(body) });
}

/** The method, the URL and the body that moto receives. */
function sentToMoto(sent: Sent): string[] {
  const { method, url, body } = parse(sent).http;
  return [`${method} ${url}`, body.toString()];
}

const form = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
const getRole = "Action=GetRole&RoleName=r";
const getItem = { "x-amz-target": "DynamoDB_20120810.GetItem" };
const deletion = (objects: string) => ({ method: "POST", url: "/b?delete", body: `<Delete>${objects}</Delete>` });
const copy = (source: string) => ({ method: "PUT", url: "/b/k", headers: { "x-amz-copy-source": source } });
const iam = (body: string, more: Sent = {}): Sent => ({ service: "iam", method: "POST", headers: form, body, ...more });
const dynamodb = (body: string, more: Sent = {}): Sent => ({
  service: "dynamodb",
  method: "POST",
  headers: getItem,
  body,
  ...more,
});
const presigned = (date: string, expires: string, url = "/b/k") => ({
  url: `${url}?X-Amz-Credential=${encodeURIComponent(scope("s3"))}&X-Amz-Date=${date}&X-Amz-Expires=${expires}`,
  headers: { authorization: undefined },
});
const chunked = (body: string, more: Record<string, string> = {}) => ({
  method: "PUT",
  url: "/b/k",
  headers: { "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "content-encoding": "aws-chunked", ...more },
  body,
});

describe("accepts requests that AWS clients send, and sends moto:", () => {
  it.each<[name: string, sent: Sent, wanted: string, body?: string]>([
    ["an object with a special key", { url: "/b/a//..%2F%C3%A9%23?x-id=GetObject" }, "GET /b/a/%2F../%C3%A9%23"],
    ["a key with a semicolon", { url: "/b/k;x=1" }, "GET /b/k%3Bx%3D1"],
    ["a virtual-hosted-style request", { url: "/k", headers: { host: "b.s3.us-east-1.amazonaws.com" } }, "GET /b/k"],
    ["a virtual-hosted-style request to localhost", { url: "/k", headers: { host: "b.localhost:4000" } }, "GET /b/k"],
    ["an ACL of a version", { url: "/b/k?acl&versionId=3" }, "GET /b/k?acl=&versionId=3"],
    [
      "a list with a question mark in the prefix",
      { url: "/b?list-type=2&prefix=a?b=c+d" },
      "GET /b?list-type=2&prefix=a%3Fb%3Dc%20d",
    ],
    ["a bucket's policy without the parameters of a list", { url: "/b?policy&prefix=a&list-type=2" }, "GET /b?policy="],
    ["a part of an upload", { method: "PUT", url: "/b/k?partNumber=1&uploadId=u" }, "PUT /b/k?partNumber=1&uploadId=u"],
    ["a copy", copy("b/a%20b?versionId=3.x_y"), "PUT /b/k"],
    [
      "a multi-object delete",
      {
        ...deletion(""),
        body:
          '<?xml version="1.0" encoding="UTF-8"?>\n<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
          "<Object><Key>a&amp;b</Key><VersionId>1</VersionId></Object><Quiet>true</Quiet></Delete>",
      },
      "POST /b?delete=",
      "<Delete><Object><Key>a&amp;b</Key><VersionId>1</VersionId></Object><Quiet>true</Quiet></Delete>",
    ],
    ["a presigned URL", presigned("20260102T115900Z", "120"), "GET /b/k"],
    ["a form", iam(getRole), "POST /", `${getRole}&Version=2010-05-08`],
    ["a query", { service: "iam", url: `/?${getRole}` }, "POST /", `${getRole}&Version=2010-05-08`],
    ["JSON", dynamodb(' {"TableName": "t"}'), "POST /?Action=GetItem", '{"TableName":"t"}'],
    [
      "JSON that repeats a key",
      dynamodb('{"TableName":"a","TableName":"b"}'),
      "POST /?Action=GetItem",
      '{"TableName":"b"}',
    ],
    ["a chunked body", chunked("3\r\nabc\r\n2;chunk-signature=0f\r\nde\r\n0\r\n\r\n"), "PUT /b/k", "abcde"],
    [
      "a query of CloudFront",
      { service: "cloudfront", url: "/2020-05-31/tagging?Resource=arn:d" },
      "GET /2020-05-31/tagging?Resource=arn%3Ad",
    ],
    [
      "tags of S3 Control",
      { method: "DELETE", url: "/v20180820/tags/arn:b?tagKeys=a&tagKeys=b" },
      "DELETE /v20180820/tags/arn%3Ab?x-id=&tagKeys=a&tagKeys=b",
    ],
    [
      "a path of another REST service",
      { service: "lambda", url: "/2015-03-31/functions?tags=a&tags=b" },
      "GET /2015-03-31/functions?tags=a&tags=b",
    ],
  ])("%s", (_, sent, wanted, body = "") => {
    expect(sentToMoto(sent)).toEqual([wanted, body]);
  });

  it.each([
    ["b/k", "b/k"],
    ["/b/a%20b?versionId=3", "b/a%20b?versionId=3"],
    ["b%2Fk", "b/k"],
    ["%2Fb%2Fa%2Fk", "b/a/k"],
    ["b/k%3FversionId=3", "b/k%3FversionId%3D3"],
  ])("the source of a copy, %s, as %s", (source, wanted) => {
    expect(parse(copy(source)).http.headers["x-amz-copy-source"]).toBe(wanted);
  });

  it("a header in the query of a presigned URL as a header, on which the request is decided", () => {
    const { http } = parse({
      ...presigned("20260102T115900Z", "120"),
      method: "PUT",
      url: `${presigned("20260102T115900Z", "120").url}&X-Amz-Copy-Source=a%2Fk&x-amz-acl=public-read`,
    });
    expect(http.headers).toMatchObject({ "x-amz-copy-source": "a/k", "x-amz-acl": "public-read" });
    expect(http.url).toBe("/b/k");
  });

  it("the checksum after the last chunk as a header", () => {
    const { http } = parse(chunked("1\r\na\r\n0\r\nx-amz-checksum-crc32:6LdD1Q==\r\n\r\n"));
    expect(http.headers).toMatchObject({ "x-amz-checksum-crc32": "6LdD1Q==" });
    expect(http.headers).not.toHaveProperty("content-encoding");
  });

  it("only headers of the service", () => {
    const headers = {
      "x-amz-acl": "private",
      "x-http-method-override": "DELETE",
      "x-forwarded-host": "b",
      "x-moto-account-id": "210987654321",
      "x-amz-target": "TrentService.ListKeys",
      "transfer-encoding": "chunked",
    };
    expect(parse({ method: "PUT", url: "/b/k", headers }).http.headers).toEqual({ "x-amz-acl": "private" });
    expect(
      Object.keys(parse(iam(getRole, { headers: { ...headers, ...form, "x-amz-target": undefined } })).http.headers),
    ).toEqual(["content-type", "user-agent"]);
  });

  it.each([
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "Application/X-WWW-Form-Urlencoded",
  ])("an object of the type %s without this type, for which moto reads parameters from the body", (type) => {
    const { http } = parse({ method: "PUT", url: "/b/k", headers: { "content-type": type }, body: "uploadId=u" });
    expect(http.headers["content-type"]).toBe("binary/octet-stream");
  });
});

describe("rejects", () => {
  it.each<[name: string, sent: Sent]>([
    ["an absolute URL", { url: "http://127.0.0.1/b/k" }],
    ["a fragment", { url: "/b/k#x" }],
    ["an invalid percent-encoding", { url: "/b/%E0%A4%A" }],
    ["an overlong encoding", { url: "/b/%C0%AFk" }],
    ["an invalid percent-encoding in the query", { url: "/b?prefix=%FF" }],
    ["an empty bucket name", { url: "//b/k" }],
    ["a bucket name with an encoded slash", { url: "/b%2Fk" }],
    ["a bucket name of dots", { url: "/../b/k" }],
    ["another method", { method: "PATCH", url: "/b/k" }],
    ["the host of another service", { url: "/b/k", headers: { host: "iam.amazonaws.com" } }],
    ["an unknown host", { url: "/b/k", headers: { host: "attacker.example.com" } }],
    ["a bucket in the host of IAM", iam(getRole, { headers: { ...form, host: "b.iam.amazonaws.com" } })],
    ["two subresources", { method: "PUT", url: "/b?acl&policy" }],
    ["two prefixes", { url: "/b?prefix=a&prefix=b" }],
    ["two prefixes in different encodings", { url: "/b?prefix=a&%70refix=b" }],
    ["an empty upload id, for which moto returns the object", { url: "/b/k?uploadId=" }],
    ["an empty version id", { url: "/b/k?versionId=" }],
    ["an upload of a part without a number", { method: "PUT", url: "/b/k?uploadId=u" }],
    [
      "a browser-based upload",
      { method: "POST", url: "/b", headers: { "content-type": "multipart/form-data" }, body: "x" },
    ],
    ["a subresource that moto does not implement", { url: "/b/k?retention" }],
    ["a subresource for which moto deletes the bucket", { method: "DELETE", url: "/b?versioning" }],
    ["a subresource for which moto creates the bucket", { method: "PUT", url: "/b?requestPayment" }],
    ["a subresource for which moto lists the bucket", { url: "/b?policyStatus" }],
    ["a header in the query too", { url: "/b/k?x-amz-acl=private", headers: { "x-amz-acl": "public-read" } }],
    ["a tag given twice", { method: "PUT", url: "/b/k", headers: { "x-amz-tagging": "a=1&a=2" } }],
    ["two signatures", { url: `/b/k?X-Amz-Credential=${scope("s3")}` }],
    [
      "two signatures in the query",
      {
        ...presigned("20260102T115900Z", "120"),
        url: `${presigned("20260102T115900Z", "120").url}&X-Amz-Credential=${scope("s3")}`,
      },
    ],
    ["a signature with two scopes", { headers: { authorization: signed("s3").replace(" ", ` X=${scope("iam")}, `) } }],
    ["a signature of another kind", { headers: { authorization: "AWS AKIA:signature" } }],
    ["an upper-case service", { service: "S3" }],
    ["a request signed 16 minutes ago", { headers: { "x-amz-date": "20260102T114400Z" } }],
    ["a request signed in 16 minutes", { headers: { "x-amz-date": "20260102T121600Z" } }],
    ["an expired presigned URL", presigned("20260102T115000Z", "599")],
    ["a presigned URL of tomorrow", presigned("20260103T120000Z", "600")],
    ["a presigned URL of more than 7 days", presigned("20260102T115000Z", "604801")],
    [
      "a presigned URL without a time",
      { url: `/b/k?X-Amz-Credential=${scope("s3")}`, headers: { authorization: undefined } },
    ],
    ["an action in the query and in the form", iam("Action=DeleteRole", { url: `/?${getRole}` })],
    ["a parameter in the query and in the form", iam(getRole, { url: "/?RoleName=x" })],
    ["an action in a header and in the form", iam(getRole, { headers: { ...form, "x-amz-target": "x.GetRole" } })],
    [
      "a form with another content type",
      iam("x", { url: `/?${getRole}`, headers: { "content-type": "multipart/form-data" } }),
    ],
    ["a compressed form", iam(getRole, { headers: { ...form, "content-encoding": "gzip" } })],
    ["an action given twice", iam(`${getRole}&Action=DeleteRole`)],
    ["an action given twice in different encodings", iam(`${getRole}&%41ction=DeleteRole`)],
    ["no action", iam("RoleName=r")],
    ["a lower-case action", iam("Action=getRole&RoleName=r")],
    ["an action that only moto accepts", iam("Action=Get_role&RoleName=r")],
    ["an action of another version", iam(`${getRole}&Version=2011-06-15`)],
    ["an action with a path", { service: "sts", url: "/b/k?Action=GetCallerIdentity" }],
    ["a list that begins at 2", iam("Action=TagRole&Tags.member.2.Key=a&Tags.member.2.Value=1")],
    ["a list with a leading zero", iam("Action=TagRole&Tags.member.01.Key=a&Tags.member.01.Value=1")],
    ["a list with a hole", iam("Action=UntagRole&TagKeys.member.1=a&TagKeys.member.3=b")],
    ["a role name with a path", iam("Action=CreateRole&RoleName=ci/r")],
    ["a role name with a wildcard", iam("Action=CreateRole&RoleName=*")],
    ["a path that does not end with a slash", iam("Action=CreateRole&RoleName=r&Path=/ci")],
    ["a list that is also a text", iam("Action=UntagRole&TagKeys=x&TagKeys.member.1=a")],
    ["an operation in a header and in the query", dynamodb("{}", { url: "/?Action=DeleteItem" })],
    ["an operation of an older protocol", dynamodb("{}", { headers: { "x-amz-target": "DynamoDB_20111205.GetItem" } })],
    [
      "an operation that AWS does not have",
      dynamodb("{}", { headers: { "x-amz-target": "DynamoDB_20120810.get_item" } }),
    ],
    [
      "two operations",
      dynamodb("{}", { headers: { "x-amz-target": "DynamoDB_20120810.GetItem, DynamoDB_20120810.PutItem" } }),
    ],
    ["an operation of another service", dynamodb("{}", { headers: { "x-amz-target": "TrentService.ListKeys" } })],
    ["a JSON operation in a form", dynamodb("Action=DeleteTable", { headers: { ...getItem, ...form } })],
    ["invalid JSON", dynamodb("{")],
    ["a JSON array", dynamodb("[]")],
    ["a compressed JSON body", dynamodb("{}", { headers: { ...getItem, "content-encoding": "gzip" } })],
    [
      "a ciphertext that parsers read differently",
      {
        service: "kms",
        method: "POST",
        headers: { "x-amz-target": "TrentService.Decrypt" },
        body: '{"CiphertextBlob":"a-_b"}',
      },
    ],
    ["a delete of nothing", deletion("")],
    ["a delete with two keys in one object", deletion("<Object><Key>a</Key><Key>b</Key></Object>")],
    ["a delete with an unknown element", deletion("<Object><Key>a</Key><Bucket>c</Bucket></Object>")],
    ["a delete that is only a comment", deletion("<!-- <Object><Key>a</Key></Object> -->")],
    ["a copy with an empty source bucket", copy("//b/k")],
    ["a copy with another query parameter", copy("b/k?x=1&versionId=3")],
    ["a copy from an access point", copy("arn:aws:s3:us-east-1:123456789012:accesspoint/a/object/k")],
    ["a chunk that is shorter than its length", chunked("5\r\nabc\r\n0\r\n\r\n")],
    ["chunks without an end", chunked("3\r\nabc\r\n")],
    ["a decoded length that differs", chunked("3\r\nabc\r\n0\r\n\r\n", { "x-amz-decoded-content-length": "4" })],
    ["a path of CloudFront with an unknown part", { service: "cloudfront", url: "/2020-05-31/distribution/E1/other" }],
    ["a path of CloudFront with an empty part", { service: "cloudfront", url: "/2020-05-31//distribution/E1" }],
    [
      "an API version of CloudFront that moto does not have",
      { service: "cloudfront", url: "/2019-03-26/distribution" },
    ],
    [
      "a tag operation that CloudFront does not have",
      { service: "cloudfront", method: "POST", url: "/2020-05-31/tagging?Operation=untag&Resource=arn:d" },
    ],
    ["another path of S3 Control", { url: "/v20180820/accesspoint/a" }],
    ["moto's API as a bucket", { method: "POST", url: "/moto-api/reset" }],
    ["moto's API in the host name", { url: "/reset", headers: { host: "moto-api.localhost" } }],
    ["moto's API of another service", { service: "ec2", url: "/%6doto-api/data.json" }],
    ["moto's API after two slashes", { service: "ec2", url: "//moto-api/data.json" }],
    ["moto's instance metadata", { service: "ec2", url: "/latest/meta-data/iam" }],
  ])("%s", (_, sent) => {
    expect(() => parse(sent)).toThrow();
  });
});

it.each([
  ["a tag with a space", "<Object ><Key>a</Key></Object >", "a"],
  ["CDATA", "<Object><Key><![CDATA[a<b]]></Key></Object>", "a<b"],
  ["a character reference", "<Object><Key>a&#x62;</Key></Object>", "ab"],
  ["a comment", "<Object><Key>a<!-- b --></Key></Object>", "a"],
  ["an attribute", '<Object Key="b"><Key>a</Key></Object>', "b"],
])("moto deletes the object of which the request is decided: %s", (_, objects, key) => {
  const { http } = parse(deletion(objects));
  expect(deletedObjects(http.body).objects).toEqual([{ key, versionId: undefined, conditions: [] }]);
  expect(http.body.toString()).toBe(
    `<Delete><Object><Key>${key.replace("<", "&lt;")}</Key></Object><Quiet>false</Quiet></Delete>`,
  );
});

it("uses the region of the global endpoint for IAM and CloudFront, for aws:RequestedRegion", () => {
  const authorization = signed("iam").replace("us-east-1", "eu-west-1");
  expect(parse(iam(getRole, { headers: { ...form, authorization } })).region).toBe("us-east-1");
});

describe("the request that moto receives is, parsed again, the same call:", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: fc.constantFrom(..."ab/.;?&=+%#'\"<>\r\n ") }),
  );
  const key = text.filter((value) => value !== "");
  const account = { accountId: "123456789012", partition: "aws" };

  const requireSame = (request: HttpRequest) => {
    const call = parseCall(request);
    const { authorization, host } = request.headers;
    const again = parseCall({ ...call.http, headers: { ...call.http.headers, authorization, host } });
    expect({ ...again, http: undefined }).toEqual({ ...call, http: undefined });
    expect(again.http).toEqual(call.http);
    expect(requiredPermissions(again, account)).toEqual(requiredPermissions(call, account));
    return call;
  };
  const request = (service: string, method: string, url: string, headers = {}, body = ""): HttpRequest => ({
    method,
    url,
    headers: { host: "127.0.0.1:4000", authorization: signed(service), ...headers },
    body: Buffer.from(body),
  });

  it("any object, subresource, version and copy source", () => {
    const subresource = fc.constantFrom("", "acl", "tagging", "legal-hold");
    fc.assert(
      fc.property(key, key, subresource, fc.boolean(), key, (path, source, name, hasVersion, version) => {
        const query = `?${name}&${hasVersion ? `versionId=${encodeURIComponent(version)}` : ""}`;
        const headers = { "x-amz-copy-source": `b/${encodeURIComponent(source)}` };
        const { permissions, url } = (() => {
          const call = requireSame(request("s3", "PUT", `/b/${encodeURIComponent(path)}${query}`, headers));
          return { permissions: requiredPermissions(call, account), url: call.http.url };
        })();
        expect(permissions[0]?.resource).toBe(`arn:aws:s3:::b/${path}`);
        expect(decodeURIComponent(url.split("?")[0] ?? "")).toBe(`/b/${path}`);
        if (name === "") expect(permissions.at(-1)?.resource).toBe(`arn:aws:s3:::b/${source}`);
      }),
    );
  });

  it("any list of objects to delete", () => {
    const xml = fc.string({ unit: fc.constantFrom(..."ab&<>\"' \t;/é😀") }).filter((value) => value.trim() !== "");
    const escaped = (value: string) => value.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    fc.assert(
      fc.property(fc.array(xml, { minLength: 1, maxLength: 4 }), (keys) => {
        const objects = keys.map((one) => `<Object><Key>${escaped(one)}</Key></Object>`).join("");
        const call = requireSame(request("s3", "POST", "/b?delete", {}, `<Delete>${objects}</Delete>`));
        expect(requiredPermissions(call, account).map(({ resource }) => resource)).toEqual(
          keys.map((one) => `arn:aws:s3:::b/${one}`),
        );
      }),
    );
  });

  it("any form of the query protocol", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[A-Z][a-z]{3,8}$/)), text, (names, value) => {
        const body = new URLSearchParams({
          ...Object.fromEntries(names.map((name) => [name, value])),
          Action: "GetRole",
        });
        body.delete("Version");
        requireSame(request("iam", "POST", "/", form, body.toString()));
      }),
    );
  });

  it("any JSON", () => {
    fc.assert(
      fc.property(fc.dictionary(text, fc.jsonValue()), (value) => {
        const call = requireSame(
          request("dynamodb", "POST", "/", { "x-amz-target": "DynamoDB_20120810.Scan" }, JSON.stringify(value)),
        );
        expect(JSON.parse(call.http.body.toString())).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("any body in chunks", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 })), (parts) => {
        const chunks = parts.map((part) => `${Buffer.byteLength(part).toString(16)}\r\n${part}\r\n`).join("");
        const { http } = parse(chunked(`${chunks}0\r\n\r\n`));
        expect(http.body.toString()).toBe(parts.join(""));
      }),
    );
  });
});
