import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exampleProject } from "../example/project";
import { sample } from "./documents";

const root = join(__dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "keyless-docs-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function keyless(command: string): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [join(exampleProject, "keyless/cli/keyless.js"), ...command.split(" ")], {
    cwd: folder,
    encoding: "utf8",
  });
}

/** The plans that docs/review.md reviews. */
const golden = join(root, "test", "review", "golden");
copyFileSync(join(golden, "change-permissions", "plan.json"), join(folder, "plan.json"));
copyFileSync(join(golden, "broaden-trust", "plan.json"), join(folder, "broadened.json"));
writeFileSync(join(folder, "empty.json"), JSON.stringify({ format_version: "1.2", resource_changes: [] }));

/** Either the block begins with `$ npx keyless …`, or a comment above it names the command: a Mermaid block has no room for it. */
const OUTPUT = /```console\n\$ npx keyless (.*?)\n(.*?)```|<!-- npx keyless (.*?) -->\n```\w*\n(.*?)```/gs;

test.each(["README.md", "docs/access.md", "docs/explain.md", "docs/lint.md", "docs/review.md"])(
  "%s shows what the commands print",
  (name) => {
    const text = readFileSync(join(root, name), "utf8");
    const [, policy = ""] = /```json\n(.*?)```/s.exec(text) ?? [];
    writeFileSync(join(folder, "trust.json"), policy);
    const shown = [...text.matchAll(OUTPUT)];
    expect(shown).not.toHaveLength(0);
    for (const [, command, output, namedAbove = "", outputBelow] of shown) {
      expect(keyless(command ?? namedAbove).stdout).toBe(output ?? outputBelow);
    }
  },
);

test("docs/access.svg is what the command prints", () => {
  expect(readFileSync(join(root, "docs/access.svg"), "utf8")).toBe(keyless("access --format svg").stdout);
});

test("docs/commands.md shows how a name is suggested", () => {
  expect(keyless("access pord").stderr).toMatch(sample("commands", "$ npx keyless access pord"));
});
