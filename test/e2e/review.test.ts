// @duration 45
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import example from "../example/config";
import { exampleProject } from "../example/project";
import { ANY, change, onBranch, planJson, policy, role, statement } from "../review/plans";
import { GitHub } from "./github";

const MARKER = "<!-- keyless review: dev -->";
const FOOTER = "This comment describes commit abc. A later commit is not reviewed until this line names it.";
const URL_OF_PULL = "https://github.example.com/acme/infra/pull/7";

let folder: string;
let github: GitHub;
let api: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "keyless-review-"));
  github = new GitHub();
  api = await github.start();
});

afterEach(() => {
  github.stop();
  rmSync(folder, { recursive: true });
});

interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `keyless review` in a separate process. */
function keyless(args: readonly string[], env: { readonly [name: string]: string } = {}): Promise<Run> {
  const program = join(exampleProject, "keyless", "cli", "keyless.js");
  return new Promise((resolve) => {
    const options = { cwd: exampleProject, env: { PATH: process.env.PATH ?? "", ...env } };
    execFile(process.execPath, [program, "review", ...args], options, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

function planFile(name: string, changes: readonly unknown[]): string {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(planJson(changes)));
  return `${name}=${file}`;
}

const broadened = () => [
  change("aws_iam_role.r", role("deploy", policy(statement(onBranch("main")))), role("deploy", policy(statement(ANY)))),
];
const token = { GITHUB_TOKEN: "secret-token-of-the-test" };
const comment = (...more: readonly string[]) => [
  "dev",
  "--plan-json",
  planFile("dev", broadened()),
  "--comment",
  ...more,
];
const onPull = () => ({ ...token, GITHUB_API_URL: api, CIRCLE_PULL_REQUEST: URL_OF_PULL, CIRCLE_SHA1: "abc" });

describe("the comment", () => {
  test("is created once and then updated, also if it is on the second page of comments", async () => {
    for (let count = 0; count < 130; count++) github.add("a comment", "someone");
    expect(await keyless(comment(), onPull())).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("Access is granted"),
    });
    expect(await keyless(["dev", "--plan-json", planFile("dev", []), "--comment"], onPull())).toMatchObject({
      status: 0,
    });
    expect(github.comments.filter(({ body }) => body.startsWith(MARKER)).map(({ body }) => body)).toEqual([
      `${MARKER}\n<!-- commit abc -->\n**No changes in \`dev\`.**\n\n${FOOTER}\n`,
    ]);
  });

  test("replaces duplicates of itself", async () => {
    const first = github.add(`${MARKER}\n<!-- commit 0e0 -->\nold`);
    github.add(`${MARKER}\n<!-- commit 0e0 -->\nolder`);
    await keyless(comment(), onPull());
    expect(github.comments.map(({ id }) => id)).toEqual([first.id]);
    expect(first.body).toContain("Access is granted");
  });

  test("is created once by concurrent jobs", async () => {
    const args = comment();
    await Promise.all([keyless(args, onPull()), keyless(args, onPull()), keyless(args, onPull())]);
    expect(github.comments).toHaveLength(1);
  });

  test("never replaces a comment of another user that has the marker", async () => {
    const forged = github.add(`${MARKER}\n<!-- commit abc -->\nno access is granted`, "mallory");
    await keyless(comment(), onPull());
    expect(forged.body).toContain("no access is granted");
    expect(github.comments).toHaveLength(2);
  });

  test("is found with the token of an app, which cannot read its login", async () => {
    github.login = undefined;
    const forged = github.add(`${MARKER}\n<!-- commit abc -->\nforged`, "other[bot]");
    await keyless(comment(), onPull());
    await keyless(comment(), onPull());
    expect(github.comments).toHaveLength(2);
    expect(forged.body).toContain("forged");
  });

  test("is not duplicated if GitHub created it but the response was lost", async () => {
    github.faults.push({ method: "POST", status: 502, executed: true });
    expect((await keyless(comment(), onPull())).status).toBe(0);
    expect(github.comments).toHaveLength(1);
  });

  test.each([
    ["500", { status: 500 }],
    [
      "a secondary rate limit",
      { status: 403, message: "You have exceeded a secondary rate limit", headers: { "retry-after": "1" } },
    ],
    ["429", { status: 429, headers: { "retry-after": "0" } }],
    [
      "the primary rate limit, which resets soon",
      {
        status: 403,
        headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(Math.floor(Date.now() / 1000)) },
      },
    ],
  ])("is created after %s", async (_name, fault) => {
    github.faults.push({ method: "GET", ...fault }, { method: "POST", ...fault });
    expect((await keyless(comment(), onPull())).status).toBe(0);
    expect(github.comments).toHaveLength(1);
  });

  test.each([
    ["404", { status: 404 }, "the token has no access to the repository"],
    ["403 without a rate limit", { status: 403 }, "pull-requests: write"],
    [
      "a rate limit of an hour",
      {
        status: 403,
        headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(Math.floor(Date.now() / 1000) + 3_600) },
      },
      "rate limit is exceeded",
    ],
  ])("that fails with %s exits with 2, and the review is still printed", async (_name, fault, message) => {
    github.faults.push({ method: "POST", ...fault });
    const { status, stdout, stderr } = await keyless(comment("--out", join(folder, "review.md")), onPull());
    expect(status).toBe(2);
    expect(stdout).toContain("Access is granted");
    expect(stderr).toContain(message);
    expect(stdout + stderr).not.toContain(token.GITHUB_TOKEN);
  });

  test("is truncated to the limit of GitHub, and to less if the server rejects it", async () => {
    const many = Array.from({ length: 900 }, (_, at) =>
      change(`aws_sqs_queue.q[${at}]`, null, { name: "x".repeat(100) }),
    );
    const args = ["dev", "--plan-json", planFile("dev", [...many, ...broadened()]), "--comment"];
    const url = { CIRCLE_BUILD_URL: "https://ci.example.com/job/1" };
    await keyless(args, { ...onPull(), ...url });
    expect(github.comments[0]?.body.length).toBeGreaterThan(60_000);
    github.bodyLimit = 20_000;
    expect((await keyless(args, { ...onPull(), ...url })).status).toBe(0);
    expect(github.comments[0]?.body).toMatch(
      /^<!-- keyless review: dev -->\n<!-- commit abc -->\n\*\*Access is granted/,
    );
    expect(github.comments[0]?.body).toContain("(https://ci.example.com/job/1)");
    expect(github.comments[0]?.body.length).toBeLessThan(20_000);
  });

  test("is one for each set of environments, also if the jobs run at the same time", async () => {
    const job = (name: string) => keyless([name, "--plan-json", planFile(name, broadened()), "--comment"], onPull());
    const runs = await Promise.all([job("dev"), job("prod"), job("dev")]);
    expect(runs.map(({ status }) => status)).toEqual([0, 0, 0]);
    expect(github.comments.map(({ body }) => body.split("\n")[0]).sort()).toEqual([
      "<!-- keyless review: dev -->",
      "<!-- keyless review: prod -->",
    ]);
  });

  test("of another project of the repository has an id of its own", async () => {
    await keyless(comment(), onPull());
    await keyless(comment("--comment-id", "network/dev"), onPull());
    expect(github.comments).toHaveLength(2);
    expect((await keyless(comment("--comment-id", "a --> b"), onPull())).status).toBe(64);
  });

  test("is marked as outdated after a push without a plan, and not replaced by a late job", async () => {
    await keyless(comment(), onPull());
    github.head = "def";
    expect(await keyless(["--mark-outdated"], { ...onPull(), CIRCLE_SHA1: "def" })).toMatchObject({
      status: 0,
      stderr: "1 comment is outdated: https://x/1\n",
    });
    expect(github.comments[0]?.body).toContain("> ⚠️ **Outdated**: this comment describes commit abc");
    const skipped = ["dev", "--skipped", "nothing to plan", "--comment"];
    expect(await keyless(skipped, { ...onPull(), CIRCLE_SHA1: "0e0" })).toMatchObject({
      status: 0,
      stderr: expect.stringContaining("https://x/1 describes another commit and was not replaced"),
    });
    await keyless(skipped, { ...onPull(), CIRCLE_SHA1: "def" });
    expect(github.comments.map(({ body }) => body)).toEqual([
      `${MARKER}\n<!-- commit def -->\n**Not reviewed: no plan of \`dev\`. The reason: \`nothing to plan\`.**\n\n${FOOTER.replace("abc", "def")}\n`,
    ]);
  });

  test("is on the pull request of the branch if CircleCI names none", async () => {
    const { CIRCLE_PULL_REQUEST: _, ...env } = onPull();
    const branch = { CIRCLE_BRANCH: "feature", CIRCLE_REPOSITORY_URL: "git@github.example.com:acme/infra.git" };
    expect((await keyless(comment(), { ...env, ...branch })).status).toBe(0);
    expect(github.comments).toHaveLength(1);
  });

  test("is printed instead if there is no pull request", async () => {
    const { status, stdout, stderr } = await keyless(comment(), token);
    expect({ status, requests: github.requests }).toEqual({ status: 0, requests: [] });
    expect(stdout).toContain("Access is granted");
    expect(stderr).toContain("no pull request");
  });

  test("without a token is an error", async () => {
    expect(await keyless(comment(), { CIRCLE_PULL_REQUEST: URL_OF_PULL })).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("GITHUB_TOKEN"),
    });
  });
});

