import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { findOnPath, outputOf } from "../../keyless/terraform/executables";

let work: string;

beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), "keyless-test-"));
});
afterEach(() => rmSync(work, { recursive: true, force: true }));

function file(folder: string, mode: number): string {
  mkdirSync(join(work, folder), { recursive: true });
  const path = join(work, folder, "tool");
  writeFileSync(path, "#!/bin/sh\n");
  chmodSync(path, mode);
  return path;
}

const find = (...folders: string[]) =>
  findOnPath("tool", { PATH: folders.map((folder) => folder && join(work, folder)).join(delimiter) });

describe("a program on PATH", () => {
  it("is the first executable of its name", () => {
    const first = file("first", 0o755);
    file("second", 0o755);
    expect(find("absent", "first", "second")).toBe(first);
  });

  it("is neither a file that is not executable nor a folder", () => {
    file("plain", 0o644);
    mkdirSync(join(work, "folder", "tool"), { recursive: true });
    const program = file("program", 0o755);
    expect(find("plain", "folder", "program")).toBe(program);
    expect(find("plain", "folder")).toBeUndefined();
  });

  it("is not searched in the current folder if PATH has an empty entry", () => {
    file("", 0o755);
    const before = process.cwd();
    process.chdir(work);
    try {
      expect(find("", "absent")).toBeUndefined();
    } finally {
      process.chdir(before);
    }
  });

  it("is undefined without PATH", () => {
    expect(findOnPath("sh", {})).toBeUndefined();
  });
});

describe("the output of a program", () => {
  const env = { PATH: process.env.PATH, GREETING: "hello" };

  it("is what it prints on standard output, with only the given environment variables", async () => {
    await expect(outputOf("/bin/sh", ["-c", 'echo "$GREETING $HOME"; echo no >&2'], env)).resolves.toBe("hello \n");
  });

  it("is undefined if the program fails or does not exist", async () => {
    await expect(outputOf("/bin/sh", ["-c", "echo partial; exit 1"], env)).resolves.toBeUndefined();
    await expect(outputOf(join(work, "absent"), [], env)).resolves.toBeUndefined();
  });
});
