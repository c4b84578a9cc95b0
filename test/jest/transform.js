const { readFileSync } = require("node:fs");
const { join, relative } = require("node:path");
const esbuild = require("esbuild");

const root = join(__dirname, "..", "..");

/**
 * Returns the compiled JavaScript of a TypeScript source with its source map, so that stack traces show the TypeScript.
 * Packages that have only ES modules, which jest cannot require(), are converted to CommonJS.
 */
exports.process = (source, path) => {
  if (path.includes("/node_modules/")) return esbuild.transformSync(source, { format: "cjs", target: "node20" });
  const compiled = join(root, "dist", relative(root, path)).replace(/\.ts$/, ".js");
  const map = JSON.parse(readFileSync(`${compiled}.map`, "utf8"));
  // jest does not support import(), so packages that are loaded on demand are loaded by require().
  const code = readFileSync(compiled, "utf8").replace(
    /\bimport\(("[^"]+")\)/g,
    "Promise.resolve().then(() => require($1))",
  );
  return { code, map: { ...map, sources: [path] } };
};
