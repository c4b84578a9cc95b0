import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(__dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "keyless-docs-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(["explain", "lint"])("what docs/%s.md shows is what the commands print", (name) => {
  const text = readFileSync(join(root, "docs", `${name}.md`), "utf8");
  const [, policy = ""] = /```json\n(.*?)```/s.exec(text) ?? [];
  writeFileSync(join(folder, "trust.json"), policy);
  const shown = [...text.matchAll(/```console\n\$ npx keyless (.*?)\n(.*?)```/gs)];
  expect(shown).not.toHaveLength(0);
  for (const [, command = "", output] of shown) {
    const { stdout } = spawnSync(process.execPath, [join(root, "keyless/cli/keyless.js"), ...command.split(" ")], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(stdout).toBe(output);
  }
});
