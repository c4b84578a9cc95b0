// Compiles the TypeScript into dist/ when a source has changed since the last time, then runs an entry of it:
// `node build.js app.js`. A type error stops here, before anything is synthesized, planned or deployed. When
// nothing has changed, the cost is a few milliseconds; and what cdktf runs, main.ts, is bundled with cdktf and its
// bindings into one file, app.js, which loads in half the time of their hundreds. So the `app` command starts fast.
const { spawnSync } = require("node:child_process");
const { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

// The AWS SDK would announce in every command which Node it wants next year; package.json says what is needed now.
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

/** What the compiler reads, and what it wrote: a file in dist/ that was not written here is never loaded. */
const sources = () => fingerprint(__dirname, (path) => path.endsWith(".ts") || inputs.includes(path));
const outputs = () => fingerprint(dist, (path) => path !== "stamp.json");

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** What the last compilation read and wrote; nothing where it was killed. */
function readStamp() {
  try {
    return JSON.parse(read(stamp) ?? "{}");
  } catch {
    return {};
  }
}

/** Installs the packages where nothing is installed yet, as in a fresh clone, or other versions than package.json pins. */
function setUp() {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(__dirname, "package.json"), "utf8"));
  const pinned = Object.entries({ ...dependencies, ...devDependencies });
  const isInstalled = ([name, version]) =>
    read(join(__dirname, "node_modules", name, "package.json"))?.includes(`"version": "${version}"`);
  if (pinned.every(isInstalled)) return;
  process.stderr.write("Installing the packages that package-lock.json names (npm ci)\n");
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: __dirname, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/** Brings dist/ up to date; ends the process with the compiler's messages and status 1 when the types are wrong. */
function build() {
  const compiled = readStamp();
  const current = sources();
  const isIntact = compiled.outputs === outputs();
  if (isIntact && compiled.sources === current) return;
  setUp();
  if (!isIntact) rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  rmSync(stamp, { force: true });
  const tsc = join(__dirname, "node_modules", "typescript", "bin", "tsc");
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, "-p", __dirname, "--pretty", "false"], {
    cwd: __dirname,
    encoding: "utf8",
  });
  if (status !== 0) {
    // What was compiled before stays incremental: only the stamp of the sources is missing.
    writeFileSync(stamp, JSON.stringify({ outputs: outputs() }));
    process.stderr.write(`${stdout}${stderr}The project does not compile: correct the lines above.\n`);
    process.exit(1);
  }
  removeOrphans();
  require("esbuild").buildSync({
    entryPoints: [join(dist, "main.js")],
    outfile: join(dist, "app.js"),
    bundle: true,
    platform: "node",
    logLevel: "error",
  });
  writeFileSync(stamp, JSON.stringify({ sources: current, outputs: outputs() }));
}

/** Removes the compiled form of sources that are gone: what still requires one fails here and not in a fresh clone. */
function removeOrphans() {
  for (const line of outputs().split("\n")) {
    const path = line.split(" ")[0];
    const source = path.replace(/\.js(\.map)?$/, ".ts");
    if (source !== path && path !== "app.js" && !existsSync(join(__dirname, source))) rmSync(join(dist, path));
  }
}

/** Runs a compiled entry; an error that is meant for people (its `forPeople` is true) is printed without a stack. */
function run(entry) {
  build();
  process.on("uncaughtException", (error) => {
    process.stderr.write(`${error?.forPeople ? error.message : (error?.stack ?? error)}\n`);
    process.exit(1);
  });
  require(join(dist, entry));
}

module.exports = { build, run };

if (require.main === module) {
  const [entry, ...args] = process.argv.slice(2);
  if (entry === undefined) build();
  else {
    process.argv = [process.argv[0], join(dist, entry), ...args];
    run(entry);
  }
}
