import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What differs between two runs: durations such as `1m0s`, and times. */
const VARYING = /\b(\d+m)?\d+s\b|\d{4}-\d{2}-\d{2}T[\d:]+Z/g;

/**
 * Matches the output that a guide shows in the code block that begins with a text, also within other output. A line `…`
 * matches any lines. Durations and times may differ, and lines may be broken in other places.
 *
 * @param page the name of the guide in docs/
 * @param start how the block begins, with the `$` of a command
 */
export function sample(page: string, start: string): RegExp {
  const text = readFileSync(join(__dirname, "../../docs", `${page}.md`), "utf8");
  const blocks = [...text.matchAll(/^( *)```\w*\n(.*?)^\1```$/gms)].map(([, indent = "", block = ""]) =>
    block.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  );
  const block = blocks.find((candidate) => candidate.startsWith(start));
  if (block === undefined) throw new Error(`docs/${page}.md has no block that begins with ${start}`);
  const parts = block.replace(/^\$ .*\n/, "").split(/^…\n/m);
  const patterns = parts.map((part) =>
    part
      .trim()
      .replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
      .replace(VARYING, "\\S+")
      .replace(/\s+/g, "\\s+"),
  );
  return new RegExp(patterns.join("[^]*"));
}
