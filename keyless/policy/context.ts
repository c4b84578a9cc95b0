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

/** A policy's value with its variables resolved, or why they cannot be resolved. */
export type Resolved =
  | { readonly kind: "pattern"; readonly pattern: Pattern }
  | { readonly kind: "unresolved"; readonly note: string }
  | { readonly kind: "malformed"; readonly note: string };

const special = new Set(["*", "?", "$"]);
const variable = /\$\{([^{}]*)\}/g;
const named = /^\s*([^\s,']+)\s*(?:,\s*'([^']*)'\s*)?$/;

/**
 * Replaces policy variables by the request's values: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and `${*}`,
 * `${?}`, `${$}` for the characters themselves. Wildcards in a value of the request are literal. A variable whose key is
 * absent or has several values is unresolved. Without a context, `${…}` is literal.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export function resolveVariables(value: string, context: Context | undefined): Resolved {
  if (context === undefined) return { kind: "pattern", pattern: compilePattern(value) };
  const pattern: Pattern[number][] = [];
  let unresolved: Resolved | undefined;
  let end = 0;
  for (const match of value.matchAll(variable)) {
    const before = value.slice(end, match.index);
    if (before.includes("${")) break;
    pattern.push(...compilePattern(before));
    end = match.index + match[0].length;
    const text = variableText(match[1] ?? "", context);
    if (typeof text === "string") pattern.push(...text);
    else if (text.kind === "malformed") return text;
    else unresolved ??= text;
  }
  const rest = value.slice(end);
  if (rest.includes("${")) return { kind: "malformed", note: `policy variable without a closing brace in "${value}"` };
  return unresolved ?? { kind: "pattern", pattern: [...pattern, ...compilePattern(rest)] };
}

function variableText(inside: string, context: Context): string | Resolved {
  if (special.has(inside)) return inside;
  const [, key, otherwise] = named.exec(inside) ?? [];
  if (key === undefined) return { kind: "malformed", note: `policy variable "\${${inside}}" is malformed` };
  const values = context.get(key.toLowerCase());
  if (values === undefined && otherwise !== undefined) return otherwise;
  const [only, ...more] = values ?? [];
  if (only !== undefined && more.length === 0) return only;
  const why = only === undefined ? "is not in the request" : "has several values";
  return { kind: "unresolved", note: `policy variable "\${${inside}}" refers to a key that ${why}` };
}
