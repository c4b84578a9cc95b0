import { isObject } from "../policy/document";
import { ConfigError, problemList } from "./define";
import { describeProblem, type Problem, type ProblemPath } from "./problem";

/** An error that the TypeScript compiler reports. */
interface CompilerError {
  readonly file: string;
  /** Line and column, from 1. */
  readonly line: number;
  readonly column: number;
  /** E.g. 2741 for TS2741. */
  readonly code: number;
  /** The last of its lines, which is the most specific one. */
  readonly message: string;
}

/** Errors that the checks of the configuration cannot find: syntax, names, imports and calls. */
const NOT_CHECKED = [2304, 2305, 2306, 2307, 2451, 2552, 2554, 2555, 2613, 2614, 2724];

/** The functions that the configuration calls, and config.ts does not. */
const NOT_TO_BE_CALLED = ["applyEnvironment", "planEnvironment", "readState"];

/**
 * The message for a configuration that does not compile: what its checks find, and what only the compiler finds, each
 * mistake once. Undefined if config.ts has no error.
 *
 * @param output the output of `tsc --pretty false`
 * @param source the text of config.ts
 * @param load runs config.ts without a check of its types, and returns its exports
 */
export function explainCompilerErrors(output: string, source: string, load: () => unknown): string | undefined {
  const errors = parseErrors(output).filter(({ file }) => file === "config.ts");
  const names = errors.flatMap(({ message }) => /^Cannot find name '([\w$]+)'/.exec(message)?.[1] ?? []);
  const isMisspelt = errors.some(({ code }) => NOT_CHECKED.includes(code));
  // The value of a misspelt name is undefined: the name is the mistake.
  const problems = problemsOf(load, names).filter(({ isUndefined }) => !(isUndefined && isMisspelt));
  const imports = errors.flatMap(({ message }) => /no exported member named '([\w$]+)'/.exec(message)?.[1] ?? []);
  const others = errors.filter((error) => {
    // The uses of a name whose import is misspelt.
    if (imports.some((name) => error.message.endsWith(`Did you mean '${name}'?`))) return false;
    if (error.code < 2000 || NOT_CHECKED.includes(error.code)) return true;
    const at = pathAt(source, offsetOf(source, error));
    return !problems.some(({ path, also = [] }) => [path, ...also].some((place) => isSamePlace(place, at)));
  });
  const lines = [...problems.map(describeProblem), ...others.map((error) => describeError(source, error))];
  return lines.length === 0 ? undefined : problemList([...new Set(lines)]);
}

function parseErrors(output: string): CompilerError[] {
  const errors: CompilerError[] = [];
  for (const text of output.split("\n")) {
    const [, file, line, column, code, message] = /^(.+?)\((\d+),(\d+)\): error TS(\d+): (.*)$/.exec(text) ?? [];
    const last = errors.at(-1);
    if (file !== undefined && message !== undefined)
      errors.push({ file, line: Number(line), column: Number(column), code: Number(code), message });
    else if (last !== undefined && /^\s+\S/.test(text)) errors[errors.length - 1] = { ...last, message: text.trim() };
  }
  return errors;
}

/** What the checks of the configuration find. Nothing if it cannot be loaded: the compiler names the reason. */
function problemsOf(load: () => unknown, names: readonly string[]): readonly Problem[] {
  const added = names.filter((name) => !(name in globalThis));
  for (const name of added) Object.defineProperty(globalThis, name, { value: undefined, configurable: true });
  try {
    const exported = load();
    const config = isObject(exported) ? exported.default : undefined;
    const isConfig = isObject(config) && Array.isArray(config.stateBackends);
    return isConfig ? [] : [{ path: [], message: "is not exported: write export default defineConfig({ … })" }];
  } catch (error) {
    return error instanceof ConfigError ? error.problems : [];
  } finally {
    for (const name of added) Reflect.deleteProperty(globalThis, name);
  }
}

function offsetOf(source: string, { line, column }: CompilerError): number {
  return source
    .split("\n")
    .slice(0, line - 1)
    .reduce((offset, text) => offset + text.length + 1, column - 1);
}

const TOKEN = /\/\/[^\n]*|\/\*.*?\*\/|(["'`])(?:\\.|(?!\1)[^\\])*\1|[A-Za-z_$][\w$]*|\S/gs;

/** The keys and indexes that lead to a place in the source, from the outermost object or list around it. */
function pathAt(source: string, offset: number): ProblemPath {
  const frames: { readonly open: string; key?: string; index: number }[] = [];
  let name: string | undefined;
  for (const { 0: token, index } of source.matchAll(TOKEN)) {
    if (index > offset) break;
    const frame = frames.at(-1);
    if (/^\/[/*]/.test(token)) continue;
    if (/^[{[(]$/.test(token) && index < offset) frames.push({ open: token, index: 0 });
    else if (/^[}\])]$/.test(token)) frames.pop();
    else if (token === "," && frame !== undefined) {
      frame.index++;
      frame.key = undefined;
    } else if (token === ":" && frame !== undefined) frame.key = name;
    else name = token.replace(/^(["'`])(.*)\1$/s, "$2");
    const isKey = index === offset && /^\s*[:,}]/.test(source.slice(index + token.length));
    if (isKey && frame?.open === "{" && frame.key === undefined) frame.key = name;
  }
  return frames.flatMap(({ open, key, index }): (string | number)[] =>
    open === "[" ? [index] : open === "{" && key !== undefined ? [key] : [],
  );
}

const TOP = ["circleci", "environments", "tags", "trustTests"];

/** Whether one path leads to the other. The path in a constant outside of the configuration has only the last keys. */
function isSamePlace(problem: ProblemPath, path: ProblemPath): boolean {
  if (TOP.includes(String(path[0])))
    return path.every((key, index) => index >= problem.length || problem[index] === key);
  const last = path.filter((key) => typeof key === "string").at(-1);
  return last === undefined ? problem.length === 0 : problem.includes(last);
}

function describeError(source: string, error: CompilerError): string {
  const place = `config.ts:${error.line}:${error.column}`;
  const called = /^[\w$]+/.exec(source.slice(offsetOf(source, error)))?.[0] ?? "";
  if (error.code === 2554 && NOT_TO_BE_CALLED.includes(called))
    return `${place}: ${called}() must not be called: write ${called}, which the configuration calls with the environment`;
  const text = error.message
    .replace(/\.? ?Did you mean (?:to write )?'(.+?)'\?$/, " (did you mean $1?)")
    .replace(/\.$/, "");
  return `${place}: ${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}
