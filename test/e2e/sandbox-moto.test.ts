import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findMoto } from "../../keyless/sandbox/moto";
import { motoRequirements } from "../../keyless/sandbox/moto-requirements";

/** Makes a package index of empty packages with the names and versions that are asked for. */
const makeIndex = `
import os, re, sys, zipfile
os.mkdir(sys.argv[1])
for requirement in sys.argv[2:]:
    name, version = re.sub(r"\\[.*?\\]", "", requirement).split("==")
    normal = re.sub(r"[-_.]+", "_", name).lower()
    info = f"{normal}-{version}.dist-info"
    with zipfile.ZipFile(f"{sys.argv[1]}/{normal}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{normal}/__init__.py", "")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\nProvides-Extra: server\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
`;

let work: string;
let env: Record<string, string | undefined>;

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), "keyless-test-"));
  // A Python of its own, since the one of this machine may have moto.
  execFileSync("python3", ["-m", "venv", join(work, "python")]);
  env = {
    ...process.env,
    PATH: `${join(work, "python", "bin")}:/usr/bin:/bin`,
    PIP_CONFIG_FILE: "/dev/null",
    PIP_NO_INDEX: "1",
    PIP_FIND_LINKS: join(work, "index"),
  };
}, 60_000);

afterAll(() => rmSync(work, { recursive: true, force: true }));

it("leaves nothing half installed when moto cannot be had", async () => {
  const found = findMoto(join(work, "keyless"), env, () => {});
  await expect(found).rejects.toThrow("the local AWS (moto) could not be installed: ");
  expect(existsSync(join(work, "keyless", "moto"))).toBe(false);
}, 60_000);

it("installs the pinned moto where there is none, once", async () => {
  execFileSync("python3", ["-c", makeIndex, join(work, "index"), ...motoRequirements]);
  const said: string[] = [];
  const find = () => findMoto(join(work, "keyless"), env, (line) => said.push(line));
  const python = await find();
  const version = "import importlib.metadata; print(importlib.metadata.version('moto'))";
  expect(execFileSync(python, ["-c", version], { encoding: "utf8" }).trim()).toBe("5.2.1");
  await expect(find()).resolves.toBe(python);
  expect(said).toEqual([expect.stringContaining("installing moto[server]==5.2.1")]);
}, 60_000);

it("says what is missing where there is no Python", async () => {
  await expect(findMoto(work, { PATH: join(work, "none") }, () => {})).rejects.toThrow("needs Python 3.10 or newer");
});
