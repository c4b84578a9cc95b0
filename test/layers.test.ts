import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, posix } from "node:path";

const root = join(__dirname, "..");

/** What every layer may import. */
const SHARED = ["keyless/errors.ts", "keyless/group-by.ts", "keyless/json.ts", "keyless/text.ts"];

/**
 * What each file or folder may import from beside itself; the longest row that fits a file counts. A file that no row
 * covers fails the test, except for files beside config.ts, into which a team may split it. `*` stands for everything.
 */
const LAYERS: { readonly [place: string]: readonly string[] } = {
  "keyless/errors.ts": [],
  "keyless/group-by.ts": [],
  "keyless/json.ts": [],
  "keyless/policy": [...SHARED],
  "keyless/trust": ["keyless/policy", ...SHARED],
  "keyless/permissions": ["keyless/policy", ...SHARED],
  "keyless/config": ["keyless/trust", "keyless/permissions", "keyless/policy", ...SHARED],
  "keyless/config/catalog": ["keyless/policy", "keyless/project-folder.ts"],
  stacks: [
    "keyless/config",
    "keyless/trust",
    "keyless/permissions",
    "keyless/policy",
    ...SHARED,
    "keyless/terraform/version.ts",
  ],
  "keyless/terraform": [
    "keyless/config",
    "keyless/trust",
    "keyless/permissions",
    "keyless/policy",
    ...SHARED,
    "keyless/project-folder.ts",
  ],
  "keyless/aws": ["keyless/trust", "keyless/permissions", "keyless/policy", ...SHARED],
  "keyless/state": [
    "keyless/terraform",
    "keyless/aws",
    "keyless/config",
    "keyless/trust",
    "keyless/permissions",
    "keyless/policy",
    ...SHARED,
  ],
  "keyless/sandbox": [
    "keyless/aws",
    "keyless/state",
    "keyless/plan",
    "keyless/terraform",
    "keyless/config",
    "keyless/trust",
    "keyless/permissions",
    "keyless/policy",
    ...SHARED,
    "keyless/project-folder.ts",
  ],
  "keyless/sandbox/demo-config.ts": ["keyless/index.ts"],
  "keyless/plan": ["keyless/policy", "keyless/secrets", ...SHARED],
  "keyless/project-folder.ts": [],
  "keyless/redact.ts": ["keyless/secrets"],
  "keyless/secrets": ["keyless/project-folder.ts", ...SHARED],
  "keyless/review": ["keyless/plan", "keyless/trust", "keyless/policy", ...SHARED, "keyless/wrap.ts"],
  "keyless/review/access-types": ["keyless/project-folder.ts", "keyless/plan"],
  "keyless/review/access-types/generate.ts": ["keyless/review/access-types", "keyless/terraform"],
  "keyless/access": [
    "keyless/aws",
    "keyless/config",
    "keyless/trust",
    "keyless/permissions",
    "keyless/policy",
    ...SHARED,
    "keyless/wrap.ts",
  ],
  "keyless/text.ts": [],
  "keyless/wrap.ts": [],
  "keyless/pipeline": [
    "keyless/review",
    "keyless/plan",
    "keyless/terraform",
    "keyless/config",
    "keyless/trust",
    "keyless/permissions",
    "keyless/policy",
    ...SHARED,
  ],
  "keyless/cli": [
    ...SHARED,
    "keyless/project-folder.ts",
    "keyless/redact.ts",
    "keyless/policy",
    "keyless/trust",
    "keyless/permissions",
    "keyless/config",
    "keyless/terraform",
    "keyless/aws",
    "keyless/state",
    "keyless/sandbox",
    "keyless/plan",
    "keyless/review",
    "keyless/wrap.ts",
    "keyless/access",
    "keyless/pipeline",
  ],
  "keyless/cli/keyless.js": ["build.js"],
  "keyless/cli/lib/load-config.ts": ["keyless/config", "config.ts", ...SHARED],
  "build.js": ["config.ts", "keyless/config/compile-errors.ts", "keyless/sandbox/demo-config.ts"],
  "config.ts": ["keyless/index.ts"],
  "keyless/index.ts": ["keyless/config", "keyless/permissions", "keyless/policy", "keyless/trust"],
  "main.ts": ["keyless/config", "config.ts", "stacks", "keyless/terraform/provider-lock.ts"],
  test: ["*"],
};

/** What decides about trust and permissions: no Terraform, no network, no file, no environment. */
const PURE = ["keyless/policy", "keyless/trust", "keyless/permissions"];
/** Modules of Node.js that compute and read nothing. */
const PURE_MODULES = ["node:net"];

const SKIPPED = new Set(["node_modules", "dist", "cdktf.out"]);

interface Source {
  readonly path: string;
  readonly text: string;
  /** What it imports, statically or by `require()` and `import()`: a path from the root, or a package. */
  readonly imports: readonly string[];
}

function sources(folder = ""): Source[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (SKIPPED.has(entry.name) || entry.name.startsWith(".")) return [];
    if (entry.isDirectory()) return sources(path);
    return /\.[cm]?[jt]s$/.test(entry.name) ? [read(path)] : [];
  });
}

function read(path: string): Source {
  const text = readFileSync(join(root, path), "utf8");
  const found = [...text.matchAll(/(?:\bfrom|\bimport|\brequire(?:\.resolve)?)\s*\(?\s*["'`]([^"'`\n]+)["'`]/g)];
  const imports = found.map(([, module = ""]) => (module.startsWith(".") ? resolved(path, module) : module));
  return { path, text, imports };
}

/** A relative import as the path of the file that it means. */
function resolved(from: string, module: string): string {
  const path = posix.join(posix.dirname(from), module);
  const candidates = [path, `${path}.ts`, `${path}.js`, `${path}/index.ts`];
  return candidates.find((file) => statSync(join(root, file), { throwIfNoEntry: false })?.isFile()) ?? path;
}

function rowOf(path: string): string | undefined {
  const rows = Object.keys(LAYERS).filter((row) => path === row || path.startsWith(`${row}/`));
  return rows.sort((a, b) => b.length - a.length)[0];
}

const product = sources().filter(({ path }) => rowOf(path) !== "test");

test("every source file is covered by a row of the table, and every row covers a file", () => {
  const rows = sources().map(({ path }) => ({ path, row: rowOf(path) }));
  expect(rows.filter(({ path, row }) => row === undefined && path.includes("/"))).toEqual([]);
  expect(Object.keys(LAYERS).filter((row) => !rows.some((each) => each.row === row))).toEqual([]);
});

test.each(product)("$path imports only from the layers below it", ({ path, imports }) => {
  const row = rowOf(path) ?? "";
  const below = [row, ...(LAYERS[row] ?? [])];
  const others = imports.filter((file) => rowOf(file) !== undefined || file.startsWith("."));
  const allowed = (file: string) => below.some((place) => file === place || file.startsWith(`${place}/`));
  expect(others.filter((file) => !allowed(file))).toEqual([]);
});

test.each(product.filter(({ path }) => PURE.some((place) => path.startsWith(`${place}/`))))(
  "$path is pure",
  ({ imports, text }) => {
    const isOurs = (file: string) => rowOf(file) !== undefined;
    expect(imports.filter((file) => !isOurs(file) && !PURE_MODULES.includes(file))).toEqual([]);
    expect(text).not.toMatch(/\bprocess\.|\bfetch\(|\bglobalThis\b/);
  },
);
