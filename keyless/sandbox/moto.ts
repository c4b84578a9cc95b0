import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { UserError } from "../errors";
import { projectFolder } from "../project-folder";
import { type Env, execute, findOnPath, outputOf } from "../terraform/executables";

/** A running moto server, which emulates AWS on a free port of 127.0.0.1. */
export interface Moto {
  /** E.g. `http://127.0.0.1:40123`. */
  readonly endpoint: string;
  /** Stops the server: SIGTERM, then SIGKILL after 3 seconds. Resolves when the process has exited. */
  stop(): Promise<void>;
}

/**
 * The server exits when its standard input closes. The operating system closes it when this process exits, also after
 * SIGKILL; the server then removes the working folder, since this process no longer can.
 */
const serverScript = `
import os, shutil, sys
from moto.iam.access_control import PermissionResult
from moto.s3 import responses
from moto.s3.models import FakeBucket
from moto.server import ThreadedMotoServer
# Moto ignores the conditions of bucket policies and would deny every request to a bucket that requires TLS. The IAM
# proxy evaluates bucket policies.
FakeBucket.get_permission = lambda *_: PermissionResult.NEUTRAL
# Moto reads the region from the key of an object if it contains the domain of an endpoint. Without it, from the signature.
responses.parse_region_from_url = lambda *_, **__: None
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print("http://%s:%d" % server.get_host_and_port(), flush=True)
sys.stdin.buffer.read()
shutil.rmtree(sys.argv[1], ignore_errors=True)
os._exit(0)
`;

const settings = {
  MOTO_IAM_LOAD_MANAGED_POLICIES: "true",
  // As in AWS, where another account needs a bucket policy that allows it.
  MOTO_S3_ALLOW_CROSSACCOUNT_ACCESS: "false",
};

/**
 * Starts moto and waits until it listens.
 *
 * @param python A Python interpreter that has moto, see {@link findMoto}.
 * @param folder Removed if this process exits without stopping the server.
 * @throws {UserError} with the end of moto's error output, if it does not start
 */
export async function startMoto(python: string, folder: string): Promise<Moto> {
  const { MOTO_ACCOUNT_ID: _, ...inherited } = process.env;
  const child = spawn(python, ["-c", serverScript, folder], {
    env: { ...inherited, ...settings },
    stdio: ["pipe", "pipe", "pipe"],
    // A separate process group: Ctrl-C must not stop the server while Terraform saves its state to it.
    detached: true,
  });
  const errors = text(child.stderr);
  const endpoint = await Promise.race([
    once(createInterface(child.stdout), "line").then(([line]) => String(line)),
    once(child, "exit").then(() => undefined),
  ]);
  if (endpoint === undefined) throw new UserError(`the sandbox (moto) did not start: ${(await errors).slice(-2000)}`);
  return { endpoint, stop: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const force = setTimeout(() => child.kill("SIGKILL"), 3000);
  await exited;
  clearTimeout(force);
}

const pinnedRequirements = join(projectFolder, "keyless", "sandbox", "requirements.txt");

/**
 * Finds a Python interpreter that has moto 5.1 or a later 5.x. If there is none, installs the pinned moto into a virtual
 * environment, which takes a minute and needs access to PyPI.
 *
 * @param folder The project's folder for downloads, `.keyless`.
 * @param progress Called with a message before the installation.
 * @param requirements What is installed, with hashes. Default: `requirements.txt` in this folder.
 * @throws {UserError} if Python 3.10 is missing, or the installation fails
 */
export async function findMoto(
  folder: string,
  env: Env,
  progress: (line: string) => void,
  requirements = pinnedRequirements,
): Promise<string> {
  const own = join(folder, "moto");
  const ownPython = join(own, "bin", "python");
  const pythons = [findOnPath("python3", env), findOnPath("python", env)];
  const candidates = [ownPython, interpreterOf(findOnPath("moto_server", env)), ...pythons];
  const withMoto = await firstThat(candidates, env, printMotoVersion, /^5\.[1-9]/);
  if (withMoto !== undefined) return withMoto;
  const python = await firstThat(pythons, env, printCanInstall, /^True/);
  if (python === undefined) {
    throw new UserError(
      "the sandbox needs Python 3.10 or later with its `venv` module, and none is on PATH: install it " +
        "(https://www.python.org/downloads/; on Debian and Ubuntu: apt-get install python3-venv), then run this again",
    );
  }
  const [moto] = /^moto\S*/m.exec(readFileSync(requirements, "utf8")) ?? [];
  progress(`installing ${moto} into ${own} (only once, about a minute)`);
  try {
    await execute(python, ["-m", "venv", "--clear", own], { env });
    const install = ["install", "--quiet", "--no-input", "--require-hashes", "-r", requirements];
    await execute(ownPython, ["-m", "pip", ...install], { env });
  } catch (error) {
    // The next run must not use an incomplete environment.
    rmSync(own, { recursive: true, force: true });
    const { stderr } = error as { stderr?: string };
    throw new UserError(`the sandbox (moto) could not be installed: ${stderr?.trim() || error}`);
  }
  return ownPython;
}

/** The interpreter in the first line of a Python script, e.g. of a virtual environment that pipx created. */
function interpreterOf(script: string | undefined): string | undefined {
  return script && /^#!(\S*python\S*)/.exec(readFileSync(script, "utf8"))?.[1];
}

const printMotoVersion = "import importlib.metadata, flask, flask_cors; print(importlib.metadata.version('moto'))";
const printCanInstall = "import sys, venv, ensurepip; print(sys.version_info >= (3, 10))";

/** The first interpreter for which a script prints an expected output. */
async function firstThat(pythons: readonly (string | undefined)[], env: Env, script: string, expected: RegExp) {
  for (const python of pythons) {
    if (python && expected.test((await outputOf(python, ["-c", script], env)) ?? "")) return python;
  }
  return undefined;
}
