// Compiles the TypeScript into dist/ if a source has changed, then runs an entry of it: `node build.js app.js`. A type
// error stops the run before anything is synthesized, planned or deployed. If no source has changed, the check takes a few
// milliseconds. main.ts, the app that cdktf runs, is bundled into one file, app.js, which halves its loading time.
const { spawnSync } = require("node:child_process");
const { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

// Without it, the AWS SDK prints a warning about future Node versions in every command.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

const dist = join(__dirname, "dist");
const stamp = join(dist, "stamp.json");
const inputs = ["package.json", "package-lock.json", "tsconfig.json"];
const skipped = new Set(["node_modules", "dist", "docs", "cdktf.out"]);

/** Path, size and modification time of the files below a folder that a predicate accepts, as one string. */
function fingerprint(root, accepts) {
  const seen = [];
  const visit = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!skipped.has(entry.name) && !entry.name.startsWith(".")) visit(path);
      } else if (accepts(path)) {
        const { size, mtimeMs } = statSync(join(root, path));
        seen.push(`${path} ${size} ${mtimeMs}`);
      }
    }
  };
  if (existsSync(root)) visit("");
  return seen.sort().join("\n");
}

/** The compiler's input and output. A file in dist/ that this script did not write is removed before it can be loaded. */
const sources = () => fingerprint(__dirname, (path) => path.endsWith(".ts") || inputs.includes(path));
const outputs = () => fingerprint(dist, (path) => path !== "stamp.json");

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

/** Brings dist/ up to date. If the project does not compile, prints the compiler's messages and exits: with status 64 for config.ts, else 2. */
function build(install = false) {
  const compiled = readJson(stamp);
  const current = sources();
  const isIntact = compiled.outputs === outputs();
  if (isIntact && compiled.sources === current) return;
  setUp(install);
  if (!isIntact) rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  rmSync(stamp, { force: true });
  const tsc = join(__dirname, "node_modules", "typescript", "bin", "tsc");
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, "-p", __dirname, "--pretty", "false"], {
    cwd: __dirname,
    encoding: "utf8",
  });
  if (status !== 0) {
    // Without the sources in the stamp, the next run compiles again, incrementally.
    writeFileSync(stamp, JSON.stringify({ outputs: outputs() }));
    process.stderr.write(`${stdout}${stderr}The project does not compile: correct the lines above.\n`);
    process.exit(/^config\.ts\(/m.test(stdout) ? 64 : 2);
  }
  // So that an import of a deleted source fails here as it does in a fresh clone.
  for (const path of outputs()
    .split("\n")
    .map((line) => line.split(" ")[0])) {
    const source = path.replace(/\.js(\.map)?$/, ".ts");
    if (source !== path && path !== "app.js" && !existsSync(join(__dirname, source))) rmSync(join(dist, path));
  }
  const sdkCore = join(__dirname, "node_modules", "@aws-sdk", "core", "dist-es");
  require("esbuild").buildSync({
    entryPoints: [join(dist, "main.js")],
    outfile: join(dist, "app.js"),
    bundle: true,
    platform: "node",
    // The table of partitions without the rest of the AWS SDK's core, which takes 20 ms to load.
    alias: { "@aws-sdk/core/client": join(sdkCore, "submodules/client/util-endpoints/lib/aws/partition.js") },
    logLevel: "error",
  });
  writeFileSync(stamp, JSON.stringify({ sources: current, outputs: outputs() }));
}

/** Runs a compiled entry. Prints a `UserError` without a stack. */
function run(entry, install = false) {
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