describe("the gate", () => {
  const gated = (...more: readonly string[]) => [
    "dev",
    "--plan-json",
    planFile("dev", broadened()),
    "--fail-on",
    "gains-access,destroys",
    ...more,
  ];

  test("closes with exit status 1 and prints the reason", async () => {
    expect(await keyless(gated())).toMatchObject({ status: 1, stderr: "gate: gains-access in dev\n" });
    expect((await keyless(["dev", "--plan-json", planFile("dev", []), "--fail-on", "changes"])).status).toBe(0);
  });

  test("is overridden by the given label only, set by a user with write permission", async () => {
    github.label("documentation");
    expect((await keyless(gated("--lifted-by", "label:access-reviewed"), onPull())).status).toBe(1);
    github.label("access-reviewed", "keyless-bot");
    expect((await keyless(gated("--lifted-by", "label:access-reviewed"), onPull())).status).toBe(1);
    github.label("access-reviewed");
    expect(await keyless(gated("--lifted-by", "label:access-reviewed"), onPull())).toMatchObject({
      status: 0,
      stderr: expect.stringContaining("opened by label:access-reviewed"),
    });
  });

  const approval = { state: "APPROVED", user: { login: "boss" }, commit_id: "abc", author_association: "NONE" };
  test.each([
    ["of a user with write permission for this commit", [approval], 0],
    ["of an earlier commit", [{ ...approval, commit_id: "old" }], 1],
    ["of the author", [{ ...approval, user: { login: "author" } }], 1],
    [
      "of a member without write permission",
      [{ ...approval, user: { login: "reader" }, author_association: "MEMBER" }],
      1,
    ],
    ["that was withdrawn", [approval, { ...approval, state: "CHANGES_REQUESTED" }], 1],
    ["followed by a comment", [approval, { ...approval, state: "COMMENTED" }], 0],
  ])("and an approval %s: exit status", async (_name, reviews, status) => {
    github.permissions.reader = "read";
    github.reviews.push(...reviews);
    expect((await keyless(gated("--lifted-by", "approval"), onPull())).status).toBe(status);
  });

  test("states why an approval does not count", async () => {
    github.reviews.push(approval);
    const run = keyless(gated("--lifted-by", "approval"), { ...onPull(), CIRCLE_SHA1: "0e0" });
    expect(await run).toMatchObject({
      status: 1,
      stderr:
        "gate: gains-access in dev; to open it: approval; the approval of boss does not count: the review is of commit 0e0, the pull request's head is abc\n",
    });
  });

  test("stays closed if GitHub cannot be read", async () => {
    github.faults.push({ method: "GET", status: 404 });
    expect((await keyless(gated("--lifted-by", "approval"), onPull())).status).toBe(1);
  });
});

