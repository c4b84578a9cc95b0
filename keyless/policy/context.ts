import { compilePattern, type Pattern } from "./pattern";
import type { Request } from "./request";

/** The values of a request's condition keys. The names are in lower case: AWS compares them without regard to case. */
export type Context = ReadonlyMap<string, readonly string[]>;

/** Reads a request's context. Keys without a value, and keys that do not exist for the issuer, are absent. */
export function readContext(request: Request, unknownKey: (key: string) => string | undefined): Context {
  const context = new Map<string, readonly string[]>();
  for (const [key, value] of Object.entries(request.context)) {
    const values = typeof value === "string" ? [value] : value;
    if (values.length === 0 || unknownKey(key) !== undefined) continue;
    const name = key.toLowerCase();
    context.set(name, [...(context.get(name) ?? []), ...values]);
  }
  return context;
}

/** The parts of a policy's value with their variables resolved, or why they cannot be resolved. */
export type Resolved =
  | { readonly kind: "patterns"; readonly patterns: readonly Pattern[] }
  /** The request has no value for a variable: the policy's value matches nothing. */
  | { readonly kind: "unresolved"; readonly note: string }
  | { readonly kind: "unsupported"; readonly note: string };

const special = new Set(["*", "?", "$"]);
const variable = /\$\{([^{}]*)\}/g;
/** A key, which can contain spaces as a tag does, and optionally a comma, one space and the default in single quotes. */
const named = /^([^\s,'](?:[^,']*[^\s,'])?)(?:, '([^']*)')?$/;

/**
 * Replaces policy variables by the request's values: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and `${*}`,
 * `${?}`, `${$}` for the characters themselves. Wildcards in a value of the request are literal. A variable whose key is
 * absent or has several values is unresolved. Without a context, `${…}` is literal.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export function resolveVariables(parts: readonly string[], context: Context | undefined): Resolved {
  if (context === undefined) return { kind: "patterns", patterns: parts.map(compilePattern) };
  const patterns: Pattern[] = [];
  let unresolved: Resolved | undefined;
  for (const part of parts) {
    const resolved = resolvePart(part, context);
    if (!("kind" in resolved)) patterns.push(resolved);
    else if (resolved.kind === "unsupported") return resolved;
    else unresolved ??= resolved;
  }
  return unresolved ?? { kind: "patterns", patterns };
}

function resolvePart(part: string, context: Context): Pattern | Resolved {
  const pattern: Pattern[number][] = [];
  let unresolved: Resolved | undefined;
  let end = 0;
  for (const match of part.matchAll(variable)) {
    const before = part.slice(end, match.index);
    if (before.includes("${")) break;
    pattern.push(...compilePattern(before));
    end = match.index + match[0].length;
    const text = variableText(match[1] ?? "", context);
    if (typeof text === "string") pattern.push(...text);
    else if (text.kind === "unsupported") return text;
    else unresolved ??= text;
  }
  const rest = part.slice(end);
  if (rest.includes("${")) return { kind: "unsupported", note: `policy variable without a closing brace in "${part}"` };
  return unresolved ?? [...pattern, ...compilePattern(rest)];
}

function variableText(inside: string, context: Context): string | Resolved {
  if (special.has(inside)) return inside;
  const [, key, otherwise] = named.exec(inside) ?? [];
  const unsupportedVariable = (why: string): Resolved => ({
    kind: "unsupported",
    note: `policy variable "\${${inside}}" ${why}`,
  });
  if (key === undefined) return unsupportedVariable("is malformed");
  const [only, ...more] = context.get(key.toLowerCase()) ?? [];
  // AWS treats a key "that has no value" as absent; whether an empty value is one is not documented.
  if (only === "" && more.length === 0) return unsupportedVariable("refers to an empty value");
  if (only !== undefined && more.length === 0) return only;
  if (otherwise === undefined) {
    const why = only === undefined ? "is not in the request" : "has several values";
    return { kind: "unresolved", note: `policy variable "\${${inside}}" refers to a key that ${why}` };
  }
  if (only !== undefined) return unsupportedVariable("has a default and refers to a key that has several values");
  return /[*?]/.test(otherwise) ? unsupportedVariable("has a default with a wildcard") : otherwise;
}
