import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderExplanation } from "../../keyless/cli/lib/explain-text";
import { terminalOf } from "../../keyless/cli/lib/terminal";
import { readJobToken } from "../../keyless/pipeline/token";
import { escapeInvisible, oneLine, oneLineValues } from "../../keyless/text";
import { explain } from "../../keyless/trust/explain";
import { account, claims, handMade, issuer, now, organization, project, repository, trusting } from "../trust/tokens";
import { keyless } from "./keyless";

/** Text that prints a line of its own, in color, if it is not escaped. */
const evil = "x\n\u001b[32mallowed\u001b[39m: the role trusts it\r\u009b2K\u202e";
const visibleOnly = /^[^\p{Cc}\p{Cf}]*$/u;

test("explain prints the claims of a token in one line each", () => {
  const explanation = explain({
    claims: claims({ ref: `refs/heads/${evil}` }),
    trustPolicy: trusting({ project, repository, branches: ["main"] }),
    account,
    audiences: [organization],
    now,
  });
  const text = renderExplanation(
    { ...explanation, environment: "dev", role: "deploy", trust: "configuration" },
    terminalOf(undefined, { columns: 500 }, {}),
  );
  for (const line of text.split("\n")) expect(line).toMatch(visibleOnly);
  expect(text).not.toMatch(/^.{0,3}allowed/m);
  expect(text).toContain("\\u001b[32mallowed");
});

const folder = mkdtempSync(join(tmpdir(), "keyless-invisible-"));
const policy = join(folder, "policy.json");
const token = join(folder, "token");
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const evilSubject = `org/${organization}/project/${project}/user/u/vcs-origin/${repository}/vcs-ref/refs/heads/${evil}`;
writeFileSync(policy, JSON.stringify(handMade({ StringLike: { [`${issuer}:sub`]: evilSubject } }, { Sid: evil })));
writeFileSync(token, `${part({ alg: "RS256" })}.${part(claims({ sub: evilSubject }))}.c2ln`);

test.each([
  ["lint", [policy]],
  ["lint", [policy, "--json"]],
  ["explain", ["dev", "circleci-site-publisher", "--token-file", token]],
  ["explain", ["dev", "circleci-site-publisher", "--token-file", token, "--json"]],
  ["explain", ["dev", evil]],
  ["access", ["--who", token]],
  ["access", [evil]],
  ["review", [evil, "--skipped", evil]],
  ["verify", [evil, "--reviewed", evil]],
  ["credentials", [evil, evil]],
])("%s %j prints no control characters", async (command, args) => {
  const { stdout, stderr } = await keyless([command, ...args]);
  for (const line of `${stdout}\n${stderr}`.split("\n")) expect(line).toMatch(visibleOnly);
});

test("the fault of a job's token is one line", () => {
  expect(() => readJobToken(`${part({ alg: evil })}.${part(claims())}.c2ln`, "TOKEN")).toThrow(visibleOnly);
});

test("oneLine escapes line breaks, escapeInvisible keeps them and the colors of this project", () => {
  expect(oneLine(evil)).toMatch(visibleOnly);
  expect(oneLineValues({ a: [evil], b: 1, c: undefined })).toEqual({ a: [oneLine(evil)], b: 1, c: undefined });
  expect(escapeInvisible("a\n\t\u001b[31mb\u001b[39m\u001b[2J\u{e0041}")).toBe(
    "a\n\t\u001b[31mb\u001b[39m\\u001b[2J\\udb40\\udc41",
  );
});
