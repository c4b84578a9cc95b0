const { readFileSync } = require("node:fs");
const { join, relative } = require("node:path");

const root = join(__dirname, "..", "..");

/** Hands jest the compiled form of a source, with its source map, so that stack traces name the TypeScript. */
exports.process = (_source, path) => {
  const compiled = join(root, "dist", relative(root, path)).replace(/\.ts$/, ".js");
  const map = JSON.parse(readFileSync(`${compiled}.map`, "utf8"));
  return { code: readFileSync(compiled, "utf8"), map: { ...map, sources: [path] } };
};
