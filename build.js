// Compiles the TypeScript into dist/ if a source has changed, then runs an entry of it: `node build.js app.js`. A type
// error stops the run before anything is synthesized, planned or deployed. If no source has changed, the check takes a few
// milliseconds. main.ts, the app that cdktf runs, is bundled into one file, app.js, which halves its loading time.
const { spawnSync } = require("node:child_process");
const { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync } = require("node:fs");
const { renameSync, rmSync, statSync, symlinkSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join, relative } = require("node:path");

// Without it, the AWS SDK prints a warning about future Node versions in every command.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

const dist = join(__dirname, "dist");
const inputs = ["package.json", "package-lock.json", "tsconfig.json"];
const skipped = new Set(["node_modules", "dist", "docs", "cdktf.out"]);

/** Path, size and modification time of the files below a folder that a predicate accepts, as one string. */
function fingerprint(root, accepts, visits = () => true) {
  const seen = [];
  const visit = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (visits(entry.name)) visit(path);
      } else if (accepts(path)) {
        const { size, mtimeMs } = statSync(join(root, path), { throwIfNoEntry: false }) ?? {};
        seen.push(`${path} ${size} ${mtimeMs}`);
      }
    }
  };
  if (existsSync(root)) visit("");
  return seen.sort().join("\n");
}

/** The compiler's input. */
const sources = () =>
  fingerprint(
    __dirname,
    (path) => path.endsWith(".ts") || inputs.includes(path),
    (name) => !skipped.has(name) && !name.startsWith("."),
  );

/** The compiler's output in a folder. Every other file there counts too, so that none is loaded that this script did not write. */
const outputs = (folder) => fingerprint(folder, (path) => path !== "stamp.json");

/** An empty object if the file does not exist, or if the process that wrote it was killed. */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return {};
  }
}

/** Whether node_modules/ has the versions that package.json pins. */
function isInstalled() {
  const { dependencies, devDependencies } = readJson(join(__dirname, "package.json"));
  return Object.entries({ ...dependencies, ...devDependencies }).every(
    ([name, version]) => readJson(join(__dirname, "node_modules", name, "package.json")).version === version,
  );
}

/** Makes sure that the packages are installed. Only `npm run demo` and `npm test` install them, with `--install`. */
function setUp(install) {
  if (isInstalled()) return;
  process.stderr.write(`node_modules/ is missing or out of date: ${install ? "running" : "run"} npm ci\n`);
  if (!install) process.exit(2);
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: __dirname, stdio: "inherit" });
  if (status !== 0) process.exit(2);
}

/** What was compiled into dist/; `undefined` if a file in it differs from what this script wrote. */
function compiled() {
  try {
    const stamp = readJson(join(dist, "stamp.json"));
    return stamp.outputs === outputs(dist) ? stamp.sources : undefined;
  } catch {
    // Another command replaces dist/ at this moment.
    return undefined;
  }
}

const sdkCore = join(__dirname, "node_modules", "@aws-sdk", "core", "dist-es");
/** The table of partitions without the rest of the AWS SDK's core, which takes 20 ms to load. */
const sdkAlias = {
  "@aws-sdk/core/client": join(sdkCore, "submodules/client/util-endpoints/lib/aws/partition.js"),
};

/**
 * Brings dist/ up to date. Compiles into a new folder, which then replaces dist/: it has no file that the compiler did not
 * write, and commands that compile at the same time do not disturb each other.
 *
 * If the project does not compile, prints the compiler's messages and exits: with status 64 for config.ts, else 2.
 */
