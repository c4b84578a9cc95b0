import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RefusedError, UserError } from "../errors";
import type { Env } from "../terraform/executables";

/** How long git may take to answer, in milliseconds. */
const TIMEOUT = 60_000;

/** The number of changed files that a message lists. */
const LISTED_FILES = 5;

/** Variables that make git read another repository than that of its current folder, or ask questions. */
const OVERRIDDEN = {
  ...{ GIT_DIR: undefined, GIT_WORK_TREE: undefined, GIT_COMMON_DIR: undefined, GIT_INDEX_FILE: undefined },
  ...{ GIT_OBJECT_DIRECTORY: undefined, GIT_NAMESPACE: undefined, GIT_NO_REPLACE_OBJECTS: "1" },
  // Protocols that authenticate the remote.
  ...{ GIT_TERMINAL_PROMPT: "0", GIT_ALLOW_PROTOCOL: "https:ssh:file" },
};

/**
 * Checks that a folder has the sources of the tip of a branch of the remote `origin`: that commit is checked out, and no file
 * differs from it. Files that `.gitignore` names are not compared.
 *
 * @throws {RefusedError} another commit is the tip, or a file differs
 * @throws {UserError} the folder is not a checkout, or the remote does not answer or does not have the branch
 */
export function requireTip(branch: string, folder: string, env: Env): void {
  const git = gitIn(folder, env);
  const head = git("the checked-out commit is unknown", ["rev-parse", "--verify", "HEAD^{commit}"]).trim();
  const changed = changedFiles(git);
  if (changed.length > 0) {
    const files = [...changed.slice(0, LISTED_FILES), ...(changed.length > LISTED_FILES ? ["…"] : [])];
    throw new RefusedError(
      `these files differ from commit ${head}: ${files.join(", ")}: commit them, or remove the changes`,
    );
  }
  const ref = `refs/heads/${branch}`;
  const unknown = `the tip of ${branch} is unknown`;
  // The answer also has refs that end with the name, e.g. the branch named refs/heads/main.
  const lines = git(unknown, ["ls-remote", "--", "origin", ref]).split("\n");
  const [tip] = lines.map((line) => line.split("\t")).find(([, name]) => name === ref) ?? [];
  if (tip === undefined) {
    throw new UserError(`${unknown}: origin has no such branch: if it was renamed, pass its new name by --branch`);
  }
  if (tip !== head) {
    throw new RefusedError(
      `commit ${head} is not the tip of ${branch}, which is ${tip}: nothing is deployed. Approve the pipeline of that ` +
        "commit instead; a rerun of this one cannot deploy.",
    );
  }
}

/** The files that differ from the checked-out commit, each with git's status of it, e.g. `M config.ts`. */
function changedFiles(git: Git): string[] {
  // A new index has no flags that exclude a file from the comparison.
  const temporary = mkdtempSync(join(tmpdir(), "keyless-index-"));
  try {
    const index = { GIT_INDEX_FILE: join(temporary, "index") };
    const problem = "the files cannot be compared with the commit";
    git(problem, ["read-tree", "HEAD"], index);
    const status = git(problem, ["status", "--porcelain", "--untracked-files=normal"], index);
    return status.split("\n").flatMap((line) => (line === "" ? [] : line.trim()));
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

/** Runs git, and returns its output. The message of the error begins with the problem. */
type Git = (problem: string, args: readonly string[], variables?: Env) => string;

/** Runs git in a folder, without questions and monitors of the file system. */
function gitIn(folder: string, env: Env): Git {
  return (problem, args, variables) => {
    const { status, stdout, stderr, error } = spawnSync("git", ["-c", "core.fsmonitor=false", ...args], {
      cwd: folder,
      env: { ...env, ...OVERRIDDEN, ...variables },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: TIMEOUT,
      encoding: "utf8",
    });
    if (status === 0) return stdout;
    throw new UserError(
      `${problem}: git ${args[0]}: ${error?.message ?? stderr.trim()}\nRun this in a checkout whose remote origin answers, ` +
        "then try again. Outside of a pipeline, --any-commit omits this check.",
    );
  };
}
