import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as keyless from "../keyless";

test("the public module exports these functions and nothing else", () => {
  expect(Object.keys(keyless).sort()).toEqual([
    "ConfigError",
    "allowServices",
    "applyEnvironment",
    "defineConfig",
    "planEnvironment",
    "publishStaticSite",
    "readState",
  ]);
});

test("the example imports from the public module alone", () => {
  const text = readFileSync(join(__dirname, "example", "config.ts"), "utf8");
  const modules = [...text.matchAll(/^import .* from "([^"]+)";$/gm)].map(([, module]) => module);
  expect(modules).toEqual(["../../keyless"]);
});
