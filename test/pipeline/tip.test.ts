import { execFileSync } from "node:child_process";
import { appendFileSync, chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT_STATUS, UserError } from "../../keyless/errors";
import { requireTip } from "../../keyless/pipeline/tip";

let work: string;
let origin: string;
/** A clone of `origin`, as a job has it. */
let job: string;

const identity = { GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@example.com" };
const env = {
  ...process.env,
  ...identity,
  ...{ GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@example.com" },
  ...{ GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" },
};
const git = (cwd: string, ...args: string[]) =>
  execFileSync("git", args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

/** Commits a file in another clone and pushes it to a branch. */
function push(text: string, branch = "main"): void {
  const clone = mkdtempSync(join(work, "clone-"));
  git(clone, "clone", "-q", origin, ".");
  git(clone, "checkout", "-q", "-B", "pushed");
  writeFileSync(join(clone, "config.ts"), text);
  git(clone, "add", "-A");
  git(clone, "commit", "-q", "-m", text);
  git(clone, "push", "-q", "origin", `HEAD:refs/heads/${branch}`);
}

/** The exit status and the message of the check. */
function check(variables: NodeJS.ProcessEnv = {}, branch = "main"): { status: number; message: string } {
  try {
    requireTip(branch, job, { ...env, ...variables });
    return { status: 0, message: "" };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { status: error.exitStatus, message: error.message };
  }
}

let template: string;

beforeAll(() => {
  template = mkdtempSync(join(tmpdir(), "keyless-tip-"));
  [work, origin, job] = [template, join(template, "origin.git"), join(template, "job")];
  git(work, "init", "-q", "--bare", "-b", "main", origin);
  push("first");
  git(work, "clone", "-q", origin, job);
  git(job, "remote", "set-url", "origin", "../origin.git");
});
afterAll(() => rmSync(template, { recursive: true }));

beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), "keyless-tip-"));
  cpSync(template, work, { recursive: true });
  [origin, job] = [join(work, "origin.git"), join(work, "job")];
});
afterEach(() => rmSync(work, { recursive: true, force: true }));

const passed = { status: EXIT_STATUS.success, message: "" };
const refused = (text: string | RegExp) => ({ status: EXIT_STATUS.refused, message: expect.stringMatching(text) });
const failed = (text: string | RegExp) => ({ status: EXIT_STATUS.failure, message: expect.stringMatching(text) });

test("the tip of main may be deployed, also with a detached HEAD or from a shallow clone", () => {
  expect(check()).toEqual(passed);
  git(job, "checkout", "-q", "--detach");
  expect(check()).toEqual(passed);
  rmSync(job, { recursive: true });
  git(work, "clone", "-q", "--depth=1", `file://${origin}`, job);
  expect(check()).toEqual(passed);
});

test("a commit that is no longer the tip of main is refused, whatever the local branches and CIRCLE_SHA1 are", () => {
  const old = git(job, "rev-parse", "HEAD");
  push("second");
  const tip = git(origin, "rev-parse", "main");
  const expected = refused(`^commit ${old} is not the tip of main, which is ${tip}: nothing is deployed`);
  expect(check()).toEqual(expected);
  git(job, "fetch", "-q");
  git(job, "update-ref", "refs/remotes/origin/main", old);
  expect(check({ CIRCLE_SHA1: tip, CIRCLE_BRANCH: "main" })).toEqual(expected);
  git(job, "reset", "-q", "--hard", tip);
  expect(check({ CIRCLE_SHA1: old })).toEqual(passed);
});

test("a commit of another branch is refused", () => {
  push("other", "feature");
  git(job, "fetch", "-q");
  git(job, "checkout", "-q", "-B", "main", "origin/feature");
  expect(check()).toEqual(refused("is not the tip of main"));
});

test("a branch whose ref ends with the name of main is not main", () => {
  for (const branch of ["refs/heads/main", "a/refs/heads/main"]) push("forged", branch);
  git(job, "fetch", "-q");
  git(job, "checkout", "-q", "--detach", "origin/refs/heads/main");
  expect(check()).toEqual(refused("is not the tip of main"));
  git(origin, "update-ref", "-d", "refs/heads/main");
  expect(check()).toEqual(failed("origin has no such branch"));
});

