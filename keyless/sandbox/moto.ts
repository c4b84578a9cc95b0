import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { UserError } from "../errors";
import { type Env, onPath, output } from "../terraform/executables";
import { motoRequirements } from "./moto-requirements";

const runFile = promisify(execFile);

/** A running moto server: the stand-in for AWS, on a free port of 127.0.0.1. */
export interface Moto {
  /** E.g. `http://127.0.0.1:40123`. */
  readonly endpoint: string;
  /** Ends it, by force if need be; resolves when the process is gone. */
  stop(): Promise<void>;
}

/**
 * The server ends when its standard input closes. The system closes it however this process ends, by SIGKILL too, and
 * then nobody else is left who could remove the folder.
 */
const serverScript = `
import os, shutil, sys
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket
from moto.server import ThreadedMotoServer
# Moto reads bucket policies without their conditions and would refuse all of a bucket that only wants TLS: the gate
# decides by them.
FakeBucket.get_permission = lambda *_: PermissionResult.NEUTRAL
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print("http://%s:%d" % server.get_host_and_port(), flush=True)
sys.stdin.buffer.read()
shutil.rmtree(sys.argv[1], ignore_errors=True)
os._exit(0)
`;

const settings = {
  MOTO_IAM_LOAD_MANAGED_POLICIES: "true",
  // A bucket answers its own account only, as in AWS without a bucket policy that says otherwise.
  MOTO_S3_ALLOW_CROSSACCOUNT_ACCESS: "false",
};

/**
 * Starts moto and waits until it listens.
 *
 * @param python An interpreter that has moto, see {@link findMoto}.
 * @param folder Removed when this process ends without having stopped the server.
 */
export async function startMoto(python: string, folder: string): Promise<Moto> {
  const { MOTO_ACCOUNT_ID: _, ...inherited } = process.env;
  const child = spawn(python, ["-c", serverScript, folder], {
    env: { ...inherited, ...settings },
    stdio: ["pipe", "pipe", "pipe"],
    // A process group of its own: Ctrl-C is for Terraform, which then saves its state, and needs the server for that.
    detached: true,
  });
  const errors = text(child.stderr);
  const endpoint = await Promise.race([
    once(child.stdout, "data").then(([line]) => String(line).trim()),
    once(child, "exit").then(() => undefined),
  ]);
  if (endpoint === undefined) throw new UserError(`the local AWS (moto) did not start: ${(await errors).slice(-2000)}`);
  return { endpoint, stop: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const force = setTimeout(() => child.kill("SIGKILL"), 3000);
  await gone;
  clearTimeout(force);
}

/**
 * A Python interpreter that has moto: the one on the machine, else a virtual environment of the project's own, which
 * is made at the first time (pinned; takes a minute and the network).
 *
 * @param folder The project's folder for downloads, `.keyless`.
 * @param progress Called with a line for people when something takes long.
 */
export async function findMoto(folder: string, env: Env, progress: (line: string) => void): Promise<string> {
  const own = join(folder, "moto");
  const pythons = [onPath("python3", env), onPath("python", env)];
  for (const python of [pythonOf(own), interpreterOf(onPath("moto_server", env)), ...pythons]) {
    if (python && (await hasMoto(python, env))) return python;
  }
  for (const python of pythons) {
    if (python && (await canInstall(python, env))) return await installMoto(python, own, env, progress);
  }
  throw new UserError(
    "the local AWS needs Python 3.10 or newer with its `venv` module, and none is on PATH: install it " +
      "(https://www.python.org/downloads/; on Debian and Ubuntu: apt-get install python3-venv), then run this again",
  );
}

/** The interpreter that a Python script names in its first line, e.g. the one of the environment that pipx made. */
function interpreterOf(script: string | undefined): string | undefined {
  return script && /^#!(\S*python\S*)/.exec(readFileSync(script, "utf8"))?.[1];
}

function pythonOf(environment: string): string {
  return join(environment, "bin", "python");
}

async function hasMoto(python: string, env: Env): Promise<boolean> {
  const asked = "import importlib.metadata, flask, flask_cors; print(importlib.metadata.version('moto'))";
  const [, major, minor] = /^(\d+)\.(\d+)/.exec((await output(python, ["-c", asked], env)) ?? "") ?? [];
  return Number(major) === 5 && Number(minor) >= 1;
}

async function canInstall(python: string, env: Env): Promise<boolean> {
  const asked = "import sys, venv, ensurepip; print(sys.version_info >= (3, 10))";
  return (await output(python, ["-c", asked], env))?.trim() === "True";
}

async function installMoto(python: string, folder: string, env: Env, progress: (line: string) => void) {
  progress(`installing ${motoRequirements[0]} into ${folder} (only this once, about a minute)`);
  try {
    await runFile(python, ["-m", "venv", "--clear", folder], { env });
    await runFile(pythonOf(folder), ["-m", "pip", "install", "--quiet", "--no-input", ...motoRequirements], { env });
  } catch (error) {
    // Half an environment would be taken for a whole one the next time.
    rmSync(folder, { recursive: true, force: true });
    const { stderr } = error as { stderr?: string };
    throw new UserError(`the local AWS (moto) could not be installed: ${stderr?.trim() || error}`);
  }
  return pythonOf(folder);
}