function build(install = false) {
  const current = sources();
  const previous = compiled();
  if (previous === current) return;
  setUp(install);
  // Beside dist/, because the compiler's record of an earlier run has relative paths.
  const work = mkdtempSync(join(__dirname, ".dist-"));
  process.once("exit", () => rmSync(work, { recursive: true, force: true }));
  // Only changed sources are compiled again. Without the output of deleted ones, an import of them fails as in a fresh clone.
  if (previous !== undefined)
    cpSync(dist, work, {
      recursive: true,
      preserveTimestamps: true,
      filter: (path) => !/\.js(\.map)?$/.test(path) || existsSync(sourceOf(relative(dist, path))),
    });
  const tsc = join(__dirname, "node_modules", "typescript", "bin", "tsc");
  const record = join(work, "tsconfig.tsbuildinfo");
  const options = ["-p", __dirname, "--pretty", "false", "--outDir", work, "--tsBuildInfoFile", record];
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, ...options], {
    cwd: __dirname,
    encoding: "utf8",
  });
  if (status !== 0) {
    const mistakes = configMistakes(stdout, work);
    process.stderr.write(mistakes ?? `${stdout}${stderr}The project does not compile: correct the lines above.\n`);
    process.exit(mistakes === undefined ? 2 : 64);
  }
  require("esbuild").buildSync({
    entryPoints: [join(work, "main.js")],
    outfile: join(work, "app.js"),
    bundle: true,
    platform: "node",
    alias: sdkAlias,
    logLevel: "error",
  });
  writeFileSync(join(work, "stamp.json"), JSON.stringify({ sources: current, outputs: outputs(work) }));
  replaceDist(work, current);
}

/** The message for errors in config.ts, which can have further errors in other files as their consequence; `undefined` if it has none. */
function configMistakes(stdout, work) {
  const file = join(__dirname, "config.ts");
  if (!existsSync(file))
    return /'\.\/config'/.test(stdout)
      ? "config.ts is missing: restore it with git checkout -- config.ts, or write one with the example of README.md\n"
      : undefined;
  const bundle = (load) => {
    const contents = `export * from "./keyless/config/compile-errors"; export const load = () => ${load};`;
    const outfile = join(work, "mistakes.js");
    require("esbuild").buildSync({
      stdin: { contents, resolveDir: __dirname },
      outfile,
      bundle: true,
      platform: "node",
      logLevel: "silent",
      alias: sdkAlias,
    });
    const { explainCompilerErrors, load: run } = require(outfile);
    return explainCompilerErrors(stdout, readFileSync(file, "utf8"), run);
  };
  try {
    return bundle('require("./config")');
  } catch {
    // A syntax error in config.ts, which only the compiler reports, or an error in the product.
  }
  try {
    return /^config\.ts\(/m.test(stdout) ? bundle('{ throw new Error("config.ts cannot be read"); }') : undefined;
  } catch {
    return undefined;
  }
}

/** The source of a compiled file or of its source map. */
const sourceOf = (path) => join(__dirname, path.replace(/\.js(\.map)?$/, ".ts"));

/** Replaces dist/ by a folder, unless another command has compiled the same sources meanwhile. */
function replaceDist(work, current) {
  const old = `${work}-old`;
  while (compiled() !== current) {
    try {
      if (existsSync(dist)) renameSync(dist, old);
      rmSync(old, { recursive: true, force: true });
      renameSync(work, dist);
      // Another command may replace it at once, after a source has changed.
      return;
    } catch (error) {
      // Another command has renamed dist/ at the same time.
      if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(error.code)) throw error;
    }
  }
}

/** The product's files. Without config.ts, which a team edits. */
const product = ["keyless", "stacks", "main.ts", "build.js", "cdktf.json", ".terraform.lock.hcl", ...inputs];

/** A temporary copy of the product with the configuration of the demo: `keyless demo` runs whatever config.ts contains. */
function demoProject(install) {
  setUp(install);
  const folder = mkdtempSync(join(tmpdir(), "keyless-demo-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const name of product) cpSync(join(__dirname, name), join(folder, name), { recursive: true });
  symlinkSync(join(__dirname, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "config.ts"), 'export { default } from "./keyless/sandbox/demo-config";\n');
  return folder;
}

/** Runs a compiled entry. Prints a `UserError` without a stack. */
function run(entry, install = false, isCopy = false) {
  if (process.argv[2] === "demo" && !isCopy)
    return require(join(demoProject(install), "build.js")).run(entry, false, true);
  build(install);
  process.on("uncaughtException", (error) => {
    process.stderr.write(`${error?.isUserError ? error.message : (error?.stack ?? error)}\n`);
    process.exit(error?.exitStatus ?? 2);
  });
  require(join(dist, entry));
}

module.exports = { build, run };

if (require.main === module) {
  const install = process.argv[2] === "--install";
  const [entry, ...args] = process.argv.slice(install ? 3 : 2);
  if (entry === undefined) build(install);
  else {
    process.argv = [process.argv[0], join(dist, entry), ...args];
    run(entry, install);
  }
}