describe("plans", () => {
  test("are read by the configured Terraform in the folder of the stack", async () => {
    const stack = join(folder, "stacks", "dev");
    mkdirSync(stack, { recursive: true });
    writeFileSync(join(stack, "plan"), "saved");
    writeFileSync(join(stack, "shown.json"), JSON.stringify(planJson(broadened())));
    const terraform = join(folder, "configured-terraform");
    writeFileSync(terraform, '#!/bin/sh\n[ "$*" = "show -no-color -json plan" ] && cat shown.json\n');
    chmodSync(terraform, 0o755);
    const run = await keyless(["dev", "--plans", join(folder, "stacks")], { TERRAFORM_BINARY_NAME: terraform });
    expect(run).toMatchObject({ status: 0, stdout: expect.stringContaining("role deploy") });
  });

  test("that are missing or unreadable exit with 2", async () => {
    expect(await keyless(["dev", "--plans", folder])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("cdktf diff dev"),
    });
    writeFileSync(join(folder, "x.json"), "no JSON");
    expect((await keyless(["dev", "--plan-json", `dev=${join(folder, "x.json")}`])).status).toBe(2);
    expect((await keyless(["../dev", "--plans", folder])).status).toBe(64);
  });

  test("of a pull request from a fork are skipped with a message and exit status 0", async () => {
    const run = await keyless(["dev", "prod", "--plans", folder, "--comment"], {
      CIRCLE_PR_NUMBER: "7",
      CIRCLE_PULL_REQUEST: URL_OF_PULL,
    });
    expect(run).toMatchObject({ status: 0, stdout: expect.stringContaining("comes from a fork") });
  });

  test("of two environments are one review, in the format of the file name", async () => {
    const out = join(folder, "two-environments.md");
    const plans = [planFile("dev", broadened()), planFile("prod", [])].flatMap((each) => ["--plan-json", each]);
    expect((await keyless(["dev", "prod", ...plans, "--out", out])).status).toBe(0);
    expect(readFileSync(out, "utf8")).toMatch(/^\*\*Access is granted[\s\S]*\| `prod` \|/);
  });

  test("that change a role deployed by administrators are reported and close the gate", async () => {
    const roles = example.environments.flatMap(({ name, roles }) => roles.map((role) => ({ environment: name, role })));
    const own = roles.find(({ role }) => role.deployedBy === "administrator");
    if (own === undefined) throw new Error("the configuration has no such role");
    const changes = [change("aws_iam_role.r", null, role(own.role.name, policy(statement(ANY))))];
    const { status, stdout } = await keyless([
      own.environment,
      "--plan-json",
      planFile(own.environment, changes),
      "--fail-on",
      "administrator-roles",
    ]);
    expect({ status, stdout }).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/the pipeline\s+cannot deploy this change/),
    });
  });
});
