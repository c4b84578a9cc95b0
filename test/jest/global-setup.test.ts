import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

it("this run has its own temporary folder", () => {
  expect(basename(tmpdir())).toMatch(/^keyless-tests-/);
});

it.each(["SIGINT", "SIGTERM"] as const)("removes the folder when %s interrupts the run", async (signal) => {
  const setUp = JSON.stringify(join(__dirname, "global-setup.js"));
  const script = `require(${setUp})(); console.log(require("node:os").tmpdir()); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const folder = await new Promise<string>((resolve) => child.stdout.once("data", (text) => resolve(`${text}`.trim())));
  expect([dirname(folder), existsSync(folder)]).toEqual([tmpdir(), true]);
  child.kill(signal);
  await new Promise((resolve) => child.once("close", resolve));
  expect(existsSync(folder)).toBe(false);
});
