import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";

// What is promised of speed, measured as ratios within one run, so that the machine does not matter.

const root = process.cwd();
const work = mkdtempSync(join(tmpdir(), "keyless-bench-"));
const rows: { readonly what: string; readonly measured: string; readonly target: string; readonly met: boolean }[] = [];

/** Runs a program to its end; its seconds and what it printed. */
function timed(cwd: string, file: string, ...args: string[]): { seconds: number; stdout: string } {
  const env = { ...process.env, CI: "1", CHECKPOINT_DISABLE: "1" };
  const start = process.hrtime.bigint();
  const { status, stdout, stderr } = spawnSync(file, args, { cwd, env, encoding: "utf8" });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (status !== 0) throw new Error(`${file} ${args.join(" ")} failed:\n${stdout}${stderr}`);
  return { seconds, stdout };
}

/** The median of each, measured in turns, so that what else the machine does hits all alike; after one run unmeasured. */
function medians(repetitions: number, ...runs: (() => { seconds: number })[]): number[] {
  const seconds = runs.map((): number[] => []);
  for (const run of runs) run();
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const [index, run] of runs.entries()) seconds[index]?.push(run().seconds);
  }
  return seconds.map((values) => values.sort((a, b) => a - b)[Math.floor(repetitions / 2)] as number);
}

/** A copy of the project, so that neither its `cdktf.out` nor its `dist` is touched. */
function copyOfProject(name: string): string {
  const folder = join(work, name);
  const left = new Set(["node_modules", "dist", "docs", "examples", "cdktf.out", ".git", ".keyless", "test"]);
  cpSync(root, folder, { recursive: true, filter: (path) => !left.has(path.slice(root.length + 1)) });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}

function benchApp(project: string): void {
  const { app: command } = JSON.parse(readFileSync(join(project, "cdktf.json"), "utf8")) as { app: string };
  const bindings = ["environment", "role", "settings", "state-backend"].flatMap((name) => {
    const source = readFileSync(join(project, "stacks", `${name}.ts`), "utf8");
    return [...source.matchAll(/"(@cdktf\/provider-aws\/lib\/[^"]+)"/g)].map(([, path]) => path as string);
  });
  const bare = join(project, "bare.js");
  writeFileSync(bare, ["cdktf", ...new Set(bindings)].map((path) => `require("${path}");`).join("\n"));
  const [running = 0, loading = 0] = medians(
    21,
    () => timed(project, process.execPath, ...command.split(" ").slice(1)),
    () => timed(project, process.execPath, bare),
  );
  const ratio = running / loading;
  rows.push({
    what: `the app command (${ms(running)}) against a bare node that loads cdktf and the bindings used (${ms(loading)})`,
    measured: `${ratio.toFixed(2)} ×`,
    target: "at most 1.5 ×",
    met: ratio <= 1.5,
  });
}

function benchSynth(project: string): void {
  const template = copyOfProject("template");
  const tools = join(work, "tools");
  mkdirSync(tools);
  timed(tools, "npm", "install", "--no-save", "--prefix", tools, "ts-node@10.9.2", "typescript@5.9.3");
  const module = (name: string) => join(tools, "node_modules", name);
  // As in cdktf's template, but for the second that npx takes.
  const app = `node ${join(module("ts-node"), "dist", "bin.js")} --compiler ${module("typescript")} main.ts`;
  const compilerOptions = {
    target: "es2022",
    module: "commonjs",
    strict: true,
    esModuleInterop: true,
    skipLibCheck: true,
  };
  writeFileSync(
    join(template, "tsconfig.json"),
    JSON.stringify({ compilerOptions: { ...compilerOptions, types: ["node"] } }),
  );
  writeFileSync(
    join(template, "cdktf.json"),
    JSON.stringify({ ...JSON.parse(readFileSync(join(project, "cdktf.json"), "utf8")), app }),
  );
  const cdktf = join(root, "node_modules", ".bin", "cdktf");
  const [ours = 0, theirs = 0] = medians(
    5,
    () => timed(project, cdktf, "synth"),
    () => timed(template, cdktf, "synth"),
  );
  const ratio = theirs / ours;
  rows.push({
    what: `cdktf synth (${ms(ours)}) against the same with the template's ts-node (${ms(theirs)})`,
    measured: `${ratio.toFixed(1)} × as fast`,
    target: "at least 2 ×",
    met: ratio >= 2,
  });
}

function benchGrowth(): void {
  const script = join(__dirname, "synthesis.js");
  const measure = (roles: number) => timed(root, process.execPath, script, String(roles));
  const counts = [100, 250, 500, 1000];
  const seconds = medians(3, ...counts.map((roles) => () => measure(roles)));
  const megabytes = Number(measure(1000).stdout) / 1024;
  const perRole = (index: number) => ((seconds[index] ?? 0) - (seconds[0] ?? 0)) / ((counts[index] ?? 0) - 100);
  const growth = perRole(3) / perRole(1);
  const last = seconds[3] as number;
  rows.push(
    {
      what: `${counts.join(", ")} roles with 10 attachments each: ${seconds.map(ms).join(", ")}; time per role, last against first`,
      measured: `${growth.toFixed(2)} ×`,
      target: "at most 1.3 × (linear)",
      met: growth <= 1.3,
    },
    { what: "1,000 roles with 10 attachments each: time", measured: ms(last), target: "under 5 s", met: last < 5 },
    {
      what: "1,000 roles with 10 attachments each: memory",
      measured: `${Math.round(megabytes)} MB`,
      target: "under 500 MB",
      met: megabytes < 500,
    },
  );
}

function ms(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}

function report(): void {
  const table = new Table({
    head: ["measured", "result", "target", ""],
    colWidths: [64, 16, 24, 8],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const { what, measured, target, met } of rows) table.push([what, measured, target, met ? "met" : "MISSED"]);
  console.log(`Node ${process.version}, ${process.platform} ${process.arch}; medians\n${table.toString()}`);
  process.exitCode = rows.every(({ met }) => met) ? 0 : 1;
}

try {
  const project = copyOfProject("project");
  benchApp(project);
  benchSynth(project);
  benchGrowth();
  report();
} finally {
  rmSync(work, { recursive: true, force: true });
}
