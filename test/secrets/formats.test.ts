import { spawnSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { findSecrets } from "../../keyless/secrets/find";
import { isNamedCredential, readRules } from "../../keyless/secrets/formats";
import { convertRe2 } from "../../keyless/secrets/re2";

const tables = [readRules("gitleaks.json"), readRules("own-rules.json")];
const isHidden = (text: string, name = "x") => findSecrets(text).length > 0 || isNamedCredential(name, text);
const base64 = (text: string) => Buffer.from(text).toString("base64");

test("the table of gitleaks names its version, commit and license", () => {
  const { source } = tables[0] as unknown as { source: { version: string; commit: string; license: string[] } };
  expect(source.version).toMatch(/^v\d+\.\d+\.\d+$/);
  expect(source.commit).toMatch(/^[0-9a-f]{40}$/);
  expect(source.license.join("\n")).toContain("MIT License");
});

test("every rule compiles and has keywords of two characters or more", () => {
  for (const { regex, keywords, allow = [] } of tables.flatMap(({ rules }) => rules)) {
    expect(() => new RegExp(...regex)).not.toThrow();
    expect(keywords.length).toBeGreaterThan(0);
    expect(keywords.every((keyword) => keyword.length > 1 && keyword === keyword.toLowerCase())).toBe(true);
    for (const pattern of allow.flatMap(({ regexes = [] }) => regexes))
      expect(() => new RegExp(...pattern)).not.toThrow();
  }
  expect(tables[0]?.rules.length).toBeGreaterThan(200);
});

test.each([
  ["(?i)a[b-d]", ["a[b-d]", "i"]],
  ["a(?i)b[c-d0-9]", ["a[bB][c-dC-D0-9]", ""]],
  ["(?i)a(?-i:b)c", ["[aA](?:b)[cC]", ""]],
  ["(?s:.).", ["(?:[\\s\\S])[^\\n]", ""]],
  ["(?P<x>[[:alnum:]])[^]]\\z", ["([a-zA-Z0-9])[^\\]]$", ""]],
])("the expression %s of Go is converted to JavaScript", (re2, expected) => {
  expect(convertRe2(re2)).toEqual(expected);
});

// Assembled from parts, so that secret scanners do not report this file.
const accessKey = ["AKIA", "Q3EGRZ7TVX5MPLW2"].join("");
const github = ["ghp", "_0123456789abcdefghijABCDEFGHIJ012345"].join("");
const environment = "#!/bin/sh\nexport DB_PASSWORD=correct-horse\n";

test.each([
  ["after an escaped newline", `x\\n${accessKey}`],
  ["after letters", `prefix${accessKey}`],
  ["in JSON in JSON", JSON.stringify({ a: JSON.stringify({ k: github }) })],
  ["after an escaped quote", `\\u0022${github}`],
  ["a password in a URL", "postgres://app:hunter2@db:5432/x"],
  ["a password in a URL without a user", "redis://:p4ssw0rd@redis:6379"],
  ["an environment file", environment],
  ["user data in base64", base64(environment)],
  ["compressed user data", gzipSync(environment).toString("base64")],
  ["base64 in JSON in base64", base64(JSON.stringify({ env: base64("SECRET_KEY=abcdefgh123") }))],
  ["JSON in a URL", encodeURIComponent('{"password":"hunter2zz"}')],
  ["a connection string", "Server=db;User Id=sa;Password=hunter2zz;"],
  ["a variable of a container", '[{"name":"DB_PASSWORD","value":"hunter2zz"}]'],
  ["a header", "Authorization: Bearer abcdefghijklmnop1234"],
  ["the password of a command", "curl -u admin:hunter22 https://x"],
  ["the password of a MySQL client", "mysql -h db -u root -phunter22 shop < dump.sql"],
  ["a secret access key after its id", `${accessKey},wJalrXUtnFEMI/K7MDENG/bPxRfiCYzx9KEY12ab`],
  ["a token of CircleCI", ["CCIPAT", "_abcdefghij0123456789"].join("")],
])("a credential is found: %s", (_name, text) => {
  expect(findSecrets(text)).not.toEqual([]);
});

const stripe = ["sk", "_live_"].join("");
const vault = ["hv", "s."].join("");
test.each([
  ["false", `${["gl", "pat-"].join("")}Xfalse7yK2mQ9wRt4LzP`],
  ["FALSE", `${["npm", "_"].join("")}FALSE4rT7yU1iO9pA3sD5fG8hJ2kL6zXcVbN`],
  ["null at the end", `${stripe}7yK2mQ9wRt4LzP3vB8null`],
  ["true at the beginning", `DD_API_KEY=true0b7c1d9e2f8a4b6c3d5e7f9a1b2c`],
  ["the alphabet", `${stripe}abcdefghijklmnopqrstuvwxyz0123`],
  ["letters after `s.`", `${vault}${"abcdefghijklmnopqrstuvwx"}${"Zq7Xw4Kp2MvB9sT5".repeat(5)}`],
])("a credential is found although it contains %s", (_name, text) => {
  expect(findSecrets(text)).not.toEqual([]);
  expect(findSecrets(`TOKEN="${text}"`)).not.toEqual([]);
});

test.each(["true", "False", "null", "xxxxxxxxxxxx", "$TOKEN", "{{ token }}", "/etc/ssl/token"])(
  "%s is no credential",
  (value) => {
    expect(findSecrets(`API_TOKEN=${value}\nDD_API_KEY=${value}`)).toEqual([]);
  },
);

test.each([
  ["db_password", "correct horse battery"],
  ["secret_access_key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzx9KEY12ab"],
  ["datadog_api_key", "0123456789abcdef0123456789abcdef"],
])("the name %s tells that the value is a credential", (name, value) => {
  expect(isNamedCredential(name, value)).toBe(true);
});

const uuid = "66666666-7777-4888-9999-000000000000";
test.each([
  ["thumbprint_list", "9e99a48a9960b14926bb7f3b02e22da2b0ab7280"],
  ["client_id_list", uuid],
  ["kms_key_id", uuid],
  ["source_code_hash", "Xk2p0Jq7m3v9b1c5d8f6g4h2j0k7l9z3x5c8v1b6n4M="],
  ["etag", "d41d8cd98f00b204e9800998ecf8427e"],
  ["key", "index-4f3a2b1c9d.js"],
  ["access_point_id", "fsap-0123456789abcdef0"],
  ["secret_arn", "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-AbCdEf"],
  ["http_tokens", "required"],
  ["unique_id", "AIDACKCEVSQ6C2EXAMPLE"],
  ["user_data", "DB_PASSWORD=$DB_PASSWORD\nPASSWORD_FILE=/run/secrets/db\n"],
  ["policy", '{"Statement":[{"Action":["iam:CreateAccessKey","secretsmanager:GetSecretValue"],"Effect":"Allow"}]}'],
  [
    "policy",
    '{"Condition":{"StringEquals":{"aws:PrincipalTag/access-project":"project-2024","sts:ExternalId":"acme-123456"}}}',
  ],
  [
    "assume_role_policy",
    `{"Condition":{"StringLike":{"oidc.circleci.com/org/${uuid}:sub":"org/${uuid}/project/${uuid}/user/*"}}}`,
  ],
])("%s = %s stays visible", (name, value) => {
  expect(isHidden(value, name)).toBe(false);
});

test("no rule takes more than linear time on hostile texts", () => {
  const script = `
    const { findSecrets } = require("./dist/keyless/secrets/find.js");
    const { readRules } = require("./dist/keyless/secrets/formats.js");
    const fill = (text) => text.repeat(Math.ceil(100_000 / text.length)).slice(0, 100_000);
    const rules = ["gitleaks.json", "own-rules.json"].flatMap((file) => readRules(file).rules);
    const parts = ["a", "-", "A", "0", " ", "\\n", "aB3/+", "=", "\\\\", "%41", "&amp;", "SGVsbG8g", "H4sI", "://a:", '"key":"'];
    for (const part of parts) findSecrets(fill(part));
    for (const { regex: [source, flags], keywords } of rules)
      for (const text of keywords.flatMap((k) => [fill(k), fill(k + "-"), fill(k + "="), k + fill("a"), k + '="' + fill("aB3/+")]))
        for (const _ of text.matchAll(new RegExp(source, "g" + flags)));
  `;
  const { status, signal, stderr } = spawnSync(process.execPath, ["-e", script], {
    timeout: 120_000,
    encoding: "utf8",
  });
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: "" });
}, 150_000);
