import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(__dirname, "..");

/** What the files of a folder may import from, besides their own folder. */
const ARROWS = {
  policy: [],
  trust: ["policy"],
  permissions: ["policy"],
  config: ["trust", "permissions", "policy"],
  stacks: ["config", "trust", "permissions", "policy"],
  sandbox: ["config", "trust", "permissions", "policy"],
  state: ["config", "trust", "permissions", "policy"],
  access: ["config", "trust", "permissions", "policy"],
  pipeline: ["config", "trust", "permissions", "policy"],
  review: ["policy"],
} as const;

/** What decides about trust and permissions: no Terraform, no network, no file, no environment. */
const PURE = ["policy", "trust", "permissions"];

function sources(folder: string): { name: string; text: string }[] {
  return readdirSync(join(root, folder))
    .filter((file) => file.endsWith(".ts"))
    .map((file) => ({ name: `${folder}/${file}`, text: readFileSync(join(root, folder, file), "utf8") }));
}

function imports({ text }: { text: string }): string[] {
  return [...text.matchAll(/(?:from|import|require)\s*\(?\s*"([^"]+)"/g)].map(([, module]) => module ?? "");
}

test.each(Object.entries(ARROWS))("%s imports only from the folders below it", (folder, below) => {
  for (const source of sources(folder)) {
    const others = imports(source).flatMap((module) => /^\.\.\/([\w-]+)/.exec(module)?.[1] ?? []);
    expect({ [source.name]: others.filter((other) => !(below as readonly string[]).includes(other)) }).toEqual({
      [source.name]: [],
    });
  }
});

test.each(PURE)("%s is pure", (folder) => {
  for (const source of sources(folder)) {
    expect({
      [source.name]: imports(source).filter((module) => !module.startsWith(".") && module !== "node:net"),
    }).toEqual({
      [source.name]: [],
    });
    expect(source.text).not.toContain("process.");
  }
});
