import { explainCompilerErrors } from "../../keyless/config/compile-errors";
import { defineConfig } from "../../keyless/config/define";
import type { ConfigInput } from "../../keyless/config/input";
import { having, valid } from "./configuration";

const source = `import { applyEnviroment, defineConfig } from "./keyless";
const site = { project: 5 };
export default defineConfig({
  circleci: { organizationId: "acme" },
  environments: {
    // It's "dev": {
    dev: { region: 5, roles: { "a-b": { trst: [site], path: \`/\` } } },
  },
});
`;

/** The compiler's output for an error at the first place of a text in the source. */
function error(text: string, code: number, message: string): string {
  const before = source.slice(0, source.indexOf(text)).split("\n");
  return `config.ts(${before.length},${(before.at(-1) ?? "").length + 1}): error TS${code}: ${message}\n`;
}

function explain(output: string, input: unknown = valid): readonly string[] {
  const text = explainCompilerErrors(output, source, () => ({ default: defineConfig(input as ConfigInput) }));
  return text === undefined ? [] : text.split("\n").slice(2, -1);
}

test("a mistake that the checks find is one message, in their words", () => {
  const type = error("region", 2322, "Type 'number' is not assignable to type 'string'.");
  expect(explain(type, having(["environments.dev.region", 5]))).toEqual([
    "  environments.dev.region: 5 must be a string: write it in quotes",
  ]);
});

test("an error in a constant is that of the places where it is used", () => {
  const type = error("project", 2322, "Type 'number' is not assignable to type 'string'.");
  expect(explain(type, having(["environments.dev.roles.reader.trust.0.project", 5]))).toEqual([
    expect.stringContaining("environments.dev.roles.reader.trust[0].project: 5 must be a string"),
  ]);
});

test("what the checks do not find has its place in config.ts, and the last line of the compiler's message", () => {
  const type = `${error("path", 2322, "Type 'a' is not assignable to type 'b'.")}  Property 'x' is missing.\n`;
  expect(explain(type, having(["circleci.organizationId", "acme"]))).toEqual([
    expect.stringContaining('circleci.organizationId: "acme" is not an organization ID'),
    "  config.ts:7:55: property 'x' is missing",
  ]);
});

test("a misspelt import is one message: neither its uses nor its undefined value is another", () => {
  const output =
    error(
      "applyEnviroment",
      2724,
      "'\"./keyless\"' has no exported member named 'applyEnviroment'. Did you mean 'applyEnvironment'?",
    ) + error("site]", 2552, "Cannot find name 'applyEnvironment'. Did you mean 'applyEnviroment'?");
  expect(explain(output, having(["environments.dev.roles.reader.inlinePolicies", { apply: undefined }]))).toEqual([
    "  config.ts:1:10: '\"./keyless\"' has no exported member named 'applyEnviroment' (did you mean applyEnvironment?)",
  ]);
});

test("a function that the configuration calls must not be called", () => {
  const output = error("applyEnviroment", 2554, "Expected 2 arguments, but got 0.");
  const called = explainCompilerErrors(
    output.replace("1,10", "1,1"),
    source.replace("import", "applyEnvironment"),
    () => undefined,
  );
  expect(called).toContain("applyEnvironment() must not be called: write applyEnvironment");
});

test("a name that does not exist does not stop the checks", () => {
  const output = error("site]", 2304, "Cannot find name 'misspelt'.");
  const text = explainCompilerErrors(output, source, () => {
    const name = new Function("return misspelt")();
    return { default: defineConfig(having(["environments.dev.roles.reader.trust", name ?? []])) };
  });
  expect(text).toContain("environments.dev.roles.reader.trust");
  expect(text).toContain("cannot find name 'misspelt'");
});

test("a file without a configuration", () => {
  const text = explainCompilerErrors("main.ts(1,1): error TS1192: x\n", source, () => ({ default: undefined }));
  expect(text).toContain("the configuration: is not exported: write export default defineConfig({ … })");
});

test("errors in other files only are not explained", () => {
  expect(explain("test/a.test.ts(1,1): error TS2322: x\n")).toEqual([]);
});
