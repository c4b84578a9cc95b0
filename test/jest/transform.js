const { readFileSync } = require("node:fs");
const { join, relative } = require("node:path");
const esbuild = require("esbuild");

const root = join(__dirname, "..", "..");

/**
 * Hands jest the compiled form of a source, with its source map, so that stack traces name the TypeScript. A package
 * that has ES modules alone, which jest does not require(), is converted to CommonJS.
 */
exports.process = (source, path) => {
  if (path.includes("/node_modules/")) return esbuild.transformSync(source, { format: "cjs", target: "node20" });
  const compiled = join(root, "dist", relative(root, path)).replace(/\.ts$/, ".js");
  const map = JSON.parse(readFileSync(`${compiled}.map`, "utf8"));
  // jest has no import(): what loads a package only when it is needed loads it by require() here.
  const code = readFileSync(compiled, "utf8").replace(
    /\bimport\(("[^"]+")\)/g,
    "Promise.resolve().then(() => require($1))",
  );
  return { code, map: { ...map, sources: [path] } };
};