test("a renamed branch is named by the option", () => {
  git(origin, "branch", "-m", "main", "trunk");
  expect(check()).toEqual(failed("^the tip of main is unknown: origin has no such branch: .*--branch$"));
  expect(check({}, "trunk")).toEqual(passed);
});

test.each<[string, () => void]>([
  ["a changed file", () => appendFileSync(join(job, "config.ts"), "changed")],
  ["a removed file", () => rmSync(join(job, "config.ts"))],
  ["a new file", () => writeFileSync(join(job, "cdktf.json"), "{}")],
  ["another mode", () => chmodSync(join(job, "config.ts"), 0o755)],
  [
    "a staged file",
    () => {
      writeFileSync(join(job, "config.ts"), "staged");
      git(job, "add", "-A");
    },
  ],
  [
    "a changed file that the index excludes from comparisons",
    () => {
      git(job, "update-index", "--assume-unchanged", "config.ts");
      appendFileSync(join(job, "config.ts"), "changed");
    },
  ],
  [
    "a new file, although the configuration of git hides new files",
    () => {
      git(job, "config", "status.showUntrackedFiles", "no");
      writeFileSync(join(job, "cdktf.json"), "{}");
    },
  ],
  [
    "another tree, although a replacement of the commit has it",
    () => {
      writeFileSync(join(job, "config.ts"), "replaced");
      git(job, "add", "-A");
      const replacement = git(job, "commit-tree", "-m", "replaced", git(job, "write-tree"));
      git(job, "replace", "HEAD", replacement);
    },
  ],
])("%s is refused", (_, edit) => {
  edit();
  expect(check()).toEqual(refused("^these files differ from commit [0-9a-f]{40}: .*(config.ts|cdktf.json)"));
});

test("files that .gitignore names are not compared", () => {
  writeFileSync(join(job, ".gitignore"), "plans/\n");
  git(job, "add", "-A");
  git(job, "commit", "-q", "-m", "ignore");
  git(job, "push", "-q", "origin", "HEAD:main");
  mkdirSync(join(job, "plans"));
  writeFileSync(join(job, "plans", "dev.json"), "{}");
  expect(check()).toEqual(passed);
});

test("variables that name another repository have no effect", () => {
  const other = join(work, "other");
  git(work, "clone", "-q", origin, other);
  push("second");
  const variables = { GIT_DIR: join(other, ".git"), GIT_WORK_TREE: other, GIT_INDEX_FILE: join(other, ".git/index") };
  git(job, "pull", "-q");
  expect(check(variables)).toEqual(passed);
});

test.each<[string, () => void, RegExp]>([
  [
    "a remote that does not answer",
    () => rmSync(origin, { recursive: true }),
    /^the tip of main is unknown: git ls-remote/,
  ],
  ["no remote", () => git(job, "remote", "remove", "origin"), /^the tip of main is unknown: git ls-remote/],
  [
    "no checkout",
    () => rmSync(join(job, ".git"), { recursive: true }),
    /^the checked-out commit is unknown: git rev-parse/,
  ],
  [
    "a checkout without a commit",
    () => git(job, "checkout", "-q", "--orphan", "empty"),
    /^the checked-out commit is unknown: git rev-parse/,
  ],
  ["a remote that is a command", () => git(job, "remote", "set-url", "origin", "ext::touch executed"), /not allowed/],
  [
    "a remote that is a command, although the configuration of git allows it",
    () => {
      git(job, "config", "protocol.ext.allow", "always");
      git(job, "remote", "set-url", "origin", "ext::touch executed");
    },
    /not allowed/,
  ],
  [
    "a remote without authentication",
    () => git(job, "remote", "set-url", "origin", "git://127.0.0.1/a"),
    /not allowed/,
  ],
  [
    "a remote that is an option",
    () => git(job, "config", "remote.origin.url", "--upload-pack=touch executed"),
    /^the tip of main is unknown/,
  ],
])("%s fails, and says what to do", (_, edit, message) => {
  edit();
  const { status, message: printed } = check();
  expect(status).toBe(EXIT_STATUS.failure);
  expect(printed).toMatch(message);
  expect(printed).toMatch(/whose remote origin answers, then try again/);
  expect(() => execFileSync("ls", [join(job, "executed")], { stdio: "ignore" })).toThrow();
});

test("a missing git fails", () => {
  expect(check({ PATH: work })).toEqual(failed("git rev-parse: spawnSync git ENOENT"));
});
