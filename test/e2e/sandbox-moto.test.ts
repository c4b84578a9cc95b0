// @duration 25
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findMoto } from "../../keyless/sandbox/moto";

const pinned = join(__dirname, "../../keyless/sandbox/requirements.txt");

/** Creates a package index of empty packages with the pinned names and versions, and prints their requirements. */
const makeIndex = `
import hashlib, os, re, sys, zipfile
os.mkdir(sys.argv[1])
for line in open(sys.argv[2]):
    if line.startswith("#"): continue
    requirement, *marker = line.split(" --hash")[0].split(" ; ")
    name, version = re.sub(r"\\[.*?\\]", "", requirement).split("==")
    normal = re.sub(r"[-_.]+", "_", name).lower()
    info = f"{normal}-{version}.dist-info"
    path = f"{sys.argv[1]}/{normal}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{normal}/__init__.py", "")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\nProvides-Extra: server\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    sha256 = hashlib.sha256(open(path, "rb").read()).hexdigest()
    print(" ; ".join([requirement, *marker]), f"--hash=sha256:{sha256}")
`;

let work: string;
let requirements: string;
let env: Record<string, string | undefined>;

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), "keyless-test-"));
  requirements = join(work, "requirements.txt");
  // A new Python environment, since the Python on this machine may have moto.
  execFileSync("python3", ["-m", "venv", join(work, "python")]);
  env = {
    ...process.env,
    PATH: `${join(work, "python", "bin")}:/usr/bin:/bin`,
    PIP_CONFIG_FILE: "/dev/null",
    PIP_NO_INDEX: "1",
    PIP_FIND_LINKS: join(work, "index"),
  };
});

afterAll(() => rmSync(work, { recursive: true, force: true }));

it("removes an incomplete environment when moto cannot be downloaded", async () => {
  const found = findMoto(join(work, "keyless"), env, () => {});
  await expect(found).rejects.toThrow("the sandbox (moto) could not be installed: ");
  expect(existsSync(join(work, "keyless", "moto"))).toBe(false);
});

it("refuses packages whose hashes differ from the pinned ones", async () => {
  writeFileSync(requirements, execFileSync("python3", ["-c", makeIndex, join(work, "index"), pinned]));
  const found = findMoto(join(work, "keyless"), env, () => {});
  await expect(found).rejects.toThrow("DO NOT MATCH THE HASHES");
  expect(existsSync(join(work, "keyless", "moto"))).toBe(false);
});

it("installs the pinned moto once", async () => {
  const messages: string[] = [];
  const find = () => findMoto(join(work, "keyless"), env, (line) => messages.push(line), requirements);
  const python = await find();
  const version = "import importlib.metadata; print(importlib.metadata.version('moto'))";
  expect(execFileSync(python, ["-c", version], { encoding: "utf8" }).trim()).toBe(
    /^moto\[server\]==(\S+)/.exec(readFileSync(requirements, "utf8"))?.[1],
  );
  await expect(find()).resolves.toBe(python);
  expect(messages).toEqual([expect.stringContaining("installing moto[server]==")]);
});

it("reports a missing Python", async () => {
  await expect(findMoto(work, { PATH: join(work, "none") }, () => {})).rejects.toThrow("needs Python 3.10 or later");
});
