// `npm run test:properties [-- <part of a path> …]`: runs every property test with random seeds, at least 10,000 cases
// each, or as many as PROPERTY_CASES says. A test file runs in several processes, one after the other, since the memory of
// cdktf's constructs is not released. A process runs 2,500 cases of each property, or as many as the file's mark
// `// @cases 1000` says.
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join, relative } = require("node:path");

const root = join(__dirname, "..", "..");
const wanted = Number(process.env.PROPERTY_CASES ?? 10_000);
const selected = process.argv.slice(2);

const files = readdirSync(join(root, "test"), { recursive: true })
  .map((name) => relative(root, join(root, "test", name)))
  .filter(
    (name) => name.endsWith(".test.ts") && (selected.length === 0 || selected.some((part) => name.includes(part))),
  )
  .map((name) => ({ name, source: readFileSync(join(root, name), "utf8") }))
  .filter(({ source }) => source.includes("fc.assert("))
  .sort((a, b) => a.name.localeCompare(b.name));

const work = mkdtempSync(join(tmpdir(), "keyless-properties-"));
const counts = join(work, "counts");
process.on("exit", () => rmSync(work, { recursive: true, force: true }));

/** The running jest. Its tests are synchronous, so only SIGKILL ends it at once. */
let child;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
  process.once(signal, () => {
    child?.kill("SIGKILL");
    process.exit(1);
  });

/** Runs one test file with this number of cases for each property. Returns the cases that each property ran. */
async function run(name, cases) {
  rmSync(counts, { force: true });
  const jest = [require.resolve("jest/bin/jest"), "--config", join(__dirname, "config.js"), "--runInBand"];
  const args = [...jest, "--selectProjects", "unit", "--silent", "--runTestsByPath", join(root, name)];
  const env = { ...process.env, TMPDIR: work, PROPERTY_CASES: `${cases}`, PROPERTY_COUNTS: counts };
  child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "ignore", "pipe"] });
  let report = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    report += text;
  });
  const [status] = await once(child, "close");
  const ran = existsSync(counts) ? readFileSync(counts, "utf8").trim().split("\n").map(Number) : [0];
  const passed = status === 0 && Math.min(...ran) === cases;
  if (!passed) process.stdout.write(report);
  return { passed, ran };
}

async function runAll() {
  let total = 0;
  let properties = 0;
  const failed = [];
  for (const [index, { name, source }] of files.entries()) {
    const atOnce = Number(/^\/\/ @cases (\d+)/m.exec(source)?.[1] ?? 2_500);
    for (let cases = 0; cases < wanted; ) {
      const start = Date.now();
      const { passed, ran } = await run(name, atOnce);
      cases += Math.min(...ran);
      total += ran.reduce((sum, count) => sum + count, 0);
      const seconds = Math.round((Date.now() - start) / 1000);
      console.log(
        `${index + 1}/${files.length} ${name}: ${ran.length} properties, ${cases} of ${wanted} cases each, ${seconds} s`,
      );
      if (!passed) {
        failed.push(name);
        break;
      }
      if (cases >= wanted) properties += ran.length;
    }
  }
  console.log(
    [`${properties} properties passed, ${total} cases in all, ${failed.length} files failed`, ...failed].join("\n"),
  );
  process.exitCode = failed.length === 0 && files.length > 0 ? 0 : 1;
}

runAll();
