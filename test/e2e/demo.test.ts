// @duration 95
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import stringWidth from "string-width";
import { Project, run } from "./project";

const root = join(__dirname, "../..");

test("the demo runs with an error in config.ts, fits 80 columns, and with --keep prints how another shell uses the sandbox", async () => {
  const { folder } = new Project("export default nonsense(;");
  const { AWS_ENDPOINT_URL: _, ...env } = process.env;
  const child = spawn(process.execPath, [join(folder, "keyless/cli/keyless.js"), "demo", "--keep"], {
    cwd: root,
    env: { ...env, COLUMNS: "80" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (line.startsWith("# Ctrl-C stops")) break;
  }
  try {
    const table = lines.filter((line) => /^[┌├│└]/.test(line));
    expect(table.join("\n")).toMatch(/second cdktf diff dev +│ no changes/);
    expect(Math.max(...table.map((line) => stringWidth(line)))).toBeLessThanOrEqual(80);
    const variables = lines.filter((line) => /^(export|unset) /.test(line)).join("\n");
    const shell = { PATH: process.env.PATH, HOME: process.env.HOME };
    const buckets = await run("sh", ["-c", `${variables}\naws s3 ls`], { env: shell });
    expect(buckets.output).toContain("acme-dev-tfstate");
  } finally {
    child.kill("SIGINT");
    await once(child, "exit");
  }
  expect(child.exitCode).toBe(0);
});
